//! An open store folder: the lock, the store, its chain and its head.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use splitstore_domain::trigger::Decision;
use splitstore_domain::{ByteCount, HeadChange, Pacing, Policy, Settings, Tipset};
use splitstore_filecoin::FilecoinChain;
use splitstore_files::{StoreLock, SystemClock};
use splitstore_marksets::DiskSets;
use splitstore_ports::{
    ChainAccessor, Clock, ColdStore, ErrorKind, HotStore, MetaStore, NoObserver, Observer, PortError,
};

use super::create;
use super::engines::{Engines, mark_sets};
use super::error::{FolderError, Result};
use super::head::{self, LostHead};
use super::parts::{LocalParts, Parts};
use super::place::{COLD, HOT, LOCK, Place, SETTINGS, refuse_missing_parts};
use super::quiet_chain::QuietChain;
use super::settings::{FolderSettings, SettingsFault};
use crate::{Batches, Components, Options, SplitStore, Trigger, import};

/// How a store is opened, beside what its settings say.
#[derive(Clone)]
pub struct Opening {
    /// Hears of events.
    pub observer: Arc<dyn Observer>,
    /// What starts compactions.
    pub trigger: Trigger,
    /// Windows and cold policy, instead of the stored ones.
    pub windows: Option<Settings>,
    /// How compactions are paced, instead of as stored.
    pub pacing: Option<Pacing>,
    /// Every how manieth compaction reclaims space fully instead of online; 0 never does. `None` leaves it to
    /// the hot engine: RocksDB every 20th, fjall each, as its online reclaim gives nothing back.
    pub full_reclaim_every: Option<u64>,
    /// How much a compaction does at once.
    pub batches: Batches,
    /// Who opens tiers, metadata and files.
    pub parts: Arc<dyn Parts>,
}

impl Default for Opening {
    /// No observer, runs start by themselves, windows and pace as stored, parts of this machine.
    fn default() -> Self {
        Self {
            observer: Arc::new(NoObserver),
            trigger: Trigger::default(),
            windows: None,
            pacing: None,
            full_reclaim_every: None,
            batches: Batches::default(),
            parts: Arc::new(LocalParts),
        }
    }
}

/// A store in a folder, held by this handle alone until it and all clones of its store are dropped.
///
/// Head changes go through [`StoreFolder::head_change`], which also keeps the head for the next open.
pub struct StoreFolder {
    path: PathBuf,
    settings: FolderSettings,
    store: SplitStore,
    chain: Arc<FilecoinChain>,
    hot: Arc<dyn HotStore>,
    cold: Arc<dyn ColdStore>,
    meta: Arc<dyn MetaStore>,
    clock: Arc<dyn Clock>,
    lost_head: Option<LostHead>,
    // Last: fields are dropped in this order.
    _lock: StoreLock,
}

impl StoreFolder {
    /// Makes a store. `path` must not be there, or be an empty folder, or one that an earlier call began.
    pub fn create(path: impl AsRef<Path>, settings: &FolderSettings) -> Result<()> {
        create::create(path.as_ref(), settings)
    }

