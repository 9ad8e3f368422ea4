//! What a power cut takes back, once the process is dead: any subset of what the ledger says is owed.
//!
//! | owed | becomes, by chance |
//! |---|---|
//! | data after the last sync | gone, whole, a part of it, or some sectors of it and zeros up to the length |
//! | the name of a new file or folder | gone, or kept |
//! | a removal | undone, or kept |

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::Dice;
use crate::ledger::{Name, Owed, State, removed_folder, replay};

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// What was taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Files that lost data.
    pub shortened: u64,
    /// Files and folders that lost their names.
    pub vanished: u64,
    /// Files and folders that were removed and came back.
    pub returned: u64,
}

/// Takes back what the ledger of a dead process leaves open, and removes the ledger. Nothing, where there is none.
pub fn settle(ledger: &Path, dice: &mut Dice) -> io::Result<Settled> {
    if !ledger.exists() {
        return Ok(Settled::default());
    }
    let mut cut = Cut { state: replay(ledger)?, dice, settled: Settled::default() };
    let removed = removed_folder(ledger);
    cut.undo_removals(&removed)?;
    cut.lose_folders()?;
    cut.lose_data()?;
    let settled = cut.settled;
    // The kill may have come before the folder was made.
    remove(&removed)?;
    fs::remove_file(ledger)?;
    Ok(settled)
}

struct Cut<'a> {
    state: State,
    dice: &'a mut Dice,
    settled: Settled,
}

impl Cut<'_> {
    fn undo_removals(&mut self, removed: &Path) -> io::Result<()> {
        for (path, number) in std::mem::take(&mut self.state.removed) {
            let kept = removed.join(number.to_string());
            // The kill may have come before the removal.
            if kept.exists() && path.parent().is_some_and(Path::exists) && self.dice.below(2) == 0 {
                remove(&path)?;
                self.state.forget(&path);
                fs::rename(kept, path)?;
                self.settled.returned += 1;
            }
        }
        Ok(())
    }

    fn lose_folders(&mut self) -> io::Result<()> {
        for path in self.state.folders.clone() {
            if path.exists() && self.dice.below(2) == 0 {
                remove(&path)?;
                self.state.forget(&path);
                self.settled.vanished += 1;
            }
        }
        Ok(())
    }

    fn lose_data(&mut self) -> io::Result<()> {
        for (path, owed) in std::mem::take(&mut self.state.files) {
            let Some(len) = fs::metadata(&path).ok().map(|found| found.len()) else { continue };
            if owed.name == Name::Loose && self.dice.below(2) == 0 {
                remove(&path)?;
                self.settled.vanished += 1;
            } else if owed.durable < len {
                self.shorten(&path, owed, len)?;
            }
        }
        Ok(())
    }

    fn shorten(&mut self, path: &Path, owed: Owed, len: u64) -> io::Result<()> {
        let part = owed.durable + self.dice.below(len - owed.durable);
        let file = OpenOptions::new().write(true).open(path)?;
        match self.dice.below(4) {
            0 => return Ok(()),
            1 => file.set_len(owed.durable)?,
            2 => file.set_len(part)?,
            _ => {
                file.set_len(part.next_multiple_of(SECTOR).min(len))?;
                file.set_len(len)?;
            }
        }
        self.settled.shortened += 1;
        Ok(())
    }
}

/// Removes a file or a folder with all it holds; what is not there is gone already.
fn remove(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        gone => gone,
    }
}
