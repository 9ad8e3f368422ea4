//! What a disk owes: for each file and name, how much of it is durable.
//!
//! ```text
//!   <letter> <number> <path>\n     a line per fact, written in one call, before the deed or after the sync
//!   F  len    a file that was there: all of it, and its name, are durable
//!   N  0      a new file: neither data nor name is durable
//!   L  len    so many bytes of it are durable
//!   G  0      a new folder; its name is not durable
//!   T  n      removed, and kept as number n until that is durable
//!   S  0      names in this folder are durable, and so are removals
//! ```
//! A kill can only lose lines whose deed was not done or whose sync had not returned.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    Found(u64),
    NewFile,
    Durable(u64),
    NewFolder,
    Removed(u64),
    NamesDurable,
}

/// How much of a file is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) durable: u64,
    pub(crate) name: Name,
}

/// Whether a name is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Durable,
    Loose,
}

/// All facts together.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) files: BTreeMap<PathBuf, Owed>,
    /// New folders whose names are loose.
    pub(crate) folders: BTreeSet<PathBuf>,
    /// What was removed and may come back, with its number.
    pub(crate) removed: BTreeMap<PathBuf, u64>,
}

impl State {
    pub(crate) fn apply(&mut self, fact: Fact, path: &Path) {
        match fact {
            Fact::Found(durable) => {
                self.files.entry(path.into()).or_insert(Owed { durable, name: Name::Durable });
            }
            Fact::NewFile => {
                self.files.insert(path.into(), Owed { durable: 0, name: Name::Loose });
            }
            Fact::Durable(len) => {
                let name = self.files.get(path).map_or(Name::Durable, |owed| owed.name);
                self.files.insert(path.into(), Owed { durable: len, name });
            }
            Fact::NewFolder => {
                self.folders.insert(path.into());
            }
            Fact::Removed(number) => {
                self.forget(path);
                self.removed.insert(path.into(), number);
            }
            Fact::NamesDurable => self.names_durable(path),
        }
    }

    fn names_durable(&mut self, folder: &Path) {
        let inside = |path: &Path| path.parent() == Some(folder);
        self.files
            .iter_mut()
            .filter(|(path, _)| inside(path))
            .for_each(|(_, owed)| owed.name = Name::Durable);
        self.folders.retain(|path| !inside(path));
        self.removed.retain(|path, _| !inside(path));
    }

    /// Nothing is owed for a path, nor for what is below it.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.files.retain(|other, _| !other.starts_with(path));
        self.folders.retain(|other| !other.starts_with(path));
    }
}

/// The ledger of a process that runs, with the folder for what it removed.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: File,
    removed: PathBuf,
    next: u64,
    pub(crate) state: State,
}

impl Ledger {
    /// A new ledger at `path`, replacing what was there: all that is on disk now counts as durable.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
        let removed = removed_folder(path);
        fs::create_dir_all(&removed)?;
        Ok(Self { file, removed, next: 0, state: State::default() })
    }

    pub(crate) fn note(&mut self, fact: Fact, path: &Path) -> io::Result<()> {
        let (letter, number) = letter(fact);
        let path_text = path.to_str().filter(|text| !text.contains('\n'));
        let text = path_text.ok_or_else(|| io::Error::other("a path that is not one line of text"))?;
        self.file.write_all(format!("{letter} {number} {text}\n").as_bytes())?;
        self.state.apply(fact, path);
        Ok(())
    }

    /// Takes what is at `path` away, to be kept until its removal is durable.
    pub(crate) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let number = self.next;
        self.next += 1;
        self.note(Fact::Removed(number), path)?;
        fs::rename(path, self.removed.join(number.to_string()))
    }

    /// Names in `folder` are durable from now on.
    pub(crate) fn sync_names(&mut self, folder: &Path) -> io::Result<()> {
        self.note(Fact::NamesDurable, folder)
    }
}

/// The folder beside the ledger for what was removed.
pub(crate) fn removed_folder(ledger: &Path) -> PathBuf {
    ledger.with_extension("removed")
}

/// What a ledger says; a torn last line is dropped.
pub(crate) fn replay(ledger: &Path) -> io::Result<State> {
    let mut state = State::default();
    let text = fs::read_to_string(ledger)?;
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (fact, path) = parse(line).ok_or_else(|| io::Error::other(format!("ledger line `{line}`")))?;
        state.apply(fact, path);
    }
    Ok(state)
}

fn letter(fact: Fact) -> (char, u64) {
    match fact {
        Fact::Found(len) => ('F', len),
        Fact::NewFile => ('N', 0),
        Fact::Durable(len) => ('L', len),
        Fact::NewFolder => ('G', 0),
        Fact::Removed(number) => ('T', number),
        Fact::NamesDurable => ('S', 0),
    }
}

fn parse(line: &str) -> Option<(Fact, &Path)> {
    let mut words = line.splitn(3, ' ');
    let letter = words.next()?;
    let number = words.next()?.parse().ok()?;
    let fact = match letter {
        "F" => Fact::Found(number),
        "N" => Fact::NewFile,
        "L" => Fact::Durable(number),
        "G" => Fact::NewFolder,
        "T" => Fact::Removed(number),
        "S" => Fact::NamesDurable,
        _ => return None,
    };
    Some((fact, Path::new(words.next()?)))
}
