//! Crashes, faults, cancelled runs.

use splitstore_domain::ByteCount;
use splitstore_ports::ErrorKind;

use crate::broken::{Broken, Verdict};
use crate::life::{End, Life};
use crate::wire::{Access, Fault, Port};

impl Life<'_, '_> {
    /// Kills the process now, or at some effect to come.
    pub(crate) fn sabotage(&mut self) -> Option<End> {
        if self.world.dice.percent(40) {
            let moment = self.moment();
            self.world.coverage.count(format!("crash between: {moment}"));
            self.world.trace.line(format!("killed between two steps, in {moment}"));
            self.world.wire.kill();
            return Some(End::Died);
        }
        let most = [6, 25][self.world.dice.below(2)];
        let effects = self.world.dice.below(most) as u64;
        self.world.trace.line(format!("the fuse burns after {effects} effects"));
        self.world.wire.burn_after(effects);
        None
    }

    /// One call to come will fail.
    pub(crate) fn order_fault(&mut self) {
        if self.world.dice.percent(5) {
            let free = self.world.dice.percent(50).then_some(ByteCount(100));
            self.world.trace.line(format!("free space is {free:?}"));
            return self.world.files.set_free_space(free);
        }
        let port = Port::ALL[self.world.dice.below(4)];
        let access = if self.world.dice.percent(30) { Access::Read } else { Access::Effect };
        let kind = if access == Access::Effect && self.world.dice.percent(50) {
            ErrorKind::Full
        } else {
            ErrorKind::Unavailable
        };
        let most = [2, 8][self.world.dice.below(2)];
        let nth = self.world.dice.between(1, most) as u64;
        self.world.trace.line(format!("{access:?} {nth} of {} will fail: {kind}", port.name()));
        self.world.wire.order(Fault { port, access, kind, nth });
    }

    /// Cancels a run that has not sealed.
    pub(crate) fn cancel(&mut self) {
        if self.run.is_some() && self.world.dice.percent(20) {
            let moment = self.moment();
            self.world.trace.line(format!("the run is dropped in {moment}"));
            self.world.coverage.count("act: drop a run");
            self.run = None;
        }
    }

    /// Ends the process in good order.
    pub(crate) fn close(&mut self) -> End {
        self.run = None;
        for held in std::mem::take(&mut self.held) {
            held.abandon();
        }
        let closed = self.store.close();
        self.world.coverage.count("act: close");
        let ended = if closed.is_ok() { "closed" } else { "closed with an error" };
        self.world.trace.line(ended);
        if closed.is_ok() {
            self.world.flushed();
        }
        End::Closed
    }

    /// Two runs that nobody disturbs: then hot holds what the table says, and nothing else.
    pub(crate) fn quiet_end(&mut self) -> Verdict {
        self.world.wire.calm();
        self.world.pool.lock().clear();
        self.world.pooled.clear();
        self.world.oracle.leaves.clear();
        for _ in 0..2 {
            let before = self.world.runs;
            loop {
                self.step()?;
                self.world.check()?;
                if self.run.is_none() && self.world.runs > before {
                    break;
                }
            }
        }
        let (hot, live) = (self.world.hot_ids(), &self.world.oracle.live);
        if let Some(id) = hot.difference(live).next() {
            let what = format!("b{id} is dead and still in hot after two runs that nobody disturbed");
            return Err(Broken::new("what is dead goes", what));
        }
        if let Some(id) = live.difference(&hot).find(|id| !self.world.there(**id)) {
            return Err(Broken::new("law 1: what is live is readable", format!("b{id}")));
        }
        Ok(())
    }
}