    /// Opens a store as its settings say, and finishes what a crash left behind. A part that is missing is never
    /// made anew: only [`StoreFolder::create`] makes parts.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &Opening::default())
    }

    /// Opens a store.
    pub fn open_with(path: impl AsRef<Path>, opening: &Opening) -> Result<Self> {
        let path = path.as_ref();
        let mut settings = Self::settings_at(path)?;
        settings.windows = opening.windows.unwrap_or(settings.windows);
        let port = FolderError::port(path);
        let lock = StoreLock::acquire(&path.join(LOCK)).map_err(&port)?;
        refuse_missing_parts(path, settings.hot)?;
        import::sweep(path).map_err(FolderError::io("clear what an import left in", path))?;
        let engines = Engines::open(path, &settings, &*opening.parts)?;
        Self::compose(path, settings, engines, lock, opening)
    }

    /// Reads the settings of the store at `path`, without opening it.
    pub fn settings_at(path: impl AsRef<Path>) -> Result<FolderSettings> {
        let path = path.as_ref();
        let owned = path.to_owned();
        match Place::look(path)? {
            Place::Store => {}
            Place::Nothing | Place::Empty => return Err(FolderError::Missing { path: owned }),
            Place::HalfMade => return Err(FolderError::HalfMade { path: owned }),
            Place::Foreign(found) => return Err(FolderError::Foreign { path: owned, found }),
        }
        let file = path.join(SETTINGS);
        let text = fs::read_to_string(&file)
            .map_err(|source| FolderError::BadSettings { path: file.clone(), source: source.into() })?;
        FolderSettings::parse(&text).map_err(|fault| match fault {
            SettingsFault::TooNew(found) => FolderError::TooNew { path: owned, found },
            SettingsFault::Malformed(source) => FolderError::BadSettings { path: file, source },
        })
    }

    fn compose(
        path: &Path,
        settings: FolderSettings,
        engines: Engines,
        lock: StoreLock,
        opening: &Opening,
    ) -> Result<Self> {
        let start = |source| FolderError::Start { path: path.to_owned(), source };
        let Engines { hot, cold, meta } = engines;
        let policy = Policy::new(settings.windows)
            .map_err(|source| FolderError::BadWindows { path: path.to_owned(), source })?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let components = Components {
            hot: hot.clone(),
            cold: cold.clone(),
            meta: meta.clone(),
            files: opening.parts.files(),
            clock: clock.clone(),
            observer: opening.observer.clone(),
            marks: mark_sets(settings.marks),
            spill: Some(Arc::new(DiskSets::default())),
        };
        let options = Options {
            trigger: opening.trigger,
            strategy: settings.marking.into(),
            link_index: settings.link_index,
            marking_memory: settings.marking_memory_mib.map(|mib| ByteCount(mib.saturating_mul(1 << 20))),
            purge: settings.purge.into(),
            pacing: opening.pacing.unwrap_or(settings.pace.into()),
            full_reclaim_every: opening.full_reclaim_every.unwrap_or(settings.hot.full_reclaim_every()),
            batches: opening.batches,
            ..Options::new(policy, path)
        };
        let store = SplitStore::open(components, options).map_err(start)?;
        let chain = Arc::new(FilecoinChain::new(Arc::new(store.untracked())));
        let lost_head = restore_head(&*meta, &chain).map_err(FolderError::port(path))?;
        store.start(Arc::new(QuietChain(chain.clone()))).map_err(start)?;
        let path = path.to_owned();
        Ok(Self { path, settings, store, chain, hot, cold, meta, clock, lost_head, _lock: lock })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folders its files are in: its own, and those of its tiers, which may be links to other disks.
    pub(crate) fn folders(&self) -> [PathBuf; 3] {
        [self.path.clone(), self.path.join(HOT), self.path.join(COLD)]
    }

    /// What it was opened with.
    pub const fn settings(&self) -> &FolderSettings {
        &self.settings
    }

    /// The store.
    pub const fn store(&self) -> &SplitStore {
        &self.store
    }

    /// Its chain. Move its head through [`StoreFolder::head_change`] only.
    pub const fn chain(&self) -> &Arc<FilecoinChain> {
        &self.chain
    }

    /// The fast tier by itself, for inspection.
    pub fn hot(&self) -> &dyn HotStore {
        &*self.hot
    }

    /// The cheap tier by itself, for inspection.
    pub fn cold(&self) -> &dyn ColdStore {
        &*self.cold
    }

    /// This machine's clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The head that was kept, if its headers are no longer readable: the store is damaged, and a new import of
    /// the chain mends it, after [`StoreFolder::repair`] if a page of hot is. The store then has no head.
    pub const fn lost_head(&self) -> Option<&LostHead> {
        self.lost_head.as_ref()
    }

    /// The head.
    pub fn head(&self) -> crate::Result<Option<Tipset>> {
        Ok(self.chain.heaviest()?)
    }

    /// Moves the head, durably, and says what the store makes of it.
    ///
    /// Blocks are flushed first: a head that survives a crash never names blocks that do not.
    pub fn head_change(&self, change: &HeadChange) -> crate::Result<Option<Decision>> {
        self.store.flush()?;
        self.chain.set_head(change)?;
        let key = self.chain.heaviest()?.map(|head| head.key);
        head::save(&*self.meta, &key.unwrap_or_default())?;
        self.store.head_change(change)
    }

    /// Stops a run that has not sealed, and makes everything durable.
    pub fn close(self) -> crate::Result<()> {
        self.store.close()
    }
}

impl fmt::Debug for StoreFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFolder")
            .field("path", &self.path)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Gives the chain the head that was kept; returns it if it can no longer be read.
fn restore_head(meta: &dyn MetaStore, chain: &FilecoinChain) -> Result<Option<LostHead>, PortError> {
    let Some(key) = head::load(meta)? else { return Ok(None) };
    match chain.tipset(&key) {
        Ok(Some(tipset)) => {
            chain.set_head(&HeadChange { apply: vec![tipset], ..HeadChange::default() })?;
            Ok(None)
        }
        // To refuse to open would leave nothing to mend it with.
        Ok(None) => Ok(Some(LostHead { key, source: None })),
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            Ok(Some(LostHead { key, source: Some(Arc::new(error)) }))
        }
        Err(error) => Err(error),
    }
}
