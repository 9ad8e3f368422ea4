//! Everything that outlives a store: the machine, the node's memory, the promises.

use std::collections::BTreeSet;
use std::sync::Arc;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::{BlockKey, ByteCount, ColdPolicy, Epoch, Window};
use splitstore_memory::MemoryClock;
use splitstore_orchestrator::{Components, Protector, SplitStore, Support};
use splitstore_ports::{
    BlockRead, BlockWrite, BlockWriteExt, Clock, ErrorKind, FileSystem, KeyScan, PortError,
};

use crate::adapters::{Cells, Disk, Lag, Tier};
use crate::broken::{Broken, Verdict};
use crate::chain::SimChain;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::events::Events;
use crate::gates::{Gates, Room};
use crate::machine::{FOLDER, Machine};
use crate::node::{Leaving, Node, TipsetId};
use crate::options::SimOptions;
use crate::oracle::{self, Oracle};
use crate::policies::Policies;
use crate::sets::SetsOfSeed;
use crate::trace::Trace;
use crate::universe::{Id, Universe};
use crate::wire::{Change, NODE, Port, Wire};
use crate::{Lie, Manner};

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) options: SimOptions,
    pub(crate) universe: Universe,
    pub(crate) chain: Arc<SimChain>,
    pub(crate) wire: Wire,
    pub(crate) machine: Machine,
    pub(crate) clock: MemoryClock,
    pub(crate) pools: Vec<Pool>,
    pub(crate) oracle: Oracle,
    pub(crate) node: Node,
    /// What the operator of this process wished, and how far the node is behind.
    pub(crate) gates: Gates,
    pub(crate) trace: Trace,
    pub(crate) coverage: Coverage,
    /// Counts the moments at which protection began: what was asked before one of them is owed no more.
    pub(crate) runs: u64,
    pub(crate) compactions: u64,
    pub(crate) policies: Policies,
    pub(crate) leaving: Leaving,
    /// What the present run may go without whatever it was told.
    pub(crate) may_miss: BTreeSet<Id>,
    pub(crate) events: Arc<Events>,
    sets: SetsOfSeed,
    lie: Option<Lie>,
}

/// Roots that one protector names.
#[derive(Default)]
pub(crate) struct Pool {
    pub(crate) ids: Vec<Id>,
    cids: Arc<Mutex<Option<Vec<Cid>>>>,
}

impl Pool {
    /// Tells the protector what to name.
    pub(crate) fn tell(&self, universe: &Universe) {
        *self.cids.lock() = Some(self.ids.iter().map(|id| universe.cid(*id)).collect());
    }

    /// The protector has no answer until it is told again.
    pub(crate) fn fall_silent(&self) {
        *self.cids.lock() = None;
    }

