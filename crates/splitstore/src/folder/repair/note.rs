//! What a repair leaves in a folder that it made or put aside: a note that it was one, of which hot tier, and what came of it.
//!
//! ```text
//!   hot /data/store/hot    first, and all there is in a tier that is being written
//!   gaps 0                 in the one that was given up for it
//!   lost a0e40220..        likewise, a line for each key
//!   told                   last, once somebody was told
//! ```
//! A name beside hot may be somebody else's: nothing without a note is removed or renamed, but for an empty folder. The name alone of the
//! hot tier counts, not where it lay: a store may be moved.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use splitstore_domain::BlockKey;

/// The file.
pub(super) const NAME: &str = "SPLITSTORE-REPAIR";
const UNFINISHED: &str = "SPLITSTORE-REPAIR.new";
const TOLD: &str = "told";
/// What reading a note says where there is none of ours.
const NONE: [ErrorKind; 4] =
    [ErrorKind::NotFound, ErrorKind::NotADirectory, ErrorKind::IsADirectory, ErrorKind::InvalidData];

/// What a note says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// Of a tier that was being written.
    New,
    /// Of one that was given up: what did not come along, which nobody was told yet.
    Untold(Losses),
    /// The same, and somebody was told.
    Told,
}

/// What did not come along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) lost: Vec<BlockKey>,
    pub(super) gaps: u64,
}

/// Says of a folder that it is being written, to take the place of this hot tier.
pub(super) fn begin(folder: &Path, hot: &Path) -> io::Result<()> {
    write(folder, &head(hot))
}

/// Says of a folder that it was given up for a new one.
pub(super) fn end(folder: &Path, hot: &Path, losses: &Losses) -> io::Result<()> {
    let mut text = head(hot);
    let _ = writeln!(text, "gaps {}", losses.gaps);
    for key in &losses.lost {
        let _ = writeln!(text, "lost {key}");
    }
    write(folder, &text)
}

/// Says that what the note in a folder says was told.
pub(super) fn told(folder: &Path) -> io::Result<()> {
    let text = fs::read_to_string(folder.join(NAME))?;
    write(folder, &format!("{}\n{TOLD}\n", text.trim_end()))
}

/// Takes the note out of a hot tier that stays.
pub(super) fn forget(hot: &Path) {
    for name in [NAME, UNFINISHED] {
        // It says nothing to anybody where it is.
        let _ = fs::remove_file(hot.join(name));
    }
}

/// What the note in a folder says; `None` if there is none, or one of a hot tier of another name.
pub(super) fn read(folder: &Path, hot: &Path) -> io::Result<Option<Note>> {
    let text = match fs::read_to_string(folder.join(NAME)) {
        Ok(text) => text,
        Err(error) if NONE.contains(&error.kind()) => return Ok(None),
        Err(error) => return Err(error),
    };
    let named = text.lines().next().and_then(|line| line.strip_prefix("hot "));
    let is_of_hot = named.and_then(|named| Path::new(named).file_name()) == hot.file_name();
    Ok((named.is_some() && is_of_hot).then(|| said(&text)))
}

fn said(text: &str) -> Note {
    let Some(gaps) = text.lines().find_map(|line| line.strip_prefix("gaps ")?.parse().ok()) else {
        return Note::New;
    };
    if text.lines().any(|line| line == TOLD) {
        return Note::Told;
    }
    let lost = text.lines().filter_map(|line| line.strip_prefix("lost ")?.parse().ok()).collect();
    Note::Untold(Losses { lost, gaps })
}

/// Whether a file of this name is a note, or was to become one.
pub(super) fn is_note(name: &OsStr) -> bool {
    name == OsStr::new(NAME) || name == OsStr::new(UNFINISHED)
}

/// Whether a folder is empty but for a note that was being written: who was killed while it was made or removed leaves that.
pub(super) fn is_bare(folder: &Path) -> bool {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir());
    let mut entries = fs::read_dir(folder).into_iter().flatten();
    is_folder && entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == OsStr::new(UNFINISHED)))
}

/// Removes a folder with a note, which goes last: who is killed before that leaves a folder that is known.
pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == OsStr::new(NAME) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    match fs::remove_file(folder.join(NAME)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_dir(folder)
}

fn head(hot: &Path) -> String {
    format!("hot {}\n", hot.display())
}

/// A note is there whole or as it was before.
fn write(folder: &Path, text: &str) -> io::Result<()> {
    let unfinished = folder.join(UNFINISHED);
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, folder.join(NAME))?;
    // A folder that has lost its note to a power cut would be in the way of the next repair.
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_as_it_was_written_and_is_of_one_hot_tier() {
        let folder = tempfile::tempdir().unwrap();
        let (path, hot) = (folder.path(), Path::new("/data/hot"));
        assert!(read(path, hot).unwrap().is_none());
        begin(path, hot).unwrap();
        assert!(matches!(read(path, hot).unwrap(), Some(Note::New)));
        let key: BlockKey = format!("1220{}", "ab".repeat(32)).parse().unwrap();
        let losses = Losses { lost: vec![key], gaps: 3 };
        end(path, hot, &losses).unwrap();
        assert_eq!(read(path, hot).unwrap(), Some(Note::Untold(losses)));
        assert!(read(path, Path::new("/data/hot2")).unwrap().is_none());
        told(path).unwrap();
        assert_eq!(read(path, Path::new("/moved/hot")).unwrap(), Some(Note::Told));
    }

    #[test]
    fn a_folder_is_removed_with_all_that_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("hot.whole");
        fs::create_dir_all(folder.join("deep")).unwrap();
        fs::write(folder.join("deep/file"), b"x").unwrap();
        begin(&folder, Path::new("/data/hot")).unwrap();
        remove_folder(&folder).unwrap();
        assert!(!folder.exists());
    }
}
