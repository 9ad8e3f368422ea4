//! What a repair leaves in a folder that it made or put aside: a note that it was one, of which hot tier, and what came of it.
//!
//! ```text
//!   hot /data/store/hot    first, and all there is in a tier that is being written
//!   gaps 0                 in the one that was given up for it
//!   lost a0e40220..        likewise, a line for each key
//! ```
//! A name beside hot may be somebody else's: nothing without a note is removed or renamed.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use splitstore_domain::BlockKey;

/// The file.
pub(super) const NAME: &str = "SPLITSTORE-REPAIR";

/// What a note says.
pub(super) enum Note {
    /// Of a tier that was being written.
    New,
    /// Of one that was given up: what did not come along.
    Old(Losses),
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

/// What the note in a folder says; `None` if there is none, or one of another hot tier.
pub(super) fn read(folder: &Path, hot: &Path) -> io::Result<Option<Note>> {
    let text = match fs::read_to_string(folder.join(NAME)) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let Some(rest) = text.strip_prefix(&head(hot)) else { return Ok(None) };
    let Some(gaps) = rest.lines().find_map(|line| line.strip_prefix("gaps ")?.parse().ok()) else {
        return Ok(Some(Note::New));
    };
    let lost = rest.lines().filter_map(|line| line.strip_prefix("lost ")?.parse().ok()).collect();
    Ok(Some(Note::Old(Losses { lost, gaps })))
}

fn head(hot: &Path) -> String {
    format!("hot {}\n", hot.display())
}

fn write(folder: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create(folder.join(NAME))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
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
        assert!(matches!(read(path, hot).unwrap(), Some(Note::Old(found)) if found == losses));
        assert!(read(path, Path::new("/data/hot2")).unwrap().is_none());
    }
}
