//! Everything that outlives a store: the disk, the node's memory, the promises.

use std::path::Path;
use std::sync::Arc;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::{BlockKey, ColdPolicy, Phase};
use splitstore_memory::{Kept, MemoryClock, MemoryCold, MemoryFiles, MemoryMeta, MemoryStore};
use splitstore_orchestrator::{Components, Options, Protector, SplitStore, Support, Trigger};
use splitstore_ports::{BlockRead, BlockWrite, BlockWriteExt, Event, KeyScan, Observer};

use crate::adapters::{Cells, Disk, Tier};
use crate::broken::{Broken, Verdict};
use crate::chain::SimChain;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::node::Node;
use crate::options::SimOptions;
use crate::oracle::{self, Oracle};
use crate::trace::Trace;
use crate::universe::{Id, Universe};
use crate::wire::{Change, Port, Wire};
use crate::{Known, Lie, Manner};

/// The folder of the store.
pub(crate) const FOLDER: &str = "store";

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) options: SimOptions,
    pub(crate) universe: Universe,
    pub(crate) chain: Arc<SimChain>,
    pub(crate) wire: Wire,
    pub(crate) hot: MemoryStore,
    pub(crate) cold: MemoryCold,
    pub(crate) files: MemoryFiles,
    pub(crate) meta: MemoryMeta,
    pub(crate) clock: MemoryClock,
    /// Roots that a protector names.
    pub(crate) pool: Arc<Mutex<Vec<Cid>>>,
    pub(crate) pooled: Vec<Id>,
    pub(crate) oracle: Oracle,
    pub(crate) node: Node,
    pub(crate) trace: Trace,
    pub(crate) coverage: Coverage,
    /// Counts the moments at which protection began: what was asked before one of them is owed no more.
    pub(crate) runs: u64,
    known: Vec<Known>,
    lie: Option<Lie>,
    pub(crate) compactions: u64,
    pub(crate) events: Arc<Events>,
}

/// Follows the phases, so that a crash has a name.
pub(crate) struct Events {
    wire: Wire,
    pub(crate) sealed: Mutex<bool>,
    pub(crate) resumed: Mutex<u64>,
}

impl Observer for Events {
    fn on_event(&self, event: &Event) {
        match event {
            Event::PhaseStarted(phase) => {
                self.wire.set_place(phase.name());
                match phase {
                    Phase::Prepare => *self.sealed.lock() = false,
                    Phase::Purge => *self.sealed.lock() = true,
                    _ => {}
                }
            }
            Event::Finished(_) => *self.sealed.lock() = false,
            Event::Resumed => *self.resumed.lock() += 1,
            _ => {}
        }
    }
}

impl World {
    pub(crate) fn new(seed: u64, manner: &Manner) -> Self {
        let mut dice = Dice::new(seed);
        let options = SimOptions::draw(&mut dice);
        let wire = Wire::default();
        let mut world = Self {
            dice,
            options,
            universe: Universe::default(),
            chain: Arc::default(),
            events: Arc::new(Events {
                wire: wire.clone(),
                sealed: Mutex::default(),
                resumed: Mutex::default(),
            }),
            wire,
            hot: MemoryStore::hot(),
            cold: MemoryStore::cold(),
            files: MemoryFiles::with_folder(Path::new(FOLDER)).expect("an empty disk takes a folder"),
            meta: MemoryMeta::new(),
            clock: MemoryClock::new(),
            pool: Arc::default(),
            pooled: Vec::new(),
            oracle: Oracle::default(),
            node: Node::default(),
            trace: Trace::new(manner.telling),
            coverage: Coverage::default(),
            runs: 0,
            known: manner.known.clone(),
            lie: manner.lie,
            compactions: 0,
        };
        world.load();
        world
    }

    /// The chain that the node has before the store is opened, durably.
    fn load(&mut self) {
        self.grow_first_chain();
        for id in 0..self.universe.blocks.len() {
            let block = &self.universe.blocks[id];
            self.hot.put(&block.cid, &block.data).expect("memory takes a block");
            self.oracle.flushed.insert(id);
        }
        self.hot.sync().expect("memory is durable");
        self.head_moved();
    }

