//! A purge that rewrites hot: the engine's side, which may be cut short anywhere, and what a node does in the middle of it.
//!
//! ```text
//!   schedule's thread   step { doom, rewrite { k? k? .. wait .. k? k? } .. }
//!   a second one                              '- put | ask and trust | read, judged as ever; then the first goes on
//! ```
//! Only one of the two runs at a time, so a seed replays exactly.
//!
//! In some seeds the engine passes over a quarter of the keys, and says that it has rewritten the range; in some it asks about
//! that quarter as well, and leaves it all the same.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;
use splitstore_domain::{BlockKey, Phase, PurgeStrategy};
use splitstore_memory::MemoryStore;
use splitstore_orchestrator::{Result as Stepped, Run, Step};
use splitstore_ports::{Doomed, KeyRange, KeyScan, PortError, Result};

use crate::broken::Verdict;
use crate::life::Life;
use crate::node::Errand;
use crate::universe::Id;
use crate::wire::{NODE, Port, REWRITE, Wire};

/// Lets somebody else take a turn at the so manieth place of a rewrite.
pub(crate) struct Interlude {
    pub(crate) after: usize,
    ask: Sender<()>,
    done: Receiver<()>,
}

impl Interlude {
    fn take_turn(&self) {
        if self.ask.send(()).is_ok() {
            // An error says that the other one has ended, too.
            let _ = self.done.recv();
        }
    }
}

/// About which blocks a rewrite asks before it says that it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    AboutAll,
    /// A quarter of them is passed over.
    AboutMost,
    /// The same quarter is asked about, and stays.
    InVain,
}

/// What the engine asks: tells the wire of what goes, as it is decided, and fails when it is told to. What was decided
/// before goes all the same, as files go that were written before.
pub(crate) struct Told {
    doomed: Arc<dyn Doomed>,
    wire: Wire,
    hot: MemoryStore,
    range: KeyRange,
    asks: Asks,
    failed: Mutex<Option<PortError>>,
}

impl Told {
    pub(crate) fn new(
        doomed: Arc<dyn Doomed>,
        wire: &Wire,
        hot: &MemoryStore,
        range: &KeyRange,
        asks: Asks,
    ) -> Self {
        let failed = Mutex::default();
        Self { doomed, wire: wire.clone(), hot: hot.clone(), range: range.clone(), asks, failed }
    }

    /// What is doomed and still there is as good as gone: for walks it is.
    pub(crate) fn tell_what_goes(&self) -> Result<()> {
        let mut entries = Vec::new();
        self.hot.keys()?.next_batch(&mut entries, usize::MAX)?;
        let inside =
            entries.into_iter().map(|entry| entry.key).filter(|key| self.range.holds(key.as_bytes()));
        self.wire.go(inside.filter(|key| self.doomed.is_doomed(key.as_bytes())).collect());
        Ok(())
    }

    /// Why it stopped in the middle, if it did.
    pub(crate) fn outcome(&self) -> Result<()> {
        self.failed.lock().take().map_or(Ok(()), Err)
    }

    /// A place between two decisions.
    fn place(&self) {
        if let Some(interlude) = self.wire.interlude()
            && self.tell_what_goes().is_ok()
        {
            interlude.take_turn();
        }
    }

    fn decides(&self, key: BlockKey) -> Result<()> {
        self.wire.effect(Port::Hot, REWRITE)?;
        self.wire.deletes(&[key]);
        Ok(())
    }
}

impl Doomed for Told {
    fn is_doomed(&self, key: &[u8]) -> bool {
        let passed_over = self.asks != Asks::AboutAll && key.last().is_some_and(|last| last % 4 == 0);
        if passed_over || self.failed.lock().is_some() {
            if self.asks == Asks::InVain {
                self.doomed.is_doomed(key);
            }
            return false;
        }
        self.place();
        let (true, Ok(key)) = (self.doomed.is_doomed(key), BlockKey::from_bytes(key)) else { return false };
        if let Err(error) = self.decides(key) {
            *self.failed.lock() = Some(error);
            return false;
        }
        self.place();
        true
    }
}

impl Life<'_, '_> {
    /// One step of the run; perhaps with somebody who takes a turn while it rewrites hot.
    pub(crate) fn step_run(&mut self, phase: Phase) -> (Option<Stepped<Step>>, Verdict) {
        let rewrites = phase == Phase::Purge && self.world.options.purge() != PurgeStrategy::Delete;
        if !rewrites || !self.world.dice.percent(self.world.options.interludes) {
            return (self.run.as_mut().map(Run::step), Ok(()));
        }
        let wire = self.world.wire.clone();
        let (store, world) = (self.store, &mut *self.world);
        let Some(run) = &mut self.run else { return (None, Ok(())) };
        let of = if run.resumes() { "a resumed rewrite" } else { "a rewrite" };
        let (ask, asked) = channel();
        let (go, done) = channel();
        let most = [4, 40][world.dice.below(2)];
        let after = world.dice.below(most);
        wire.interrupt(Interlude { after, ask, done });
        std::thread::scope(|scope| {
            let beside = scope.spawn(move || {
                let acted = asked.recv().map_or(Ok(()), |()| Life::new(store, world).act_beside(of));
                drop(go);
                acted
            });
            let stepped = run.step();
            wire.uninterrupt();
            let acted = beside.join();
            (Some(stepped), acted.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// The engine is in the middle of a rewrite.
    fn act_beside(&mut self, of: &str) -> Verdict {
        let place = self.world.wire.place();
        self.world.wire.set_place(NODE);
        self.world.absorb();
        let acted = self.act_on_what_goes(of);
        self.world.absorb();
        self.world.wire.set_place(place);
        acted
    }

    fn act_on_what_goes(&mut self, of: &str) -> Verdict {
        let what = match self.world.dice.below(4) {
            0 | 1 => {
                let id = self.something_that_goes();
                self.errand(Errand::Write(id))?;
                "put"
            }
            2 => {
                let id = self.something_that_goes();
                let top = self.world.draw_parent_of(id);
                if self.errand(Errand::Ensure(id))? {
                    self.errand(Errand::Ensure(top))?;
                }
                "ask and trust"
            }
            _ => {
                self.read_something()?;
                "read"
            }
        };
        self.world.coverage.count(format!("beside {of}: {what}"));
        Ok(())
    }

    /// A subtree of which a part is on its way out, if there is one.
    fn something_that_goes(&mut self) -> Id {
        let world = &mut *self.world;
        let goes = |root: &&Id| {
            let mut all = Vec::new();
            world.bottom_up(**root, &mut all);
            all.iter().any(|id| world.oracle.going.contains(id))
        };
        let some: Vec<Id> = world.node.subtrees.iter().filter(goes).copied().collect();
        match world.dice.pick(&some) {
            Some(id) => *id,
            None => world.old_subtree(),
        }
    }
}
