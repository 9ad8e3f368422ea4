//! One scenario, every composition: what stays hot and what moves to cold is what the oracle says, whatever
//! engines and sets the store is made of; and a reopened store still has it all.
//!
//! Swapping an adapter is one line of a `compositions!` table.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use splitstore::chain::filecoin::FilecoinChain;
use splitstore::domain::{BlockKey, ColdPolicy, Epoch, HeadChange, Policy, Settings, TipsetKey, Window};
use splitstore::marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};
use splitstore::ports::cid::Cid;
use splitstore::ports::{Block, ChainAccessor, ColdStore, HotStore, KeyScan};
use splitstore::system::{OsFiles, SystemClock};
use splitstore::{Components, MarkSets, MarkStrategy, Options, SplitStore, Support, Trigger};
use splitstore_fixtures::oracle::{self, Blocks};
use splitstore_fixtures::{ChainSpec, generate};

type Hot = fn(&Path) -> Arc<dyn HotStore>;
type Cold = fn(&Path) -> Arc<dyn ColdStore>;

mod hot {
    use super::{Arc, HotStore, Path};

    pub(super) fn memory(_: &Path) -> Arc<dyn HotStore> {
        Arc::new(splitstore::memory::MemoryStore::hot())
    }

    #[cfg(feature = "fjall")]
    pub(super) fn fjall(folder: &Path) -> Arc<dyn HotStore> {
        use splitstore::hot::fjall::{FjallHot, FjallOptions};
        Arc::new(FjallHot::open(folder.join("hot"), FjallOptions::default()).unwrap())
    }

    #[cfg(feature = "rocksdb")]
    pub(super) fn rocksdb(folder: &Path) -> Arc<dyn HotStore> {
        use splitstore::hot::rocksdb::{RocksHot, RocksOptions};
        Arc::new(RocksHot::open(folder.join("hot"), RocksOptions::default()).unwrap())
    }
}

mod cold {
    use super::{Arc, ColdStore, Path};

    pub(super) fn memory(_: &Path) -> Arc<dyn ColdStore> {
        Arc::new(splitstore::memory::MemoryStore::cold())
    }

    pub(super) fn redb(folder: &Path) -> Arc<dyn ColdStore> {
        use splitstore::cold::redb::{RedbCold, RedbOptions};
        Arc::new(RedbCold::open(folder.join("cold.redb"), RedbOptions::default()).unwrap())
    }
}

mod marks {
    use super::{Arc, BloomSets, DiskSets, ExactSets, MarkSets, RoaringSets};

    pub(super) fn exact() -> MarkSets {
        MarkSets::Exact(Arc::new(ExactSets))
    }

    /// Spills after 200 keys, so that runs are written and merged.
    pub(super) fn disk() -> MarkSets {
        MarkSets::Exact(Arc::new(DiskSets::with_buffer(200)))
    }

    pub(super) fn roaring() -> MarkSets {
        MarkSets::Split { visits: Arc::new(ExactSets), marks: Arc::new(RoaringSets) }
    }

    pub(super) fn bloom() -> MarkSets {
        MarkSets::Split { visits: Arc::new(DiskSets::with_buffer(200)), marks: Arc::new(BloomSets) }
    }
}

