//! What a store is composed of, and how it is told to behave.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::{ByteCount, Pacing, Policy, PurgeStrategy, SyncPolicy};
use splitstore_ports::{
    Clock, ColdStore, FileSystem, HotStore, MarkSetFactory, MetaStore, NoObserver, Observer, VisitSetFactory,
};

use crate::batches::Batches;

/// The mark sets of a store.
#[derive(Clone)]
pub enum MarkSets {
    /// One exact set gates the walk and is asked afterwards.
    Exact(Arc<dyn ExactFactory>),
    /// The same, with a set that may over-approximate asked before it: its "no" is final, its "yes" is confirmed
    /// by the exact set. Worth it where asking the exact set costs a read of the disk.
    ///
    /// An approximate set alone will not do: a block that it wrongly keeps would stay visible while its children
    /// are purged.
    Split {
        /// Gates the walk, is sealed, and has the last word.
        visits: Arc<dyn ExactFactory>,
        /// Is asked first.
        marks: Arc<dyn MarkSetFactory>,
    },
}

/// A factory of exact sets that can also be sealed and recovered.
pub trait ExactFactory: VisitSetFactory + MarkSetFactory {}

impl<T: VisitSetFactory + MarkSetFactory> ExactFactory for T {}

/// The ports of one store. Everything is chosen by the caller; nothing is global.
#[derive(Clone)]
pub struct Components {
    /// The fast tier.
    pub hot: Arc<dyn HotStore>,
    /// The cheap tier.
    pub cold: Arc<dyn ColdStore>,
    /// Small durable values.
    pub meta: Arc<dyn MetaStore>,
    /// Where our own files live.
    pub files: Arc<dyn FileSystem>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hears of events.
    pub observer: Arc<dyn Observer>,
    /// Marking.
    pub marks: MarkSets,
    /// Where marks go instead, on disk, if a graph would take more memory than marking may ([`Options::marking_memory`]).
    /// What its sets seal, the sets of `marks` recover.
    pub spill: Option<Arc<dyn ExactFactory>>,
}

impl Components {
    /// Components without an observer, and without sets for runs that lack memory.
    pub fn new(hot: Arc<dyn HotStore>, cold: Arc<dyn ColdStore>, rest: Support) -> Self {
        let Support { meta, files, clock, marks } = rest;
        Self { hot, cold, meta, files, clock, observer: Arc::new(NoObserver), marks, spill: None }
    }
}

/// Everything but the tiers.
#[derive(Clone)]
pub struct Support {
    /// Small durable values.
    pub meta: Arc<dyn MetaStore>,
    /// Where our own files live.
    pub files: Arc<dyn FileSystem>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Marking.
    pub marks: MarkSets,
}

/// Whether head changes start compactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// A head change beyond the threshold starts a run on a thread of its own.
    #[default]
    Automatic,
    /// Runs start only when asked for; a head change just says what it would have done. Open finishes the purge that a
    /// crash left before it returns.
    Manual,
    /// The same, but open returns with that purge unfinished, its filter on: a caller steps it, for schedulers and
    /// simulators ([`crate::SplitStore::begin_rest`]).
    Stepped,
}

/// What to do about blocks that are missing below a reference: something that was read or written during the
/// run, or that a protector named. They may be on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingReferences {
    /// Go on; the report says how many there were.
    Skip,
    /// Look again, `tries` times at most, waiting `delay` before each; then go on.
    Wait {
        /// How often.
        tries: u32,
        /// How long before each.
        delay: Duration,
    },
    /// End the run.
    Fail,
}

impl Default for MissingReferences {
    /// Three tries, as Lotus makes, 20 s apart.
    fn default() -> Self {
        Self::Wait { tries: 3, delay: Duration::from_secs(20) }
    }
}

/// How a run finds out what is live. All ways mark the same blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarkStrategy {
    /// Reads every live block, level by level. Cost follows what is live.
    Walk,
    /// Reads all of hot once, in key order, and follows links in memory: 17 bytes of it per block of hot, and 8 per link.
    /// Walks where the hot tier offers no scan.
    Scan,
    /// Follows the links that the link index keeps beside hot, and reads no block that it knows; 17 bytes of memory
    /// per block and 4 per link, twice that for what was put since the last run. Keeps the index: every put writes a note of its links. The first run scans, and so does one
    /// that cannot believe the index; where the hot tier offers no notes of links, or no scan, runs walk.
    Links,
    /// By the link index where one is kept ([`Options::link_index`]), else by a scan, unless the last run left little of
    /// hot alive.
    #[default]
    Auto,
}

/// How a store behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Windows and cold policy.
    pub policy: Policy,
    /// The folder of this store; runs work in `work/` below it.
    pub folder: PathBuf,
    /// What starts compactions.
    pub trigger: Trigger,
    /// Whether runs wait while the node is behind its chain.
    pub sync: SyncPolicy,
    /// A head change starts a run although the node is behind or the last run failed, once less than this is
    /// free on the disk of `folder`, or of a tier: a node that cannot write cannot catch up either.
    pub pressure: Option<ByteCount>,
    /// What a reference does whose blocks are missing.
    pub missing: MissingReferences,
    /// How a run takes dead blocks out of hot.
    pub purge: PurgeStrategy,
    /// How much a run does at once.
    pub batches: Batches,
    /// How a run treats those who read meanwhile.
    pub pacing: Pacing,
    /// How a run marks.
    pub strategy: MarkStrategy,
    /// Bits of a key that a scan keeps of each link, at most 63. Fewer cost reads and save nothing: for tests,
    /// which want keys that collide.
    pub scan_id_bits: u32,
    /// Whether `MarkStrategy::Auto` keeps a link index; `MarkStrategy::Links` does always.
    pub link_index: bool,
    /// How many blocks each run compares with what the link index says of them before it marks by it.
    pub link_samples: u32,
    /// What marking may take of memory for a graph of hot. A run that would need more, by the tier's own estimate of its
    /// blocks, walks.
    pub marking_memory: Option<ByteCount>,
    /// How long `close` waits for the step that a run is in.
    pub close_within: Duration,
    /// Every how manieth compaction reclaims fully instead of online; 0 never does.
    pub full_reclaim_every: u64,
}

impl Options {
    /// Lotus' defaults for this policy and folder.
    pub fn new(policy: Policy, folder: impl Into<PathBuf>) -> Self {
        Self {
            policy,
            folder: folder.into(),
            trigger: Trigger::default(),
            sync: SyncPolicy::default(),
            pressure: None,
            missing: MissingReferences::default(),
            purge: PurgeStrategy::default(),
            batches: Batches::default(),
            pacing: Pacing::default(),
            strategy: MarkStrategy::default(),
            scan_id_bits: crate::graph::ID_BITS,
            link_index: false,
            link_samples: 256,
            marking_memory: None,
            close_within: Duration::from_secs(5),
            full_reclaim_every: 20,
        }
    }
}
