//! A store under load, from its opening: the threads, and what they share.
//!
//! ```text
//!   session   lock and engines open, log, watch, chain made again up to the head
//!   load      node on the caller's thread | machine | readers; the first error stops them all
//! ```

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use splitstore::domain::Phase;
use splitstore::folder::{FolderError, Opening, StoreFolder};
use splitstore::ports::{Clock, Interrupt};
use splitstore::system::SystemClock;

use crate::in_hand::InHand;
use crate::live::Live;
use crate::node::Node;
use crate::watch::Moment;
use crate::{
    Ack, AckLog, Acknowledged, Chain, Dice, Disk, Latencies, Life, Op, Says, Stage, Survives, Verdict,
};
use crate::{Watch, check, disk, machine, reader};

/// An open store with all that is known of it.
pub(crate) struct Session {
    pub(crate) folder: StoreFolder,
    pub(crate) life: Life,
    pub(crate) watch: Arc<Watch>,
    pub(crate) log: Arc<AckLog>,
    pub(crate) chain: Chain,
    pub(crate) clock: SystemClock,
    survives: Survives,
    /// The run whose folder was there before the store was opened.
    left: Option<u64>,
}

/// How long and how hard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Threads that read.
    pub(crate) readers: u64,
    /// When to end; never, if none.
    pub(crate) length: Option<Duration>,
    /// Time between two checks of all laws; no checks, if none.
    pub(crate) check_every: Option<Duration>,
    /// Who keeps a tipset that was reverted.
    pub(crate) forks: Forks,
    /// Seed of writes of hot's log that nobody asked for, as a kernel does them.
    pub(crate) writeback: Option<u64>,
}

/// Who keeps a tipset that was reverted and will be applied again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forks {
    /// The node, through its protector.
    Guarded,
    /// The store, because the tipset is younger than finality.
    Trusted,
}

/// Where a store is, and its log.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) store: &'a Path,
    pub(crate) log: &'a Path,
    pub(crate) disk: Disk,
}

/// What the threads of a load share.
pub(crate) struct Shared<'a> {
    pub(crate) folder: &'a StoreFolder,
    pub(crate) life: &'a Life,
    pub(crate) watch: &'a Watch,
    pub(crate) log: &'a AckLog,
    pub(crate) clock: SystemClock,
    pub(crate) live: Live,
    pub(crate) in_hand: Arc<InHand>,
    pub(crate) stop: Interrupt,
    /// Compactions that had finished when the load began, or were about to, being resumed: the run that begins next is
    /// the one after.
    pub(crate) compactions: u64,
}

/// What a load came to.
pub(crate) struct Loaded {
    pub(crate) latencies: Latencies,
    /// Blocks compared by its checks.
    pub(crate) checked: u64,
    /// Checks.
    pub(crate) checks: u64,
}

impl Session {
    /// Opens the store of `life` at `path`, and makes it if it is not there or half-made.
    pub(crate) fn open(place: &Place<'_>, life: Life, says: Arc<dyn Says>) -> Result<Self> {
        let Place { store: path, log, disk } = *place;
        let survives = disk.survives();
        if let Err(FolderError::Missing { .. } | FolderError::HalfMade { .. }) =
            StoreFolder::settings_at(path)
        {
            ensure!(
                Acknowledged::read(log, survives)?.head.is_none(),
                "the store at {} is gone",
                path.display()
            );
            StoreFolder::create(path, life.settings()).context("make the store")?;
        }
        let log = Arc::new(AckLog::open(log)?);
        let watch = Arc::new(Watch::new(says, log.clone()));
        let parts = disk.parts(&disk::ledger(log.path().parent().unwrap_or(path)))?;
        let batches = life.batches();
        let opening = Opening { observer: watch.clone(), parts, batches, ..Opening::default() };
        let left = run_in(&path.join("work"));
        let folder = StoreFolder::open_with(path, &opening).context("open the store")?;
        let (chain, clock) = (Chain::new(&life)?, SystemClock::new());
        Ok(Self { folder, life, watch, log, chain, clock, survives, left })
    }

    /// Checks the store, which has no load; an error names what is lost.
    pub(crate) fn check(&mut self) -> Result<Verdict> {
        self.watch.enter(Stage::Checking);
        let acked = Acknowledged::read(self.log.path(), self.survives)?;
        sound(check(&self.folder, &self.life, &mut self.chain, &acked)?)
    }