    fn protector(&self, wire: &Wire) -> Arc<dyn Protector> {
        let (cids, wire) = (self.cids.clone(), wire.clone());
        Arc::new(move |keep: &mut dyn FnMut(&Cid)| {
            let Some(cids) = &*cids.lock() else {
                wire.excuse();
                return Err(PortError::bare(ErrorKind::Unavailable, "ask a pool that is silent"));
            };
            cids.iter().for_each(keep);
            Ok(())
        })
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
            events: Arc::new(Events::new(&wire)),
            wire,
            machine: Machine::default(),
            clock: MemoryClock::new(),
            pools: (0..options.protectors).map(|_| Pool::default()).collect(),
            oracle: Oracle::default(),
            node: Node::default(),
            gates: Gates::default(),
            trace: Trace::new(manner.telling),
            coverage: Coverage::default(),
            runs: 0,
            compactions: 0,
            policies: Policies::new(options.cold),
            leaving: Leaving::No,
            may_miss: BTreeSet::new(),
            sets: SetsOfSeed::new(options.sets),
            lie: manner.lie,
        };
        world.load();
        world
    }

    /// The chain that the node has before the store is opened, durably.
    fn load(&mut self) {
        self.grow_first_chain();
        for id in 0..self.universe.blocks.len() {
            let block = &self.universe.blocks[id];
            self.machine.hot.put(&block.cid, &block.data).expect("memory takes a block");
            self.oracle.flushed.insert(id);
        }
        self.machine.hot.sync().expect("memory is durable");
        self.pools.iter().for_each(|pool| pool.tell(&self.universe));
        self.head_moved();
        self.set_time();
    }

    /// New blocks, for people.
    pub(crate) fn tell_blocks(&mut self, from: Id) {
        for id in from..self.universe.blocks.len() {
            self.trace.line(self.universe.told(id));
        }
    }

    /// A store on a machine; everything that it does goes through `wire`.
    pub(crate) fn components(&self, machine: &Machine, wire: &Wire) -> Components {
        let lag = Lag { clock: self.clock.clone(), time: self.options.cold_lag };
        let hot = Tier::new(machine.hot.clone(), Port::Hot, wire, self.lie, Lag::default());
        let hot = hot.asking(self.options.asks());
        let cold = Tier::new(machine.cold.clone(), Port::Cold, wire, self.lie, lag);
        let support = Support {
            meta: Arc::new(Cells { inner: machine.meta.clone(), wire: wire.clone() }),
            files: Arc::new(Disk { inner: machine.files.clone(), wire: wire.clone() }),
            clock: Arc::new(self.clock.clone()),
            marks: self.sets.factories(),
        };
        Components::new(Arc::new(hot), Arc::new(cold), support)
    }

    /// Opens the store as the process does when it starts.
    pub(crate) fn open(&mut self) -> splitstore_orchestrator::Result<SplitStore> {
        self.wire.set_place("open");
        self.events.unseal();
        let mut components = self.components(&self.machine, &self.wire);
        components.observer = self.events.clone();
        let store = SplitStore::open(components, self.options.of_store())?;
        let head = self.universe.tipset(self.node.tipset(self.node.head)).expect("a head has headers");
        self.gates = Gates::default();
        self.see_head(head.height.height(), head.timestamp);
        self.chain.place(head);
        store.start(self.chain.clone())?;
        for pool in &self.pools {
            pool.tell(&self.universe);
            store.add_protector(pool.protector(&self.wire));
        }
        if !self.events.is_sealed() {
            self.policies.of_run = self.options.cold;
            self.forks_moved();
        }
        self.wire.set_place(NODE);
        self.absorb();
        Ok(store)
    }

    /// The power fails, or only the process dies.
    pub(crate) fn crash(&mut self) {
        self.absorb();
        let (name, told) = if self.wire.is_shaken() {
            self.machine.crash_shaken(&mut self.dice)
        } else {
            self.machine.crash(&mut self.dice)
        };
        self.machine.files.set_free_space(None);
        self.coverage.count(format!("crash keeps {name}"));
        self.trace.line(format!("crash, {told}"));
        self.wire.renew();
        self.oracle.owed = self.oracle.carried.clone();
        self.oracle.written.clear();
        self.node.forget();
        self.change_policy();
        self.head_moved();
    }

    /// Takes note of what the adapters were made to do.
    pub(crate) fn absorb(&mut self) {
        for (port, change, key) in self.wire.take_changes() {
            let Some(id) = self.universe.of_key(&key) else { continue };
            match change {
                Change::Put => {
                    self.oracle.deleted.remove(&id);
                    self.oracle.promised.remove(&id);
                    if port == Port::Cold {
                        self.came_to_cold(id);
                    }
                }
                Change::Deleted => self.deleted(id),
            }
            if (port, change) != (Port::Hot, Change::Put) {
                self.trace.line(format!("b{id} {change:?} {}", port.name()));
            }
        }
        let going = self.wire.going();
        self.oracle.going = going.iter().filter_map(|key| self.universe.of_key(key)).collect();
        for what in self.wire.take_reached() {
            self.coverage.count(what);
        }
        for (port, access, kind) in self.wire.take_fired() {
            self.coverage.count(format!("fault: {} {}, {kind}", port.name(), access.name()));
        }
    }

    fn deleted(&mut self, id: Id) {
        if !self.oracle.promised.contains(&id) {
            self.oracle.deleted.insert(id);
        }
        let oracle = &self.oracle;
        // Under `universal` a block that is read in cold stays there: nothing below it is lost. A read in such a process is
        // known to no later one.
        let universal = [self.options.cold, self.policies.of_run].contains(&ColdPolicy::Universal);
        let moves = universal && self.in_cold(id);
        let owed = if moves { &oracle.written } else { &oracle.owed };
        let stays = oracle.live.contains(&id) || owed.contains(&id) || oracle.forked.contains(&id);
        // What was on its way out already when somebody came to need it was met in cold, and is there.
        let was_going = oracle.going.contains(&id) && self.in_cold(id);
        if stays && !was_going {
            self.oracle.wrongly.get_or_insert(id);
        }
        if self.policies.of_run == ColdPolicy::Universal && !self.in_cold(id) {
            self.oracle.lost.get_or_insert(id);
        }
    }

    /// What is below it and not there yet, or came while the run was at it, cold need not follow.
    fn came_to_cold(&mut self, id: Id) {
        for link in self.universe.blocks[id].links.clone() {
            let late = !self.there(link) || self.oracle.fresh.contains(&link);
            if late && !self.in_cold(link) {
                self.oracle.holes.insert((id, link));
            } else {
                self.oracle.holes.remove(&(id, link));
            }
        }
    }

    fn in_cold(&self, id: Id) -> bool {
        self.machine.cold.has(&self.universe.cid(id)).unwrap_or(false)
    }

    /// Whether hot has the block, whatever a filter says.
    pub(crate) fn in_hot(&self, id: Id) -> bool {
        self.machine.hot.has(&self.universe.cid(id)).unwrap_or(false)
    }

    pub(crate) fn only_in_cold(&self, id: Id) -> bool {
        self.in_cold(id) && !self.in_hot(id)
    }

    /// Whether a tier has the block and no rewrite is about to take it, whatever a filter says.
    pub(crate) fn there(&self, id: Id) -> bool {
        (self.in_hot(id) && !self.oracle.going.contains(&id)) || self.in_cold(id)
    }

    fn sound(&self, id: Id) -> bool {
        let block = &self.universe.blocks[id];
        let mut same = false;
        let mut look = |data: &[u8]| same = data == block.data;
        let hot = self.machine.hot.view(&block.cid, &mut look).unwrap_or(false);
        let there = hot || self.machine.cold.view(&block.cid, &mut look).unwrap_or(false);
        there && same
    }

    /// The node relies on this block: what is below it now is owed, and nothing below it may have been purged.
    pub(crate) fn rely(&mut self, id: Id, why: &'static str) -> Verdict {
        self.absorb();
        if let Some(gone) = self.purged_below(id) {
            let law = "law 2: presence means completeness";
            return Err(Broken::new(law, format!("b{id} shows ({why}), b{gone} below it was purged")));
        }
        self.owe_below(id, why);
        Ok(())
    }

    /// What is there at and below this block must stay.
    pub(crate) fn owe_below(&mut self, id: Id, why: &'static str) {
        let owed = self.below(id);
        self.oracle.owe(owed, id, why);
    }

    /// What is there at and below this block. Behind a filter only what is whole comes back with it: what has a hole
    /// below it would promise what is gone.
    pub(crate) fn below(&self, id: Id) -> BTreeSet<Id> {
        let below = |id, there: &dyn Fn(Id) -> bool| {
            oracle::closure(&self.universe, id, &self.oracle.canonical, there)
        };
        let mut all = below(id, &|id| self.there(id));
        if self.events.is_sealed() && !self.loses_nothing() {
            let promised = |id: &Id| self.oracle.live.contains(id) || self.oracle.owed.contains(id);
            all.retain(|below| *below == id || promised(below) || self.is_whole(*below));
        }
        all
    }

    /// Whether all that belongs at and below this block is there.
    pub(crate) fn is_whole(&self, id: Id) -> bool {
        let all = oracle::closure(&self.universe, id, &self.oracle.canonical, |_| true);
        all.into_iter().all(|id| self.there(id))
    }

    /// A block at or below this one that a purge took.
    fn purged_below(&self, from: Id) -> Option<Id> {
        let mut seen = BTreeSet::new();
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
                let is_hole = |link: &Id| self.oracle.holes.contains(&(id, *link)) && !self.in_hot(id);
                open.extend(self.universe.blocks[id].links.iter().filter(|link| !is_hole(link)));
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
        if let Some(broken) = self.wire.take_broken() {
            return Err(broken);
        }
        let (deleted, most) = (self.wire.most_deleted(), self.options.batches.exclusive.get());
        if deleted > most {
            return Err(Broken::new(
                "law 8: bounded",
                format!("{deleted} deleted at once, at most {most} may be"),
            ));
        }
        if let Some(id) = self.oracle.wrongly {
            let what = format!("{} was deleted from hot", self.oracle.reason(id));
            return Err(Broken::new("law 4: only what is dead leaves hot", what));
        }
        if let Some(id) = self.oracle.lost {
            let what = format!("b{id} was deleted from hot and is not in cold");
            return Err(Broken::new("law 3: universal loses nothing", what));
        }
        let none = BTreeSet::new();
        let moved = if self.policies.discards() { &none } else { &self.oracle.moved };
        for (law, set) in [
            ("law 1: what is live is readable", &self.oracle.live),
            ("law 1: what was touched since the run began is readable", &self.oracle.owed),
            ("law 3: messages keeps old messages", moved),
        ] {
            if let Some(id) = set.iter().find(|id| !self.sound(**id)) {
                let what = format!("{} is in neither tier, or not as it was put", self.oracle.reason(*id));
                return Err(Broken::new(law, what));
            }
        }
        if self.policies.drops() {
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
        let oldest = self.node.tipsets[self.node.head].height.saturating_sub(self.options.finality);
        let Node { reverted, tipsets, .. } = &mut self.node;
        reverted.retain(|fork| tipsets[*fork].height >= oldest);
        if !self.events.is_sealed() {
            self.forks_moved();
        }
    }

    /// What hangs from reverted tipsets is there, or not any more. Behind a filter it is what was there when that
    /// went on, and what was put since, which is owed.
    pub(crate) fn forks_moved(&mut self) {
        self.oracle.forked = self.below_forks(&self.node.reverted);
    }

    /// What the store may keep for reverted tipsets that are young at this head.
    pub(crate) fn perhaps_forked(&self) -> BTreeSet<Id> {
        self.below_forks(&self.node.ever_reverted)
    }

    /// What is in neither tier now, and hangs where the retention table tolerates that in a run that is cut at this
    /// height: from a young reverted tipset, of which a purge or a power cut has taken parts; and under `messages` from
    /// old headers, once `discard` has dropped their messages.
    pub(crate) fn tolerated(&self, height: u64) -> BTreeSet<Id> {
        let mut all = self.below_forks_at(&self.node.ever_reverted, height, &|_| true);
        if self.policies.discards() {
            all.extend(&self.oracle.moved);
        }
        all.retain(|id| !self.there(*id));
        all
    }

    fn below_forks(&self, forks: &[TipsetId]) -> BTreeSet<Id> {
        let height = self.node.tipsets[self.node.head].height;
        self.below_forks_at(forks, height, &|id| self.there(id))
    }

    fn below_forks_at(&self, forks: &[TipsetId], height: u64, there: &dyn Fn(Id) -> bool) -> BTreeSet<Id> {
        let window = Window::at(Epoch::new(height), Epoch::GENESIS, &self.options.policy());
        let young = |fork: &&TipsetId| self.node.tipsets[**fork].height + self.options.finality >= height;
        let mut all = BTreeSet::new();
        for fork in forks.iter().filter(young) {
            let key_object = |tipset: &[Id]| self.node.key_object(tipset);
            let tipset = self.node.tipset(*fork);
            all.extend(oracle::below_tipset(&self.universe, tipset, &window, key_object, there).0);
        }
        all
    }

    /// Sets the time at which the head comes in: as old as the node is behind.
    pub(crate) fn set_time(&mut self) {
        let head = self.universe.tipset(self.node.tipset(self.node.head)).expect("a head has headers");
        let age = self.node.pace.draw_age(&mut self.dice);
        self.clock.set_unix_seconds(head.timestamp + age);
    }

    /// The gates hear of a head.
    pub(crate) fn see_head(&mut self, height: u64, timestamp: u64) {
        let age = self.clock.unix_seconds().saturating_sub(timestamp);
        if self.gates.observe(&self.options, height, age) {
            self.coverage.count("gate: hovering ended a wait");
        }
    }

    /// Whether the disk is fuller than the operator allows.
    pub(crate) fn room(&self) -> Room {
        let free = self.machine.files.free_space(FOLDER.as_ref()).ok().flatten();
        let short =
            self.options.pressure.is_some_and(|least| free.is_some_and(|free: ByteCount| free < least));
        if short { Room::Short } else { Room::Enough }
    }

    /// Keys that hot holds.
    pub(crate) fn hot_ids(&self) -> BTreeSet<Id> {
        let mut batch = Vec::new();
        let mut cursor = self.machine.hot.keys().expect("memory scans");
        cursor.next_batch(&mut batch, usize::MAX).expect("memory scans");
        batch.iter().filter_map(|entry| self.universe.of_key(&BlockKey::from(&entry.cid()))).collect()
    }
}
