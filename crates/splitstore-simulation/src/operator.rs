//! What an operator does: pause, cancel, hold, start by hand, close; and what happens to the disk meanwhile.

use splitstore_domain::{ByteCount, Epoch, EpochSpan, Hold};
use splitstore_orchestrator::Error;

use crate::broken::{Broken, Verdict};
use crate::gates::Wish;
use crate::life::{End, Life};
use crate::node::Keeping;
use crate::runs::Start;
use crate::wire::Port;

const HOLDS: [&str; 3] = ["backup", "upgrade", "audit"];

impl Life<'_, '_> {
    /// One act of the operator, or of fate.
    pub(crate) fn operate(&mut self) -> Result<Option<End>, Broken> {
        match self.world.dice.below(16) {
            0 | 1 => self.pause_or_resume(),
            2 => self.cancel(),
            3 | 4 => self.hold_or_release(),
            5 | 6 => self.start_by_hand()?,
            7 | 8 => self.world.change_keeping(),
            9 | 10 => self.world.change_disk(),
            11 => self.drop_run(),
            12 => self.world.silence_a_pool(),
            13 => return self.close().map(Some),
            _ => self.some_steps_of_run()?,
        }
        Ok(None)
    }

    fn some_steps_of_run(&mut self) -> Verdict {
        for _ in 0..4 {
            self.step()?;
            if self.world.wire.is_dead() {
                break;
            }
        }
        Ok(())
    }

    fn pause_or_resume(&mut self) {
        if self.world.gates.wishes.remove(&Wish::Pause) {
            self.store.resume();
            self.world.trace.line("resumed");
        } else {
            self.store.pause();
            self.world.gates.wishes.insert(Wish::Pause);
            self.world.trace.line("paused");
        }
        self.world.coverage.count("act: pause or resume");
    }

    fn cancel(&mut self) {
        let moment = self.moment();
        self.store.cancel();
        self.world.gates.wishes.insert(Wish::Cancel);
        self.world.coverage.count(format!("act: cancel in {moment}"));
        self.world.trace.line(format!("cancelled in {moment}"));
    }

    fn hold_or_release(&mut self) {
        let name = HOLDS[self.world.dice.below(HOLDS.len())];
        let was = self.world.gates.holds.remove(name).is_some();
        if was || self.world.dice.percent(20) {
            let released = self.store.release(name);
            assert_eq!(released, was, "a hold is on until it is taken off");
            self.world.trace.line(format!("{name} released"));
            return;
        }
        let hold = self.world.draw_hold(name);
        let heights = hold.heights.map(|(from, to)| (from.height(), to.height()));
        self.world.trace.line(format!("{hold}"));
        self.world.coverage.count(format!("act: hold in {}", self.moment()));
        self.world.gates.holds.insert(name, heights);
        self.store.hold(hold);
    }

    fn start_by_hand(&mut self) -> Verdict {
        let how = if self.world.dice.percent(50) { Start::ByHand } else { Start::Dry };
        if self.run.is_none() {
            return self.begin(how);
        }
        let excuses = self.world.wire.excuses();
        let begun = self.store.begin().map(|_| ());
        match begun {
            Err(Error::Busy) => {
                self.world.coverage.count("start: busy");
                Ok(())
            }
            Err(error) => self.excused(excuses, "a second run", &error),
            Ok(()) => Err(Broken::new("law 9: one run at a time", "another began beside it")),
        }
    }

    /// Lets go of a run as a stepper may.
    fn drop_run(&mut self) {
        if self.run.is_some() {
            let moment = self.moment();
            self.world.trace.line(format!("the run is dropped in {moment}"));
            self.world.coverage.count("act: drop a run");
            self.run = None;
        }
    }

