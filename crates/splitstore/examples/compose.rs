//! A store composed by hand: a tier of your choice for each place, the chain of an archive, one compaction.
//!
//! ```sh
//! cargo run -p splitstore --no-default-features --features fjall --example compose -- chain.car.zst DIR
//! ```
//! With the feature `rocksdb` (the default) the fast tier is RocksDB. Each archive is taken as it is: `import::import_car` also
//! checks that the chain is whole before it writes anything, but only into stores in a folder.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use splitstore::car::CarReader;
use splitstore::chain::filecoin::FilecoinChain;
use splitstore::cold::redb::{RedbCold, RedbOptions};
use splitstore::marksets::ExactSets;
use splitstore::meta::redb::RedbMeta;
use splitstore::ports::{Block, BlockWrite, ChainAccessor, HotStore};
use splitstore::system::{OsFiles, SystemClock};
use splitstore::{
    Components, MarkSets, Options, Policy, Settings, SplitStore, Support, TracingObserver, Trigger,
};

/// Blocks put at once.
const BATCH: usize = 1024;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(archive), Some(folder)) = (args.next(), args.next()) else {
        return Err("give an archive and a folder".into());
    };
    fs::create_dir_all(&folder)?;
    let store = compose(&folder)?;
    let chain = take_in(&store, &archive)?;
    // From here on it compacts as the head moves, if its trigger says so: `chain` tells it by `set_head`.
    store.start(chain)?;
    println!("{}", store.compact()?);
    store.close()?;
    Ok(())
}

fn compose(folder: &Path) -> Result<SplitStore> {
    let support = Support {
        meta: Arc::new(RedbMeta::open(folder.join("meta.redb"))?),
        files: Arc::new(OsFiles::new()),
        clock: Arc::new(SystemClock::new()),
        marks: MarkSets::Exact(Arc::new(ExactSets)),
    };
    let cold = RedbCold::open(folder.join("cold.redb"), RedbOptions::default())?;
    let mut components = Components::new(hot(&folder.join("hot"))?, Arc::new(cold), support);
    components.observer = Arc::new(TracingObserver);
    let options = Options::new(Policy::new(Settings::default())?, folder);
    Ok(SplitStore::open(components, Options { trigger: Trigger::Manual, ..options })?)
}

#[cfg(feature = "rocksdb")]
fn hot(path: &Path) -> Result<Arc<dyn HotStore>> {
    use splitstore::hot::rocksdb::{RocksHot, RocksOptions};

    Ok(Arc::new(RocksHot::open(path, RocksOptions::default())?))
}

#[cfg(all(feature = "fjall", not(feature = "rocksdb")))]
fn hot(path: &Path) -> Result<Arc<dyn HotStore>> {
    use splitstore::hot::fjall::{FjallHot, FjallOptions};

    Ok(Arc::new(FjallHot::open(path, FjallOptions::default())?))
}

#[cfg(not(any(feature = "fjall", feature = "rocksdb")))]
fn hot(_: &Path) -> Result<Arc<dyn HotStore>> {
    Err("no hot tier was built: choose the feature `rocksdb` or `fjall`".into())
}

/// Puts all blocks of an archive, and makes its roots the head of a chain that reads this store.
fn take_in(store: &SplitStore, archive: &Path) -> Result<Arc<FilecoinChain>> {
    let mut reader = CarReader::open(archive)?;
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(block) = reader.next_block()? {
        batch.push(block);
        if batch.len() == BATCH {
            put(store, &mut batch)?;
        }
    }
    put(store, &mut batch)?;
    // A clone would keep the store open for ever, and each header that it reads would count as touched.
    let chain = FilecoinChain::with_roots(Arc::new(store.untracked()), reader.roots())?;
    let head = chain.heaviest()?.ok_or("the archive's roots are no headers")?;
    // Below it whole states and messages may be absent; without this the first of them is taken for a loss.
    store.note_snapshot(head.height)?;
    Ok(Arc::new(chain))
}

fn put(store: &SplitStore, batch: &mut Vec<splitstore::car::CarBlock>) -> Result<()> {
    let blocks: Vec<Block<'_>> =
        batch.iter().map(|block| Block { cid: block.cid, data: &block.data }).collect();
    store.put_many(&blocks)?;
    batch.clear();
    Ok(())
}