    /// Opens the store as the process does when it starts.
    pub(crate) fn open(&mut self) -> splitstore_orchestrator::Result<SplitStore> {
        self.wire.set_place("open");
        let hot = Arc::new(Tier::new(self.hot.clone(), Port::Hot, &self.wire, self.lie));
        let cold = Arc::new(Tier::new(self.cold.clone(), Port::Cold, &self.wire, self.lie));
        let support = Support {
            meta: Arc::new(Cells { inner: self.meta.clone(), wire: self.wire.clone() }),
            files: Arc::new(Disk {
                inner: self.files.clone(),
                wire: self.wire.clone(),
                spare_log: self.looks_past(Known::UnloggedMarks),
            }),
            clock: Arc::new(self.clock.clone()),
            marks: self.options.mark_sets(),
        };
        let mut components = Components::new(hot, cold, support);
        components.observer = self.events.clone();
        let missing = self.options.missing();
        let options =
            Options { trigger: Trigger::Manual, missing, ..Options::new(self.options.policy(), FOLDER) };
        let store = SplitStore::open(components, options)?;
        let head = self.node.tipset(self.node.head);
        let head = self.universe.tipset(head).expect("a head has headers");
        self.chain.place(head);
        store.start(self.chain.clone())?;
        let pool = self.pool.clone();
        store.add_protector(Arc::new(move |keep: &mut dyn FnMut(&Cid)| {
            pool.lock().iter().for_each(keep);
            Ok(())
        }) as Arc<dyn Protector>);
        *self.events.sealed.lock() = false;
        self.wire.set_place("node");
        self.absorb();
        Ok(store)
    }

    /// The power fails, or only the process dies.
    pub(crate) fn crash(&mut self) {
        let keep = |dice: &mut Dice, calls: usize| match dice.below(3) {
            0 => 0,
            1 => calls,
            _ => dice.below(calls + 1),
        };
        let (kept, name) = match self.dice.below(6) {
            0 => (Kept::Nothing, "nothing"),
            1 => (Kept::Names, "names"),
            2 => (Kept::Data, "data"),
            3 => (Kept::Tail(self.dice.below(40)), "a torn tail"),
            _ => (Kept::Tail(usize::MAX), "all"),
        };
        let (mut hot, mut cold) = (self.hot.unsynced_calls(), self.cold.store().unsynced_calls());
        if name != "all" {
            hot = keep(&mut self.dice, hot);
            cold = keep(&mut self.dice, cold);
        }
        if *self.events.sealed.lock() && self.looks_past(Known::UndoneDeletes) {
            hot = self.hot.unsynced_calls();
        }
        self.absorb();
        self.hot.crash_keeping(hot);
        self.cold.store().crash_keeping(cold);
        self.files.crash_keeping(kept);
        self.files.set_free_space(None);
        self.coverage.count(format!("crash keeps {name}"));
        self.trace.line(format!("crash, of files {name} is kept, {hot} calls of hot, {cold} of cold"));
        self.wire.renew();
        self.oracle.owed = self.oracle.carried.clone();
        self.oracle.written.clear();
        self.node.forget();
        self.head_moved();
    }

    /// Takes note of what the adapters were made to do.
    pub(crate) fn absorb(&mut self) {
        for (change, key) in self.wire.take_changes() {
            let Some(id) = self.universe.of_key(&key) else { continue };
            if change == Change::Deleted {
                self.oracle.deleted.insert(id);
            } else {
                self.oracle.deleted.remove(&id);
            }
        }
        for (port, access, kind) in self.wire.take_fired() {
            self.coverage.count(format!("fault: {} {access:?}, {kind}", port.name()));
        }
    }

    pub(crate) fn looks_past(&self, known: Known) -> bool {
        self.known.contains(&known)
    }