macro_rules! compositions {
    ($($(#[$gate:meta])* $name:ident: $hot:path, $cold:path, $marks:path;)*) => {$(
        $(#[$gate])*
        #[test]
        fn $name() {
            compacts_as_the_oracle_says($hot, $cold, &$marks());
        }
    )*};
}

compositions! {
    memory_memory_exact: hot::memory, cold::memory, marks::exact;
    memory_memory_disk: hot::memory, cold::memory, marks::disk;
    memory_memory_roaring: hot::memory, cold::memory, marks::roaring;
    memory_memory_bloom: hot::memory, cold::memory, marks::bloom;
    memory_redb_exact: hot::memory, cold::redb, marks::exact;
    memory_redb_disk: hot::memory, cold::redb, marks::disk;
    memory_redb_roaring: hot::memory, cold::redb, marks::roaring;
    memory_redb_bloom: hot::memory, cold::redb, marks::bloom;
    #[cfg(feature = "fjall")] fjall_memory_exact: hot::fjall, cold::memory, marks::exact;
    #[cfg(feature = "fjall")] fjall_memory_disk: hot::fjall, cold::memory, marks::disk;
    #[cfg(feature = "fjall")] fjall_memory_roaring: hot::fjall, cold::memory, marks::roaring;
    #[cfg(feature = "fjall")] fjall_memory_bloom: hot::fjall, cold::memory, marks::bloom;
    #[cfg(feature = "fjall")] fjall_redb_exact: hot::fjall, cold::redb, marks::exact;
    #[cfg(feature = "fjall")] fjall_redb_disk: hot::fjall, cold::redb, marks::disk;
    #[cfg(feature = "fjall")] fjall_redb_roaring: hot::fjall, cold::redb, marks::roaring;
    #[cfg(feature = "fjall")] fjall_redb_bloom: hot::fjall, cold::redb, marks::bloom;
    #[cfg(feature = "rocksdb")] rocksdb_memory_exact: hot::rocksdb, cold::memory, marks::exact;
    #[cfg(feature = "rocksdb")] rocksdb_memory_disk: hot::rocksdb, cold::memory, marks::disk;
    #[cfg(feature = "rocksdb")] rocksdb_memory_roaring: hot::rocksdb, cold::memory, marks::roaring;
    #[cfg(feature = "rocksdb")] rocksdb_memory_bloom: hot::rocksdb, cold::memory, marks::bloom;
    #[cfg(feature = "rocksdb")] rocksdb_redb_exact: hot::rocksdb, cold::redb, marks::exact;
    #[cfg(feature = "rocksdb")] rocksdb_redb_disk: hot::rocksdb, cold::redb, marks::disk;
    #[cfg(feature = "rocksdb")] rocksdb_redb_roaring: hot::rocksdb, cold::redb, marks::roaring;
    #[cfg(feature = "rocksdb")] rocksdb_redb_bloom: hot::rocksdb, cold::redb, marks::bloom;
}

fn compacts_as_the_oracle_says(hot: Hot, cold: Cold, marks: &MarkSets) {
    for strategy in [MarkStrategy::Walk, MarkStrategy::Scan] {
        marked_by(strategy, hot, cold, marks);
    }
}

fn marked_by(strategy: MarkStrategy, hot: Hot, cold: Cold, marks: &MarkSets) {
    let (blocks, head, height) = chain();
    for cold_policy in [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { finality_epochs: 4, cold_policy, ..Settings::default() };
        let policy = Policy::new(settings).unwrap();
        let window = Window::at(height, height, &policy);
        let live = keys_of(&oracle::expected_hot(&blocks, &head, &window).unwrap());
        let moved = keys_of(&oracle::expected_cold(&blocks, &head, &window, cold_policy).unwrap());
        let (hot, cold) = (hot(folder.path()), cold(folder.path()));
        load(&*hot, &blocks);
        let store = compose((hot.clone(), cold.clone()), marks, options(policy, strategy, folder.path()));
        start(&store, &head);
        store.compact().unwrap();
        assert_eq!((scan(&*hot), scan(&*cold)), (live, moved), "{cold_policy}");
        assert!(store.audit().unwrap().is_clean(), "{cold_policy}");
        store.close().unwrap();
        let reopened = compose((hot, cold), marks, options(policy, strategy, folder.path()));
        for cid in oracle::expected_hot(&blocks, &head, &window).unwrap() {
            assert_eq!(reopened.get(&cid).unwrap().as_ref(), blocks.get(&cid), "{cid} under {cold_policy}");
        }
    }
}

fn chain() -> (Blocks, Vec<Cid>, Epoch) {
    let spec = ChainSpec { epochs: 40, actors: 80, churn_per_mille: 100, seed: 7, ..ChainSpec::default() };
    let mut blocks = Blocks::new();
    let made = generate(&spec, &mut |cid: &Cid, data: &[u8]| {
        blocks.insert(*cid, data.to_vec());
        Ok::<_, std::io::Error>(())
    });
    let made = made.unwrap();
    (blocks, made.head, Epoch::new(made.head_height))
}

fn load(hot: &dyn HotStore, blocks: &Blocks) {
    let batch: Vec<Block<'_>> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
    hot.put_many(&batch).unwrap();
    hot.sync().unwrap();
}

fn compose(
    (hot, cold): (Arc<dyn HotStore>, Arc<dyn ColdStore>),
    marks: &MarkSets,
    options: Options,
) -> SplitStore {
    let support = Support {
        meta: Arc::new(splitstore::memory::MemoryMeta::new()),
        files: Arc::new(OsFiles::new()),
        clock: Arc::new(SystemClock::new()),
        marks: marks.clone(),
    };
    SplitStore::open(Components::new(hot, cold, support), options).unwrap()
}

fn options(policy: Policy, strategy: MarkStrategy, folder: &Path) -> Options {
    Options { trigger: Trigger::Manual, strategy, ..Options::new(policy, folder) }
}

fn start(store: &SplitStore, head: &[Cid]) {
    let chain = Arc::new(FilecoinChain::new(Arc::new(store.untracked())));
    let tipset = chain.tipset(&TipsetKey::new(head.to_vec())).unwrap().expect("the head is in the store");
    chain.set_head(&HeadChange { revert: Vec::new(), apply: vec![tipset] }).unwrap();
    store.start(chain).unwrap();
}

fn keys_of(cids: &BTreeSet<Cid>) -> BTreeSet<BlockKey> {
    cids.iter().map(BlockKey::from).collect()
}

fn scan<T: KeyScan + ?Sized>(tier: &T) -> BTreeSet<BlockKey> {
    let mut cursor = tier.keys().unwrap();
    let mut keys = BTreeSet::new();
    let mut batch = Vec::new();
    loop {
        batch.clear();
        cursor.next_batch(&mut batch, 1000).unwrap();
        if batch.is_empty() {
            return keys;
        }
        keys.extend(batch.drain(..).map(|entry| entry.key));
    }
}

/// A disk with room for a compaction, but not for what a full reclaim writes before it gives anything back.
#[cfg(feature = "fjall")]
#[test]
fn a_full_reclaim_that_would_fill_the_disk_is_left_for_later_and_said() {
    use splitstore::domain::ByteCount;
    use splitstore::memory::MemoryFiles;
    use splitstore::ports::{Event, Observer};

    #[derive(Default)]
    struct Said(std::sync::Mutex<Vec<String>>);
    impl Observer for Said {
        fn on_event(&self, event: &Event) {
            self.0.lock().unwrap().push(event.to_string());
        }
    }

    let (blocks, head, _) = chain();
    let folder = tempfile::tempdir().unwrap();
    let hot = hot::fjall(folder.path());
    load(&*hot, &blocks);
    let files = MemoryFiles::with_folder(Path::new("store")).unwrap();
    files.set_free_space(Some(ByteCount(60 << 20)));
    let said = Arc::new(Said::default());
    let support = Support {
        meta: Arc::new(splitstore::memory::MemoryMeta::new()),
        files: Arc::new(files),
        clock: Arc::new(SystemClock::new()),
        marks: marks::exact(),
    };
    let mut components = Components::new(hot.clone(), cold::memory(folder.path()), support);
    components.observer = said.clone();
    let settings = Settings { finality_epochs: 4, ..Settings::default() };
    let options = options(Policy::new(settings).unwrap(), MarkStrategy::Walk, Path::new("store"));
    let store = SplitStore::open(components, Options { full_reclaim_every: 1, ..options }).unwrap();
    start(&store, &head);
    store.compact().unwrap();
    let needs = hot.maintenance().unwrap().full_reclaim_needs().unwrap();
    assert!(needs.0 > 60 << 20, "{needs}");
    let said = said.0.lock().unwrap();
    assert!(
        said.iter()
            .any(|event| event.contains("a full reclaim needs") && event.contains("60.0 MiB are free")),
        "{said:?}"
    );
    assert!(hot.maintenance().unwrap().size_on_disk().unwrap().0 < 60 << 20);
}
