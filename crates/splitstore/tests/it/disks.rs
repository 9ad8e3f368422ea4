//! The tiers' folders may be links to other disks: each is asked for the room that is taken there.

use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use splitstore::domain::purge::PurgeWhy;
use splitstore::domain::{ByteCount, CompactionReport, PurgeWay, Settings};
use splitstore::folder::{FolderSettings, HotEngine, LocalParts, Opening, Parts, Purging, StoreFolder};
use splitstore::import::import_car;
use splitstore::ports::{ColdStore, FileSystem, FileWrite, HotStore, MetaStore, Result};
use splitstore::{Error, Trigger};
use splitstore_fixtures::{ChainSpec, write_car};

/// This machine's, with so much room where a folder of this name is, and plenty elsewhere.
#[derive(Clone)]
struct Rooms(Arc<HashMap<&'static str, ByteCount>>, Arc<dyn FileSystem>);

impl Parts for Rooms {
    fn hot(&self, engine: HotEngine, folder: &Path) -> Result<Option<Arc<dyn HotStore>>> {
        LocalParts.hot(engine, folder)
    }

    fn cold(&self, file: &Path) -> Result<Arc<dyn ColdStore>> {
        LocalParts.cold(file)
    }

    fn meta(&self, file: &Path) -> Result<Arc<dyn MetaStore>> {
        LocalParts.meta(file)
    }

    fn files(&self) -> Arc<dyn FileSystem> {
        Arc::new(self.clone())
    }
}

impl FileSystem for Rooms {
    fn create(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        self.1.create(path)
    }

    fn append(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        self.1.append(path)
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn Read + Send>>> {
        self.1.open(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> Result<()> {
        self.1.truncate(path, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.1.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.1.remove(path)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.1.create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.1.remove_dir(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        self.1.list(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.1.sync_dir(path)
    }

    fn free_space(&self, path: &Path) -> Result<Option<ByteCount>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        Ok(Some(self.0.get(name).copied().unwrap_or(ByteCount(1 << 50))))
    }
}

/// A compaction of a small chain that is to rewrite hot, with hardly any room in these folders.
fn compact(engine: HotEngine, full: &[&'static str]) -> splitstore::Result<CompactionReport> {
    let dir = tempfile::tempdir().unwrap();
    let (path, car) = (dir.path().join("store"), dir.path().join("chain.car"));
    let windows = Settings { finality_epochs: 3, ..Settings::default() };
    let settings = FolderSettings { hot: engine, windows, purge: Purging::Rewrite, ..Default::default() };
    StoreFolder::create(&path, &settings).unwrap();
    write_car(&ChainSpec { epochs: 60, actors: 60, ..ChainSpec::default() }, &car).unwrap();
    let rooms = full.iter().map(|name| (*name, ByteCount(1))).collect();
    let parts: Arc<dyn Parts> = Arc::new(Rooms(Arc::new(rooms), LocalParts.files()));
    let folder =
        StoreFolder::open_with(&path, &Opening { trigger: Trigger::Manual, parts, ..Opening::default() });
    let folder = folder.unwrap();
    import_car(&folder, &car, &mut |_| ControlFlow::Continue(())).unwrap();
    folder.store().compact()
}

#[test]
fn room_is_asked_of_the_disk_on_which_it_is_taken() {
    for engine in HotEngine::ALL.iter().copied().filter(|engine| engine.is_built()) {
        let why = |full: &[&'static str]| compact(engine, full).unwrap().purge.unwrap();
        if engine == HotEngine::Rocksdb {
            assert_eq!(
                why(&["store"]).way,
                PurgeWay::Rewrite,
                "nothing of it is taken from the store's own disk"
            );
            assert!(matches!(why(&["hot"]).why, PurgeWhy::NoRoom(_)));
        }
        assert!(matches!(compact(engine, &["cold"]).unwrap_err(), Error::NoSpace { .. }), "{engine}");
        compact(engine, &["store", "hot"]).unwrap();
    }
}
