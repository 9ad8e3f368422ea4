//! What the node does: sync, reorganise, trust `has`, read, flush.

use splitstore_domain::trigger::Decision;
use splitstore_domain::{HeadChange, Tipset};
use splitstore_orchestrator::Error;
use splitstore_ports::{Block, BlockRead, BlockWrite, Clock};

use crate::broken::{Broken, Verdict};
use crate::gates::{Asks, Room};
use crate::life::{Life, told};
use crate::node::{Errand, Leaving, Task, TipsetId};
use crate::reader::{Due, Question};
use crate::universe::Id;
use crate::world::World;

impl Life<'_, '_> {
    /// One errand of the task at hand, or a new task: the next tipset.
    pub(crate) fn node_turn(&mut self) -> Verdict {
        let Some(mut task) = self.world.node.task.take() else {
            if self.world.dice.percent(self.world.options.restless) {
                self.reorganise();
            } else {
                self.sync();
            }
            return Ok(());
        };
        self.world.take_up(&mut task);
        for _ in 0..self.world.dice.between(1, 5) {
            let Some(errand) = task.errands.get(task.next).copied() else { return Ok(()) };
            let done = self.errand(errand)?;
            task.next = if done { task.next + 1 } else { 0 };
            if matches!(errand, Errand::Rest) {
                break;
            }
        }
        if task.next < task.errands.len() && self.world.node.task.is_none() {
            self.world.node.task = Some(task);
        }
        Ok(())
    }

