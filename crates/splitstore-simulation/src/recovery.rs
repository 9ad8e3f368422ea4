//! Recovery is a function of what is on the machine, and once is enough.
//!
//! ```text
//!   machine after a crash -+-> open ------------------------------> A    all the same: hot, cold, cells, files
//!                          +-> open, power cut, open -------------> A
//!                          '-> killed in the middle of open, open -> A
//! ```
//! Each open ends with the purge that a sealed run left. Where there is one, a copy of the machine also loses the end of
//! a file that the purge goes by, from between two records on: then nothing may be deleted on its strength.

use std::io::Read;
use std::path::{Path, PathBuf};

use splitstore_memory::MemoryFiles;
use splitstore_orchestrator::{Error, SplitStore};
use splitstore_ports::FileSystem;

use crate::broken::{Broken, Verdict};
use crate::dice::Dice;
use crate::life::told;
use crate::machine::{FOLDER, Machine, Picture};
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
        same(&recovered, &again, "a recovery that was cut short")?;
        WHOLE_FILES.iter().try_for_each(|name| self.refuses_a_cut(name))
    }

    /// A file that lacks its last records is not taken for whole: the store stays closed and names it, or the run's folder
    /// is set aside.
    fn refuses_a_cut(&mut self, name: &'static str) -> Verdict {
        let machine = self.machine.fork();
        let Some(path) = file_of_run(&machine.files, name) else { return Ok(()) };
        if !cut_between_records(&machine.files, &path, &mut self.dice) {
            return Ok(());
        }
        let before = machine.picture();
        let opened = self.open_to_the_end(&machine, &Wire::default());
        let law = "law 7: no deletion follows from a file that is cut";
        match before.hot_lacks_of(&machine.picture()) {
            Some(key) => return Err(Broken::new(law, format!("{key} is gone, the {name} were cut"))),
            None => self.coverage.count(format!("damage: {name} are cut")),
        }
        match opened {
            Ok(()) | Err(Error::DamagedFile { .. }) => Ok(()),
            Err(error) => Err(Broken::new("damage is named with its file", told(&error))),
        }
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

/// Files of a run that are of use only as a whole.
const WHOLE_FILES: [&str; 2] = ["candidates", "marks"];

/// The file of this name of a run that is on disk, if there is one with a journal.
fn file_of_run(files: &MemoryFiles, name: &str) -> Option<PathBuf> {
    let work = Path::new(FOLDER).join("work");
    let runs = files.list(&work).ok()?.into_iter().filter(|name| name.starts_with("compaction-"));
    runs.map(|run| work.join(run).join(name)).find(|path| matches!(files.open(path), Ok(Some(_))))
}

/// Takes the last records of a file, or all of them; whether there were any.
fn cut_between_records(files: &MemoryFiles, path: &Path, dice: &mut Dice) -> bool {
    let mut bytes = Vec::new();
    if let Ok(Some(mut file)) = files.open(path) {
        file.read_to_end(&mut bytes).expect("memory reads");
    }
    // The head of the file; of each record its length and checksum.
    let (mut at, mut ends) = (16, Vec::new());
    while let Some(len) = bytes.get(at..at + 12).and_then(|head| head.first_chunk::<4>()) {
        ends.push(at as u64);
        at += 12 + usize::try_from(u32::from_le_bytes(*len)).unwrap_or(0);
    }
    let end = dice.pick(&ends).copied();
    end.is_some_and(|end| files.truncate(path, end).is_ok())
}

fn same(first: &Picture, second: &Picture, what: &str) -> Verdict {
    match first.difference(second) {
        None => Ok(()),
        Some(difference) => Err(Broken::new(LAW, format!("{what} differs: {difference}"))),
    }
}
