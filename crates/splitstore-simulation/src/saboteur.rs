//! Crashes and faults.

use splitstore_ports::ErrorKind;

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
        let port = Port::ALL[self.world.dice.below(4)];
        let access = if self.world.dice.percent(30) { Access::Read } else { Access::Effect };
        let kind = if access == Access::Effect && self.world.dice.percent(50) {
            ErrorKind::Full
        } else {
            ErrorKind::Unavailable
        };
        let most = [2, 8][self.world.dice.below(2)];
        let nth = self.world.dice.between(1, most) as u64;
        self.world.trace.line(format!("{} {nth} of {} will fail: {kind}", access.name(), port.name()));
        self.world.wire.order(Fault { port, access, kind, nth });
    }
}