    /// Where the store stands, once the purge has begun that open has resumed; unchecked.
    pub(crate) fn glance(&mut self) -> Result<Verdict> {
        while !matches!(self.watch.now().stage, Stage::Loaded(_)) {
            thread::park_timeout(Duration::from_micros(100));
        }
        let acked = Acknowledged::read(self.log.path(), self.survives)?;
        let compactions = self.left.context("a purge was resumed that has no folder")?;
        Ok(Verdict { compactions, ..check::glance(&self.folder, &mut self.chain, &acked)? })
    }

    /// Loads the store, which `verdict` found sound.
    pub(crate) fn load(&mut self, verdict: &Verdict, effort: &Effort) -> Result<Loaded> {
        let acked = Acknowledged::read(self.log.path(), self.survives)?;
        self.log.append(Ack::Started(verdict.head.unwrap_or_default()))?;
        let in_hand = Arc::new(InHand::default());
        self.folder.store().add_protector(in_hand.clone());
        let shared = Shared {
            folder: &self.folder,
            life: &self.life,
            watch: &self.watch,
            log: &self.log,
            clock: self.clock,
            live: Live::new(&self.life),
            in_hand,
            stop: Interrupt::new(),
            compactions: verdict.compactions,
        };
        if !matches!(shared.watch.now().stage, Stage::Loaded(_)) {
            shared.watch.enter(Stage::Loaded(Phase::Idle));
        }
        let next = verdict.head.map_or(0, |head| self.chain.after(head));
        let node = Node::new(&shared, &mut self.chain, next, effort.forks);
        run(&shared, node, acked.next_round(), effort)
    }

    /// Closes the store.
    pub(crate) fn close(self) -> Result<()> {
        self.watch.close();
        self.folder.close().context("close the store")
    }
}

/// The number of the run whose folder is there.
fn run_in(work: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(work).ok()?.filter_map(Result::ok);
    let number =
        |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_prefix("compaction-")?.parse().ok();
    entries.filter_map(number).max()
}

/// An error that names all that is lost, if anything is.
pub(crate) fn sound(verdict: Verdict) -> Result<Verdict> {
    if verdict.lost == 0 {
        return Ok(verdict);
    }
    let findings = verdict.findings.join("; ");
    Err(anyhow!("{} lost or broken at tipset {:?}: {findings}", verdict.lost, verdict.head))
}

fn run(shared: &Shared<'_>, node: Node<'_>, round: u64, effort: &Effort) -> Result<Loaded> {
    let until = effort.length.map(|length| shared.clock.elapsed() + length);
    let (node, others) = thread::scope(|scope| {
        let machine = scope.spawn(move || shared.ended(machine::run(shared, round)));
        let readers = (0..effort.readers)
            .map(|number| scope.spawn(move || shared.ended(reader::run(shared, number))))
            .collect::<Vec<_>>();
        let writeback =
            effort.writeback.map(|seed| scope.spawn(move || shared.ended(write_back(shared, seed))));
        let node = shared.ended(node.run(until, effort.check_every));
        shared.stop.raise();
        let threads = readers.into_iter().chain([machine]).chain(writeback);
        let joined = |thread: thread::ScopedJoinHandle<'_, Result<Latencies>>| {
            thread.join().map_err(|_| anyhow!("a thread of the load panicked"))?
        };
        (node, threads.map(joined).collect::<Vec<_>>())
    });
    let mut loaded = node?;
    for other in others {
        loaded.latencies.merge(&other?);
    }
    shared.watch.broken().map_or(Ok(loaded), |what| Err(anyhow!(what)))
}

/// Writes hot's log to the disk now and then, so that a power cut may leave any part of it.
fn write_back(shared: &Shared<'_>, seed: u64) -> Result<Latencies> {
    let mut dice = Dice::new(seed, 3);
    while shared.goes_on() {
        thread::park_timeout(Duration::from_micros(dice.below(30_000)));
        shared.folder.hot().sync().context("write hot's log back")?;
    }
    Ok(Latencies::default())
}

impl Shared<'_> {
    /// Passes on how a thread ended; an error stops the others.
    fn ended<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.watch.broke(&format!("{error:#}"));
            self.stop.raise();
        }
        result
    }

    /// Whether to go on.
    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.is_raised() && self.watch.broken().is_none()
    }

    /// Does `work` and counts how long it took; also when it began and ended.
    pub(crate) fn timed<T>(
        &self,
        latencies: &mut Latencies,
        op: Op,
        work: impl FnOnce() -> T,
    ) -> (T, Moment, Moment) {
        let (before, started) = (self.watch.now(), self.clock.elapsed());
        let done = work();
        let (ended, after) = (self.clock.elapsed(), self.watch.now());
        latencies.record(op, (before.stage, after.stage), ended.saturating_sub(started));
        (done, before, after)
    }
}