    /// Whether it was done; a fault may have come between.
    pub(crate) fn errand(&mut self, errand: Errand) -> Result<bool, Broken> {
        match errand {
            Errand::Ensure(id) => {
                self.world.coverage.count("act: ask and trust");
                let mut batch = Vec::new();
                Ok(self.ensure(id, &mut batch)? && self.put(&batch)?)
            }
            Errand::Write(id) => {
                self.world.coverage.count("act: write without asking");
                let mut all = Vec::new();
                self.world.bottom_up(id, &mut all);
                let size = self.world.options.batch;
                for batch in all.chunks(size) {
                    if !self.put(batch)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Errand::WriteBare(id) => {
                self.world.promise_what_is_missing_below(id);
                self.put(&[id])
            }
            Errand::Rest => Ok(true),
            Errand::Apply(tipset) => self.apply(tipset),
        }
    }

    /// Trusts a yes; collects what is to be written after a no, children first.
    fn ensure(&mut self, id: Id, batch: &mut Vec<Id>) -> Result<bool, Broken> {
        if batch.contains(&id) {
            return Ok(true);
        }
        let Some(there) = self.ask(id)? else { return Ok(false) };
        if there {
            return Ok(true);
        }
        for link in self.world.universe.blocks[id].links.clone() {
            if !self.ensure(link, batch)? {
                return Ok(false);
            }
        }
        batch.push(id);
        if batch.len() >= self.world.options.batch {
            let full = std::mem::take(batch);
            return self.put(&full);
        }
        Ok(true)
    }

    /// What `has` says; `None` if it failed.
    fn ask(&mut self, id: Id) -> Result<Option<bool>, Broken> {
        self.beside_rest("has");
        let excuses = self.world.wire.excuses();
        let cid = self.world.universe.cid(id);
        let said = self.store.has(&cid);
        self.world.trace.line(format!("has b{id}: {}", shown(&said)));
        match said {
            Ok(true) => {
                self.world.rely(id, "has")?;
                Ok(Some(true))
            }
            Ok(false) => {
                self.world.must_not_miss(id, "has")?;
                Ok(Some(false))
            }
            Err(error) => self.excused(excuses, "has", &Error::Port(error)).map(|()| None),
        }
    }

    /// Writes blocks as one batch; whether it went through.
    pub(crate) fn put(&mut self, ids: &[Id]) -> Result<bool, Broken> {
        if ids.is_empty() {
            return Ok(true);
        }
        let again = ids.iter().any(|id| self.world.in_hot(*id));
        let fresh: Vec<Id> = ids.iter().copied().filter(|id| !self.world.there(*id)).collect();
        self.world.oracle.fresh.extend(fresh);
        self.beside_rest(if again { "put again" } else { "put" });
        let excuses = self.world.wire.excuses();
        let blocks: Vec<Block<'_>> = ids
            .iter()
            .map(|id| &self.world.universe.blocks[*id])
            .map(|block| Block { cid: block.cid, data: &block.data })
            .collect();
        let put = self.store.put_many(&blocks);
        self.world.trace.line(format!("put {ids:?}: {}", shown(&put)));
        self.world.coverage.count("act: put");
        if let Err(error) = put {
            return self.excused(excuses, "put", &Error::Port(error)).map(|()| false);
        }
        for id in ids {
            self.world.wrote(*id);
        }
        Ok(true)
    }

    fn apply(&mut self, tipset: TipsetId) -> Result<bool, Broken> {
        let world = &mut *self.world;
        let (revert, apply) = world.way(world.node.head, tipset);
        world.trace.line(format!("head t{tipset}: {} back, {} on", revert.len(), apply.len()));
        let lowest = revert.last().map(|id| world.node.tipsets[*id].height);
        let head = world.node.tipsets[world.node.head].height;
        world.coverage.count(match lowest {
            None => "act: sync",
            Some(lowest) if lowest + world.options.finality >= head => "act: reorg within finality",
            Some(_) => "act: reorg beyond finality",
        });
        if world.leaving == Leaving::UnderWay && !revert.is_empty() {
            world.leaving = Leaving::No;
            world.coverage.count("act: leave what a transfer was for");
        }
        let before = std::mem::replace(&mut world.node.head, tipset);
        world.head_moved();
        world.set_time();
        let told = self.tell_head(&revert, &apply)?;
        if !told {
            // A head that the store was not told of is none: the node tries again.
            let world = &mut *self.world;
            world.node.head = before;
            world.head_moved();
            let before = world.universe.tipset(world.node.tipset(before));
            world.chain.place(before.expect("a head has headers"));
        }
        Ok(told)
    }

    /// Tells the store of a head change, and holds what it decides against the gates; whether it was told.
    pub(crate) fn tell_head(&mut self, revert: &[TipsetId], apply: &[TipsetId]) -> Result<bool, Broken> {
        self.beside_rest("head change");
        let world = &mut *self.world;
        let tell = |ids: &[TipsetId]| {
            ids.iter().filter_map(|id| world.universe.tipset(world.node.tipset(*id))).collect::<Vec<_>>()
        };
        let change = HeadChange { revert: tell(revert), apply: tell(apply) };
        let head = change.apply.last().expect("somebody applies something").clone();
        let excuses = world.wire.excuses();
        world.chain.place(head.clone());
        let room = world.room();
        world.node.ever_reverted.extend(revert);
        match self.store.head_change(&change) {
            Err(error) => return self.excused(excuses, "a head change", &error).map(|()| false),
            Ok(decision) => self.decided(&head, decision.as_ref(), room)?,
        }
        self.world.node.reverted.extend(revert);
        self.world.head_moved();
        for id in apply.iter().flat_map(|id| self.world.node.tipset(*id).to_vec()).collect::<Vec<_>>() {
            self.world.rely(id, "applied")?;
        }
        Ok(true)
    }

    fn decided(&mut self, head: &Tipset, decision: Option<&Decision>, room: Room) -> Verdict {
        let world = &mut *self.world;
        let height = head.height.height();
        world.see_head(height, head.timestamp);
        // Before anything may fail: the store has seen it, too.
        world.gates.see_room(room);
        let Ok(Some(base)) = self.store.info().map(|info| info.base) else { return Ok(()) };
        let (options, now) = (world.options, world.clock.elapsed());
        let asks = world.gates.ask(&options, height.saturating_sub(base.height()), now);
        let said = decision.and_then(Asks::of);
        if said != Some(asks) {
            let what = format!("at height {height} it is {said:?} and should be {asks:?}");
            return Err(Broken::new("a head change is judged by the gates", what));
        }
        world.coverage.count(format!("gate: {}", asks.name()));
        if room == Room::Short && asks == Asks::Compact {
            world.coverage.count("gate: pressed");
        }
        self.wanted |= asks == Asks::Compact && self.run.is_none();
        Ok(())
    }

    fn sync(&mut self) {
        let known = self.world.universe.blocks.len();
        let new = self.world.draw_tipset(Some(self.world.node.head));
        let mut errands = self.world.errands_of(new);
        errands.push(Errand::Apply(new));
        self.world.trace.line(format!("t{new} comes in"));
        self.world.tell_blocks(known);
        self.world.give(errands);
    }

    /// Whether the node has a chain to leave before a run begins; it sets out to.
    pub(crate) fn leaves_first(&mut self) -> bool {
        match self.world.leaving {
            Leaving::No => return false,
            Leaving::Due => {
                self.world.leaving = Leaving::UnderWay;
                self.reorganise();
            }
            Leaving::UnderWay if self.world.node.task.is_none() => self.world.leaving = Leaving::No,
            Leaving::UnderWay => {}
        }
        self.world.node.task.is_some()
    }

    /// Leaves the head for another fork that is at least as high, new or known.
    pub(crate) fn reorganise(&mut self) {
        let world = &mut *self.world;
        let far = usize::try_from(world.options.reorg).unwrap_or(1);
        let mut back = if world.leaving == Leaving::UnderWay { far } else { world.dice.between(1, far) };
        let head = &world.node.tipsets[world.node.head];
        let height = head.height;
        let mut fork = world.node.head;
        while let Some(parent) = world.node.tipsets[fork].parent.filter(|_| back > 0)
            && world.node.tipsets[parent].height + world.options.reorg >= height
        {
            fork = parent;
            back -= 1;
        }
        let known: Vec<TipsetId> = (0..world.node.tipsets.len())
            .filter(|id| *id != world.node.head && world.node.tipsets[*id].height >= height)
            .filter(|id| world.is_above(*id, fork))
            .collect();
        let mut tip = match world.dice.pick(&known) {
            Some(known) if world.dice.clone().percent(60) => *known,
            _ => fork,
        };
        while world.node.tipsets[tip].height < height {
            tip = world.draw_tipset(Some(tip));
        }
        if tip == world.node.head {
            return;
        }
        let (_, apply) = world.way(world.node.head, tip);
        let mut errands = Vec::new();
        for tipset in apply {
            errands.extend(world.errands_of(tipset));
        }
        errands.push(Errand::Apply(tip));
        world.trace.line(format!("a fork at t{fork} leads to t{tip}"));
        world.give(errands);
    }

    /// What a virtual machine does: asks for an old subtree, trusts a yes, and puts something new on top.
    pub(crate) fn rely_on_an_old_subtree(&mut self) {
        let old = self.world.old_subtree();
        let top = self.world.universe.list(9, vec![old]);
        self.world.coverage.count("act: build on an old subtree");
        self.world.give(vec![Errand::Ensure(old), Errand::Ensure(top), Errand::Ensure(top)]);
    }

    /// A new subtree of which the top is there long before what is below it.
    pub(crate) fn write_parents_first(&mut self) {
        let old = self.world.old_subtree();
        let below = self.world.universe.list(8, vec![old]);
        let top = self.world.draw_parent_of(below);
        self.world.coverage.count("act: write parents first");
        let mut errands = vec![Errand::WriteBare(top)];
        errands.extend(vec![Errand::Rest; self.world.dice.below(12)]);
        errands.extend([Errand::Ensure(below), Errand::Ensure(top)]);
        self.world.give(errands);
    }

    /// Puts something new on top of an old subtree, and asks for that only then.
    pub(crate) fn build_on_what_is_old(&mut self) -> Verdict {
        let old = self.world.old_subtree();
        if !self.world.is_whole(old) || !self.world.is_free() {
            return Ok(());
        }
        let top = self.world.universe.list(7, vec![old]);
        self.world.give(vec![Errand::WriteBare(top), Errand::Ensure(old), Errand::Ensure(top)]);
        self.node_turn()
    }

    /// A node that hears of no failed sync brings an old subtree, which is durable then.
    pub(crate) fn write_again(&mut self) -> Verdict {
        let old = self.world.old_subtree();
        self.errand(Errand::Write(old))?;
        self.flush()
    }

    pub(crate) fn read_something(&mut self) -> Verdict {
        let ask = self.world.draw_question();
        self.read_now(ask)
    }

    pub(crate) fn read_what_is_old(&mut self) -> Verdict {
        let ask = self.world.draw_old_question();
        self.read_now(ask)
    }

    fn read_now(&mut self, ask: Question) -> Verdict {
        let excuses = self.world.wire.excuses();
        let answer = ask.put_to(self.store, &self.world.universe);
        self.judge(&ask, answer, excuses, Due::Yes)
    }

    /// A message arrives: it is written, and then a protector names it.
    pub(crate) fn add_to_pool(&mut self) -> Verdict {
        let message = self.world.draw_list(2);
        let mut all = Vec::new();
        self.world.bottom_up(message, &mut all);
        if self.put(&all)? {
            let world = &mut *self.world;
            let at = world.dice.below(world.pools.len());
            let pool = &mut world.pools[at];
            pool.ids.push(message);
            if pool.ids.len() > 3 {
                pool.ids.remove(0);
            }
            pool.tell(&world.universe);
        }
        self.world.coverage.count("act: protector");
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Verdict {
        let excuses = self.world.wire.excuses();
        let flushed = self.store.flush();
        self.world.coverage.count("act: flush");
        self.world
            .trace
            .line(format!("flush: {}", flushed.as_ref().map_or_else(|e| told(e), |()| "done".into())));
        match flushed {
            Ok(()) => self.world.flushed(),
            Err(error) => self.excused(excuses, "flush", &error)?,
        }
        Ok(())
    }
}

pub(crate) fn shown<T: std::fmt::Debug>(result: &splitstore_ports::Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => told(error),
    }
}

impl World {
    /// Whether it takes a new task: nodes seldom change their mind in the middle of one.
    pub(crate) fn is_free(&mut self) -> bool {
        self.node.task.is_none() || self.dice.percent(15)
    }

    /// A run began: what was asked before it is owed no more, so all is asked again. Until the seal nothing goes, so
    /// it may be asked later, and what is applied or written meanwhile keeps what is below it.
    fn take_up(&mut self, task: &mut Task) {
        let same = task.seals == self.events.seals();
        let is_next = task.run + 1 == self.runs;
        if task.is_old && (!same || task.run != self.runs) {
            task.is_old = false;
            task.next = 0;
        } else if task.run != self.runs {
            task.is_old = is_next && same && task.next > 0 && self.dice.percent(30);
            if task.is_old {
                self.coverage.count("act: go on without asking again");
            } else {
                task.next = 0;
            }
        }
        task.run = self.runs;
        task.seals = self.events.seals();
    }

    /// A new task takes the place of an old one: nodes change their mind.
    pub(crate) fn give(&mut self, errands: Vec<Errand>) {
        self.node.task =
            Some(Task { errands, next: 0, run: self.runs, seals: self.events.seals(), is_old: false });
    }

    pub(crate) fn wrote(&mut self, id: Id) {
        self.absorb();
        let below = self.below(id);
        self.oracle.written.extend(&below);
        self.oracle.owe(below, id, "put");
    }

    /// Who writes a block whose children are absent knows that they are, and brings them.
    fn promise_what_is_missing_below(&mut self, id: Id) {
        self.absorb();
        for link in &self.universe.blocks[id].links {
            if !self.there(*link) {
                self.oracle.deleted.remove(link);
            } else if self.events.is_sealed() && !self.is_whole(*link) {
                // It is hidden: to whoever asks it is as absent as the others.
                self.oracle.promised.insert(*link);
            }
        }
    }

    pub(crate) fn flushed(&mut self) {
        self.absorb();
        let there: Vec<Id> = (0..self.universe.blocks.len()).filter(|id| self.there(*id)).collect();
        self.oracle.flushed.extend(there);
        self.oracle.carried = self.oracle.written.clone();
        self.node.durable_head = self.node.head;
    }

    pub(crate) fn must_not_miss(&self, id: Id, who: &str) -> Verdict {
        let oracle = &self.oracle;
        // Where everything that leaves hot is in cold, nothing that is there is ever missed.
        if self.loses_nothing() || oracle.live.contains(&id) || oracle.owed.contains(&id) {
            let what = format!("{who} of b{id} finds nothing");
            // What is live but was never brought in yet is no loss.
            if self.there(id) {
                return Err(Broken::new("law 1: what must be readable shows", what));
            }
        }
        Ok(())
    }

    /// The block and all below it, children first; of a header only itself.
    pub(crate) fn bottom_up(&self, id: Id, all: &mut Vec<Id>) {
        for link in &self.universe.blocks[id].links {
            self.bottom_up(*link, all);
        }
        if !all.contains(&id) {
            all.push(id);
        }
    }

    /// From one head to another: tipsets to revert, newest first, and to apply, oldest first.
    fn way(&self, from: TipsetId, to: TipsetId) -> (Vec<TipsetId>, Vec<TipsetId>) {
        let (old, new) = (self.line(from), self.line(to));
        let revert = old.iter().filter(|id| !new.contains(id)).copied().collect();
        let mut apply: Vec<_> = new.iter().filter(|id| !old.contains(id)).copied().collect();
        apply.reverse();
        (revert, apply)
    }

    /// A tipset and all below it.
    pub(crate) fn line(&self, from: TipsetId) -> Vec<TipsetId> {
        std::iter::successors(Some(from), |id| self.node.tipsets[*id].parent).collect()
    }

    fn is_above(&self, tip: TipsetId, fork: TipsetId) -> bool {
        self.line(tip).contains(&fork)
    }

    /// What a run walks as headers: of the chain, and of the forks beside it.
    pub(crate) fn headers_of_chain(&self) -> std::collections::BTreeSet<Id> {
        let tips = self.node.ever_reverted.iter().chain(std::iter::once(&self.node.head));
        let tipsets = tips.flat_map(|tip| self.line(*tip));
        tipsets.flat_map(|id| self.node.tipset(id).to_vec()).collect()
    }
}
