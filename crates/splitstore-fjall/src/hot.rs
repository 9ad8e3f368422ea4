//! An open hot tier.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};
use splitstore_domain::{BlockKey, record};
use splitstore_ports::{ErrorKind, HotStore, LinkNotes, Maintenance, PortError, Result};

use crate::error::failed;
use crate::{FjallOptions, create, notes};

const BLOCKS: &str = "blocks";
const TICK: &str = "tick";
/// Made and dropped by each full reclaim; a crash in between leaves it.
pub(crate) const FILL: &str = "fill";

/// A hot tier in a folder, held by this handle alone until it is dropped.
///
/// Dropping ends the engine's threads and closes its files.
pub struct FjallHot {
    pub(crate) blocks: Keyspace,
    /// Written to by reclaims, to move the engine's clock of versions on.
    pub(crate) tick: Keyspace,
    // Behind the keyspaces: they go first.
    pub(crate) db: Database,
    pub(crate) path: PathBuf,
    /// The number of the next note.
    pub(crate) next_note: AtomicU64,
    /// The number of the next note of links.
    pub(crate) next_link_note: AtomicU64,
    /// Held while space is reclaimed.
    pub(crate) reclaiming: Mutex<()>,
}

impl FjallHot {
    /// Opens the hot tier in `path`, making it if it is not there.
    ///
    /// Errors: `Locked` when another process or handle has it open; `Corrupt` when it is damaged beyond what
    /// the journal can mend, or holds files of something else; `Unsupported` for options out of range.
    pub fn open(path: impl AsRef<Path>, options: FjallOptions) -> Result<Self> {
        options.check()?;
        let path = path.as_ref();
        create::unless_there(path, |new| open_engine(new, &options).map(drop))?;
        let (db, blocks, tick) = open_engine(path, &options)?;
        let (next_note, next_link_note) = notes::next(&db, &blocks, path)?;
        Ok(Self {
            blocks,
            tick,
            db,
            path: path.to_owned(),
            next_note: AtomicU64::new(next_note),
            next_link_note: AtomicU64::new(next_link_note),
            reclaiming: Mutex::default(),
        })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Codec and data of a record; damage names the key.
    pub(crate) fn decode<'a>(&self, key: &BlockKey, value: &'a [u8]) -> Result<(u64, &'a [u8])> {
        record::decode(value).map_err(|error| {
            let attempt = format!("read record {key} from hot tier {}", self.path.display());
            PortError::new(ErrorKind::Corrupt, attempt, error)
        })
    }
}

fn open_engine(path: &Path, options: &FjallOptions) -> Result<(Database, Keyspace, Keyspace)> {
    let failed = |error| failed(format!("open hot tier {}", path.display()), error);
    let db = Database::builder(path)
        .cache_size(options.block_cache.0)
        .worker_threads(options.workers.max(1).into())
        .max_cached_files(Some(options.open_files.max(64).into()))
        // What is in the journal soon goes; a reclaim counts on the length of what it writes there.
        .journal_compression(CompressionType::None)
        .open()
        .map_err(failed)?;
    if db.keyspace_exists(FILL) {
        let left = db.keyspace(FILL, KeyspaceCreateOptions::default).map_err(failed)?;
        db.delete_keyspace(left).map_err(failed)?;
    }
    let blocks = db.keyspace(BLOCKS, || options.blocks()).map_err(failed)?;
    let tick = db.keyspace(TICK, KeyspaceCreateOptions::default).map_err(failed)?;
    Ok((db, blocks, tick))
}

impl HotStore for FjallHot {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        Some(self)
    }

    fn link_notes(&self) -> Option<&dyn LinkNotes> {
        Some(self)
    }
}

impl fmt::Debug for FjallHot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallHot").field("path", &self.path).finish_non_exhaustive()
    }
}