    /// Whether a tier has the block, whatever a filter says.
    pub(crate) fn there(&self, id: Id) -> bool {
        let cid = self.universe.cid(id);
        self.hot.has(&cid).unwrap_or(false) || self.cold.has(&cid).unwrap_or(false)
    }

    fn sound(&self, id: Id) -> bool {
        let block = &self.universe.blocks[id];
        let mut same = false;
        let mut look = |data: &[u8]| same = data == block.data;
        let hot = self.hot.view(&block.cid, &mut look).unwrap_or(false);
        let there = hot || self.cold.view(&block.cid, &mut look).unwrap_or(false);
        there && same
    }

    /// The node relies on this block: what is below it now is owed, and nothing below it may have been purged.
    pub(crate) fn rely(&mut self, id: Id, why: &'static str) -> Verdict {
        self.absorb();
        if let Some(gone) = self.purged_below(id) {
            let law = "law 2: presence means completeness";
            return Err(Broken::new(law, format!("b{id} shows ({why}), b{gone} below it was purged")));
        }
        let owed = oracle::closure(&self.universe, id, &self.oracle.canonical, |id| self.there(id));
        self.oracle.owe(owed, id, why);
        Ok(())
    }

    /// A block at or below this one that a purge took.
    fn purged_below(&self, from: Id) -> Option<Id> {
        let mut seen = std::collections::BTreeSet::new();
        let mut open = vec![from];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if !self.there(id) {
                if self.oracle.deleted.contains(&id) {
                    return Some(id);
                }
                continue;
            }
            if !self.oracle.leaves.contains(&id) {
                open.extend(&self.universe.blocks[id].links);
            }
        }
        None
    }

    /// At rest no block shows whose children were purged.
    pub(crate) fn census(&mut self, when: &str) -> Verdict {
        self.absorb();
        for id in 0..self.universe.blocks.len() {
            if !self.there(id) {
                continue;
            }
            if let Some(gone) = self.purged_below(id) {
                let what = format!("{when}: b{id} shows, b{gone} below it was purged");
                return Err(Broken::new("law 2: presence means completeness", what));
            }
        }
        Ok(())
    }

    /// All laws that can be checked from behind the store.
    pub(crate) fn check(&mut self) -> Verdict {
        self.absorb();
        for (law, set) in [
            ("law 1: what is live is readable", &self.oracle.live),
            ("law 1: what was touched since the run began is readable", &self.oracle.owed),
            ("law 3: messages keeps old messages", &self.oracle.moved),
        ] {
            if let Some(id) = set.iter().find(|id| !self.sound(**id)) {
                return Err(Broken::new(
                    law,
                    format!("{} is in neither tier, or not as it was put", self.oracle.reason(*id)),
                ));
            }
        }
        if self.options.cold != ColdPolicy::Universal {
            return Ok(());
        }
        self.oracle.flushed.iter().find(|id| !self.sound(**id)).map_or(Ok(()), |id| {
            let what = format!("b{id} was flushed and is in neither tier");
            Err(Broken::new("law 3: universal loses nothing", what))
        })
    }

    /// The head is another: so is what is live.
    pub(crate) fn head_moved(&mut self) {
        let head = self.node.tipset(self.node.head).to_vec();
        let policy = self.options.policy();
        let (live, moved) =
            oracle::table(&self.universe, &head, &policy, |tipset| self.node.key_object(tipset));
        self.oracle.live = live;
        self.oracle.moved = moved;
    }

    /// Keys that hot holds.
    pub(crate) fn hot_ids(&self) -> std::collections::BTreeSet<Id> {
        let mut batch = Vec::new();
        let mut cursor = self.hot.keys().expect("memory scans");
        loop {
            let before = batch.len();
            cursor.next_batch(&mut batch, 1000).expect("memory scans");
            if batch.len() == before {
                break;
            }
        }
        batch.iter().filter_map(|entry| self.universe.of_key(&BlockKey::from(&entry.cid()))).collect()
    }
}