    /// Ends the process in good order, wherever its run is.
    pub(crate) fn close(&mut self) -> Result<End, Broken> {
        let moment = self.moment();
        self.world.trace.line(format!("closing in {moment}"));
        self.world.coverage.count(format!("close in: {moment}"));
        self.store.stop();
        self.world.gates.wishes.insert(Wish::Stop);
        // The run ends at its next step; in commit it may end by itself.
        self.step()?;
        self.run = None;
        if self.world.wire.is_dead() {
            return Ok(End::Died);
        }
        let excuses = self.world.wire.excuses();
        match self.store.close() {
            Ok(()) => self.world.flushed(),
            Err(error) => self.excused(excuses, "closing", &error)?,
        }
        // Reads go through to their end.
        while !self.held.is_empty() {
            self.let_one_go()?;
        }
        Ok(if self.world.wire.is_dead() { End::Died } else { End::Closed })
    }

    /// Two runs that nobody disturbs: then hot holds what the table says, and nothing else.
    pub(crate) fn quiet_end(&mut self) -> Verdict {
        self.calm_down()?;
        for _ in 0..2 {
            let before = self.world.runs;
            // Far more steps than any run takes.
            for _ in 0..20_000 {
                if self.run.is_none() {
                    self.begin(Start::ByHand)?;
                }
                self.step()?;
                if self.world.runs > before {
                    // What the rest of an earlier run has kept as a leaf, this one does not.
                    self.world.oracle.leaves.clear();
                }
                self.world.check()?;
                if self.run.is_none() && self.world.runs > before {
                    break;
                }
            }
            if self.run.is_some() || self.world.runs == before {
                return Err(Broken::new("a run that nobody disturbs ends", self.moment()));
            }
        }
        let (hot, live) = (self.world.hot_ids(), &self.world.oracle.live);
        let forked = self.world.perhaps_forked();
        if let Some(id) = hot.difference(live).find(|id| !forked.contains(id)) {
            let what = format!("b{id} is dead and still in hot after two runs that nobody disturbed");
            return Err(Broken::new("what is dead goes", what));
        }
        if let Some(id) = live.difference(&hot).find(|id| !self.world.there(**id)) {
            return Err(Broken::new("law 1: what is live is readable", format!("b{id}")));
        }
        Ok(())
    }

    /// Everybody takes back what disturbs, and the node has caught up.
    fn calm_down(&mut self) -> Verdict {
        self.run = None;
        let world = &mut *self.world;
        world.options.interludes = 0;
        world.wire.calm();
        world.machine.files.set_free_space(None);
        for pool in &mut world.pools {
            pool.ids.clear();
            pool.tell(&world.universe);
        }
        world.gates.wishes.remove(&Wish::Pause);
        world.gates.holds.clear();
        world.node.pace = Keeping::InStep;
        world.set_time();
        self.store.resume();
        for name in HOLDS {
            self.store.release(name);
        }
        let told = self.tell_head(&[], &[self.world.node.head])?;
        debug_assert!(told, "nothing fails any more");
        self.wanted = false;
        Ok(())
    }
}

impl crate::world::World {
    fn draw_hold(&mut self, name: &str) -> Hold {
        if self.dice.percent(50) {
            return Hold::manual(name);
        }
        let head = self.node.tipsets[self.node.head].height;
        let upgrade = Epoch::new(head + self.dice.below(4) as u64);
        let before = EpochSpan::new(self.dice.below(3) as u64);
        Hold::around_upgrade(name, upgrade, &[before], EpochSpan::new(self.options.finality))
    }

    fn change_keeping(&mut self) {
        self.node.pace = Keeping::draw(&mut self.dice);
        self.trace.line(format!("the node is {:?}", self.node.pace));
    }

    /// The disk fills up or empties, or one adapter takes no data for a while.
    fn change_disk(&mut self) {
        if self.dice.percent(50) {
            let free = [None, Some(100), Some(999), Some(1_000_000)][self.dice.below(4)].map(ByteCount);
            self.trace.line(format!("free space is {free:?}"));
            return self.machine.files.set_free_space(free);
        }
        let port = Port::ALL[self.dice.below(4)];
        self.trace.line(format!("{} is full, or no more", port.name()));
        self.coverage.count("act: a port is full");
        self.wire.fill(port);
    }

    fn silence_a_pool(&mut self) {
        let at = self.dice.below(self.pools.len());
        self.trace.line(format!("pool {at} falls silent"));
        self.coverage.count("act: a protector fails");
        self.pools[at].fall_silent();
    }
}
