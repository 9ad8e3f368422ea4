//! The journal of one run: what is durably true of it.
//!
//! ```text
//!   Started  ..  Sealed  Cursor*  Committed
//!   |<- drop ->||<----- resume ---------->|
//! ```
//! Until `Sealed` nothing was deleted, and recovery drops the folder. From `Sealed` on the marks, the
//! candidates and the cold copies are durable, and recovery runs the same purge from the last cursor.
//! Recovery is a function of this file alone.

use std::path::Path;
use std::sync::Arc;

use splitstore_domain::{Epoch, Window};
use splitstore_ports::FileSystem;

use crate::error::Result;
use crate::records::{End, FileKind, RecordReader, RecordWriter};

/// File name in a run's folder.
pub(crate) const NAME: &str = "journal";

/// One durable fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The run began: its cut, and the index it will have.
    Started { window: Window, index: u64 },
    /// Marks, candidates and cold copies are durable; the purge may begin.
    Sealed { chunks: u64, marked: u64, dropped: Option<u64> },
    /// Chunks of candidates below this one are purged, durably.
    Cursor { chunk: u64 },
    /// The base has moved: only cleaning up is left.
    Committed,
}

/// What a journal says, read from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing was deleted.
    Unsealed,
    /// The purge must be finished.
    Sealed(Resume),
    /// Everything is done but removing the folder.
    Committed,
}

/// Where a sealed run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resume {
    pub(crate) window: Window,
    pub(crate) index: u64,
    pub(crate) chunks: u64,
    pub(crate) marked: u64,
    /// How many candidates move nowhere. Early journals do not say.
    pub(crate) dropped: Option<u64>,
    pub(crate) cursor: u64,
    pub(crate) end: End,
}

/// Appends facts.
pub(crate) struct Journal {
    records: RecordWriter,
}

impl Journal {
    /// Begins the journal of a new run.
    pub(crate) fn create(
        files: &Arc<dyn FileSystem>,
        folder: &Path,
        window: Window,
        index: u64,
    ) -> Result<Self> {
        let records = RecordWriter::create(files, &folder.join(NAME), FileKind::Journal)?;
        let mut journal = Self { records };
        journal.note(Fact::Started { window, index })?;
        files.sync_dir(folder)?;
        Ok(journal)
    }

    /// Goes on with the journal of a sealed run.
    pub(crate) fn resume(files: &Arc<dyn FileSystem>, folder: &Path, end: &End) -> Result<Self> {
        let records = RecordWriter::resume(files, &folder.join(NAME), end, FileKind::Journal)?;
        Ok(Self { records })
    }

    /// Makes a fact durable.
    pub(crate) fn note(&mut self, fact: Fact) -> Result<()> {
        self.records.append(&fact.encode())?;
        self.records.sync()
    }
}

/// Reads the journal in `folder`.
pub(crate) fn read(files: &dyn FileSystem, folder: &Path) -> Result<Standing> {
    let Some(mut records) = RecordReader::open(files, &folder.join(NAME), FileKind::Journal)? else {
        return Ok(Standing::Unsealed);
    };
    let mut standing = Standing::Unsealed;
    let mut started = None;
    while let Some(payload) = records.next_record()? {
        let fact = Fact::decode(&payload).ok_or_else(|| records.damage("a record is of no known kind"))?;
        standing = match (fact, standing, started) {
            (Fact::Started { window, index }, Standing::Unsealed, None) => {
                started = Some((window, index));
                standing
            }
            (Fact::Sealed { chunks, marked, dropped }, Standing::Unsealed, Some((window, index))) => {
                let end = *records.end();
                Standing::Sealed(Resume { window, index, chunks, marked, dropped, cursor: 0, end })
            }
            (Fact::Cursor { chunk }, Standing::Sealed(resume), _) if chunk <= resume.chunks => {
                Standing::Sealed(Resume { cursor: chunk, ..resume })
            }
            (Fact::Committed, Standing::Sealed(_), _) => Standing::Committed,
            _ => return Err(records.damage("records stand in an impossible order")),
        };
    }
    if let Standing::Sealed(resume) = &mut standing {
        resume.end = *records.end();
    }
    Ok(standing)
}

impl Fact {
    fn encode(self) -> Vec<u8> {
        let (kind, numbers): (u8, Vec<u64>) = match self {
            Self::Started { window: Window { base, messages_from, boundary, head }, index } => {
                let heights = [base, messages_from, boundary, head].map(Epoch::height);
                (1, heights.into_iter().chain([index]).collect())
            }
            Self::Sealed { chunks, marked, dropped } => {
                (2, [chunks, marked].into_iter().chain(dropped).collect())
            }
            Self::Cursor { chunk } => (3, vec![chunk]),
            Self::Committed => (4, Vec::new()),
        };
        let numbers = numbers.into_iter().flat_map(u64::to_le_bytes);
        std::iter::once(kind).chain(numbers).collect()
    }

    fn decode(payload: &[u8]) -> Option<Self> {
        let (kind, rest) = payload.split_first()?;
        let (numbers, cut) = rest.as_chunks::<8>();
        let numbers: Vec<u64> = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        match (kind, numbers.as_slice(), cut) {
            (1, &[base, messages_from, boundary, head, index], []) => {
                let [base, messages_from, boundary, head] =
                    [base, messages_from, boundary, head].map(Epoch::new);
                Some(Self::Started { window: Window { base, messages_from, boundary, head }, index })
            }
            (2, &[chunks, marked], []) => Some(Self::Sealed { chunks, marked, dropped: None }),
            (2, &[chunks, marked, dropped], []) => {
                Some(Self::Sealed { chunks, marked, dropped: Some(dropped) })
            }
            (3, &[chunk], []) => Some(Self::Cursor { chunk }),
            (4, [], []) => Some(Self::Committed),
            _ => None,
        }
    }
}
