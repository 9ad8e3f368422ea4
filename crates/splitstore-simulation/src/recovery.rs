//! Recovery is a function of what is on the machine, and once is enough.
//!
//! ```text
//!   machine after a crash -+-> open ------------------------------> A    all the same: hot, cold, cells, files
//!                          +-> open, power cut, open -------------> A
//!                          '-> killed in the middle of open, open -> A
//! ```

use splitstore_orchestrator::SplitStore;

use crate::broken::{Broken, Verdict};
use crate::life::told;
use crate::machine::{Machine, Picture};
use crate::wire::Wire;
use crate::world::World;

const LAW: &str = "law 7: recovery after recovery changes nothing";

impl World {
    /// Recovers copies of the machine in several ways.
    pub(crate) fn recovers_the_same(&mut self) -> Verdict {
        let (once, cut) = (self.machine.fork(), self.machine.fork());
        let recovered = self.recover(&once)?;
        once.crash(&mut self.dice);
        let again = self.recover(&once)?;
        self.coverage.count("recovery: once more");
        same(&recovered, &again, "a second recovery")?;
        let wire = Wire::default();
        wire.burn_after(self.dice.below(30) as u64);
        let opened = SplitStore::open(self.components(&cut, &wire), self.options.of_store());
        if opened.is_err() {
            self.coverage.count("recovery: cut short");
        }
        drop(opened);
        cut.crash(&mut self.dice);
        let again = self.recover(&cut)?;
        same(&recovered, &again, "a recovery that was cut short")
    }

    fn recover(&self, machine: &Machine) -> Result<Picture, Broken> {
        let opened = SplitStore::open(self.components(machine, &Wire::default()), self.options.of_store());
        match opened {
            Ok(_) => Ok(machine.picture()),
            Err(error) => Err(Broken::new("the store always opens", told(&error))),
        }
    }
}

fn same(first: &Picture, second: &Picture, what: &str) -> Verdict {
    match first.difference(second) {
        None => Ok(()),
        Some(difference) => Err(Broken::new(LAW, format!("{what} differs: {difference}"))),
    }
}
