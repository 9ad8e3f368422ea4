//! Recovery is a function of what is on the machine, and once is enough.
//!
//! ```text
//!   machine after a crash -+-> open ------------------------------> A    all the same: hot, cold, cells, files
//!                          +-> open, power cut, open -------------> A
//!                          '-> killed in the middle of open, open -> A
//! ```
//! Each open ends with the purge that a sealed run left.

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
        if self.open_to_the_end(&cut, &wire).is_err() {
            self.coverage.count("recovery: cut short");
        }
        cut.crash(&mut self.dice);
        let again = self.recover(&cut)?;
        same(&recovered, &again, "a recovery that was cut short")
    }

    fn recover(&self, machine: &Machine) -> Result<Picture, Broken> {
        match self.open_to_the_end(machine, &Wire::default()) {
            Ok(()) => Ok(machine.picture()),
            Err(error) => Err(Broken::new("the store always opens", told(&error))),
        }
    }

    /// Opens the store and finishes what a sealed run left.
    fn open_to_the_end(&self, machine: &Machine, wire: &Wire) -> splitstore_orchestrator::Result<()> {
        let store = SplitStore::open(self.components(machine, wire), self.options.of_store())?;
        if let Some(mut rest) = store.begin_rest()? {
            while !rest.is_over() {
                rest.step()?;
            }
        }
        Ok(())
    }
}

fn same(first: &Picture, second: &Picture, what: &str) -> Verdict {
    match first.difference(second) {
        None => Ok(()),
        Some(difference) => Err(Broken::new(LAW, format!("{what} differs: {difference}"))),
    }
}
