//! An open hot tier.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use rocksdb::{ColumnFamily, DB, DEFAULT_COLUMN_FAMILY_NAME, Options};
use splitstore_domain::BlockKey;
use splitstore_domain::record;
use splitstore_ports::{
    BlockScan, ErrorKind, HotStore, LinkNotes, Maintenance, PortError, RangeRewrite, Result,
};

use crate::error::failed;
use crate::rewrite::{Filters, Gate, Scans};
use crate::{RocksOptions, folder, manifest, notes};

/// A hot tier in a folder, held by this handle alone until it is dropped.
///
/// Dropping closes the engine: background work ends, the log stays for the next open. It does not sync; what a
/// power cut must not lose needs [`sync`](splitstore_ports::BlockWrite::sync).
pub struct RocksHot {
    pub(crate) db: DB,
    pub(crate) path: PathBuf,
    /// A sync failed: what the kernel dropped then, no later sync will write.
    pub(crate) sync_failed: AtomicBool,
    /// The number of the next note.
    pub(crate) next_note: AtomicU64,
    /// The number of the next note of links.
    pub(crate) next_link_note: AtomicU64,
    /// Held while space is reclaimed.
    pub(crate) reclaiming: Mutex<()>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) scans: Scans,
    /// Blocks read out of damaged pages.
    pub(crate) salvaged: AtomicU64,
    /// Logs of which the engine dropped sound records when it opened.
    pub(crate) damaged_logs: Vec<PathBuf>,
}

impl RocksHot {
    /// Opens the hot tier in `path`, making it if it is not there.
    ///
    /// Errors: `Locked` when another process or handle has it open; `Corrupt` when it is damaged beyond what
    /// the log can mend, or is a database of something else; `Unsupported` for options out of range.
    pub fn open(path: impl AsRef<Path>, options: RocksOptions) -> Result<Self> {
        Self::open_engine(path.as_ref(), options.build()?)
    }

    /// The same in another environment, which the engine then reaches its files through.
    #[cfg(feature = "fault-injection")]
    pub fn open_in(env: &rocksdb::Env, path: impl AsRef<Path>, options: RocksOptions) -> Result<Self> {
        let mut engine = options.build()?;
        engine.set_env(env);
        Self::open_engine(path.as_ref(), engine)
    }

    fn open_engine(path: &Path, mut engine: Options) -> Result<Self> {
        folder::make(path)?;
        manifest::check(path)?;
        // The engine deletes what it has read of.
        let damaged_logs = manifest::damaged_logs(path)?;
        let gate = Arc::new(Gate::default());
        engine.set_compaction_filter_factory(Filters(gate.clone()));
        let families = [(DEFAULT_COLUMN_FAMILY_NAME, engine.clone())];
        let db = DB::open_cf_with_opts(&engine, path, families)
            .map_err(|error| failed(format!("open hot tier {}", path.display()), error))?;
        let (next_note, next_link_note) = notes::next(&db, path)?;
        Ok(Self {
            db,
            path: path.to_owned(),
            sync_failed: AtomicBool::new(false),
            next_note: AtomicU64::new(next_note),
            next_link_note: AtomicU64::new(next_link_note),
            reclaiming: Mutex::default(),
            gate,
            scans: Scans::default(),
            salvaged: AtomicU64::new(0),
            damaged_logs,
        })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn family(&self) -> &ColumnFamily {
        self.db
            .cf_handle(DEFAULT_COLUMN_FAMILY_NAME)
            .expect("every database is opened with its default family")
    }

    /// A key as the engine has it; damage names its bytes.
    pub(crate) fn decode_key(&self, key: &[u8]) -> Result<BlockKey> {
        BlockKey::from_bytes(key).map_err(|error| {
            let path = self.path.display();
            PortError::new(ErrorKind::Corrupt, format!("read key {key:02x?} of hot tier {path}"), error)
        })
    }

    /// Codec and data of a record; damage names the key.
    pub(crate) fn decode<'a>(&self, key: &BlockKey, value: &'a [u8]) -> Result<(u64, &'a [u8])> {
        record::decode(value).map_err(|error| {
            let attempt = format!("read record {key} from hot tier {}", self.path.display());
            PortError::new(ErrorKind::Corrupt, attempt, error)
        })
    }
}

impl HotStore for RocksHot {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        Some(self)
    }

    fn block_scan(&self) -> Option<&dyn BlockScan> {
        Some(self)
    }

    fn link_notes(&self) -> Option<&dyn LinkNotes> {
        Some(self)
    }

    fn range_rewrite(&self) -> Option<&dyn RangeRewrite> {
        Some(self)
    }
}

impl fmt::Debug for RocksHot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksHot").field("path", &self.path).finish_non_exhaustive()
    }
}
