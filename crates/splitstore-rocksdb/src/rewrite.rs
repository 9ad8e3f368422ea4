//! Rewriting ranges of keys without what is doomed: manual compactions with the engine's compaction filter.
//!
//! ```text
//!   level 0    |=================|         a pass over one range: flushed, then level by level down
//!   last       |==|==|##|##|==|==|==|==|   ## read, asked about key by key, written anew or left out
//!                   range
//! ```
//! The filter stands in the options from open on, as the engine wants it, and is **inert**: each compaction asks once,
//! as it begins, whether it is a manual one while a pass is on, and otherwise keeps everything. The engine's own
//! compactions, also beside a pass, and reclaims, which exclude passes, drop nothing: what they decided on might take
//! effect after the pass, when nobody treats it as doomed any more.
//!
//! **Company.** A pass takes each file of the last level with a number from before it began; younger ones are its own, and
//! need no second look. Those of a compaction of the engine's own are as young, and nobody was asked about them. So a
//! pass that had such company is made once more, over all files.
//!
//! **What is removed.** The engine asks about the newest version among a compaction's inputs. A removed one becomes a
//! tombstone of the same number, which hides older versions only, and goes with them at the last level, which every
//! pass reaches. A version written meanwhile has a greater number and lies above. A flush asks nothing.
//!
//! **Snapshots.** The engine's filter ignores them, so a pass and a [`splitstore_ports::BlockSnapshot`] shut each other
//! out. Iterators hold on to their files.

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocksdb::compaction_filter::CompactionFilter;
use rocksdb::compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory};
use rocksdb::{BottommostLevelCompaction, CompactOptions, CompactionDecision, Env};
use splitstore_ports::{
    Doomed, ErrorKind, Interrupt, KeyRange, PortError, RangeRewrite, Result, RewriteRange,
};

use crate::RocksHot;
use crate::maintenance::{PIECE, Piece, pieces, successor};

/// Bytes of the last level in a small range: half a table, so that tables are taken one by one, and what earlier passes
/// have left of some in twos.
const SMALL: u64 = 32 << 20;

/// What stands between the engine's compactions and a pass.
#[derive(Default)]
pub(crate) struct Gate {
    /// A pass is on.
    on: AtomicBool,
    doomed: Mutex<Option<Arc<dyn Doomed>>>,
    /// Compactions that ask nobody: how many have begun, and how many of them are writing.
    begun: AtomicU64,
    writing: AtomicU64,
}

impl Gate {
    fn doomed(&self) -> MutexGuard<'_, Option<Arc<dyn Doomed>>> {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, doomed: Arc<dyn Doomed>) -> OpenGate<'_> {
        *self.doomed() = Some(doomed);
        self.on.store(true, Ordering::SeqCst);
        OpenGate(self)
    }

    /// Counts a compaction that asks nobody, until it has written its last file.
    fn company(self: &Arc<Self>) -> Company {
        self.writing.fetch_add(1, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        Company(self.clone())
    }

    /// How many have begun, and whether one of them is writing. One that begins in between is in the next count.
    fn companions(&self) -> (u64, bool) {
        let begun = self.begun.load(Ordering::SeqCst);
        (begun, self.writing.load(Ordering::SeqCst) > 0)
    }
}

/// A compaction that asks nobody is writing while this lives.
pub(crate) struct Company(Arc<Gate>);

impl Drop for Company {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The pass is on while this lives.
struct OpenGate<'a>(&'a Gate);

impl Drop for OpenGate<'_> {
    fn drop(&mut self) {
        self.0.on.store(false, Ordering::SeqCst);
        *self.0.doomed() = None;
    }
}

/// Makes the filter of each compaction.
pub(crate) struct Filters(pub(crate) Arc<Gate>);

const NAME: &CStr = c"splitstore.doomed";

impl CompactionFilterFactory for Filters {
    type Filter = Filter;

    fn create(&mut self, context: CompactionFilterContext) -> Filter {
        let asks = context.is_manual_compaction && self.0.on.load(Ordering::SeqCst);
        match self.0.doomed().clone().filter(|_| asks) {
            Some(doomed) => Filter::Asks(doomed),
            None => Filter::Keeps { _company: self.0.company() },
        }
    }

    fn name(&self) -> &CStr {
        NAME
    }
}

/// Of one compaction.
pub(crate) enum Filter {
    Asks(Arc<dyn Doomed>),
    /// It keeps everything: there is nobody to ask.
    Keeps {
        _company: Company,
    },
}

impl CompactionFilter for Filter {
    fn filter(&mut self, _level: u32, key: &[u8], _value: &[u8]) -> CompactionDecision {
        match self {
            Self::Asks(doomed) if doomed.is_doomed(key) => CompactionDecision::Remove,
            _ => CompactionDecision::Keep,
        }
    }

    fn name(&self) -> &CStr {
        NAME
    }
}

/// Scans' snapshots that are open, and whether a pass is on: never both.
#[derive(Default)]
pub(crate) struct Scans(Mutex<State>);

#[derive(Default)]
struct State {
    open: usize,
    rewriting: bool,
}

/// An open snapshot, counted.
pub(crate) struct Scan<'a>(&'a Scans);

/// No snapshot is open while this lives.
struct NoScan<'a>(&'a Scans);

impl Scans {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) -> Result<Scan<'_>> {
        let mut state = self.state();
        if state.rewriting {
            let attempt = "take a snapshot of the hot tier while a range of it is rewritten";
            return Err(PortError::bare(ErrorKind::Unavailable, attempt));
        }
        state.open += 1;
        Ok(Scan(self))
    }

    fn shut_out(&self) -> Result<NoScan<'_>> {
        let mut state = self.state();
        if state.open > 0 {
            let attempt =
                format!("rewrite a range of the hot tier, of which {} snapshots are open", state.open);
            return Err(PortError::bare(ErrorKind::Unavailable, attempt));
        }
        state.rewriting = true;
        Ok(NoScan(self))
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        self.0.state().open -= 1;
    }
}

impl Drop for NoScan<'_> {
    fn drop(&mut self) {
        self.0.state().rewriting = false;
    }
}

impl RangeRewrite for RocksHot {
    fn ranges(&self) -> Result<Vec<RewriteRange>> {
        self.ranges_of(PIECE)
    }

    /// A compaction that reads no more than one table writes one, and the engine gives it one thread.
    fn small_ranges(&self) -> Result<Vec<RewriteRange>> {
        self.ranges_of(SMALL)
    }

    /// Compactions into the last level get a pool of their own, of one thread. That is a child of this one, and inherits how it
    /// stands; the pool that makes room for writers stays as it is. Pools are the process's: for all stores in it.
    fn stand_back(&self) {
        if let Ok(mut env) = Env::new() {
            env.set_bottom_priority_background_threads(1);
        }
    }

    fn rewrite(&self, range: &KeyRange, doomed: Arc<dyn Doomed>, interrupt: &Interrupt) -> Result<()> {
        let _one_at_a_time = self.reclaiming.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = format!("rewrite a range of hot tier {}", self.path.display());
        interrupt.check(&attempt)?;
        let _alone = self.scans.shut_out()?;
        let failures = self.background_failures()?;
        let _on = self.gate.open(doomed);
        let (begun, is_writing) = self.gate.companions();
        self.compact_files(range, BottommostLevelCompaction::ForceOptimized);
        if is_writing || self.gate.companions().0 != begun {
            self.compact_files(range, BottommostLevelCompaction::Force);
        }
        self.compacted(failures, &attempt)
    }
}

impl RocksHot {
    fn ranges_of(&self, bytes: u64) -> Result<Vec<RewriteRange>> {
        let layout = self.layout()?;
        let range_of = |piece: Piece| {
            let (reads, needs) = layout.room(&piece);
            let Piece { start, end } = piece;
            RewriteRange { keys: KeyRange { from: start, to: end.as_deref().map(successor) }, reads, needs }
        };
        Ok(pieces(&layout.files, bytes).into_iter().map(range_of).collect())
    }

    /// Compacts a range down to the last level, and of that also files that nothing above touches: those from before
    /// this call (`ForceOptimized`), or all.
    fn compact_files(&self, range: &KeyRange, last: BottommostLevelCompaction) {
        let mut options = CompactOptions::default();
        // The engine's own compactions go on beside ours, or writers would be stalled.
        options.set_exclusive_manual_compaction(false);
        options.set_bottommost_level_compaction(last);
        self.db.compact_range_opt(range.from.as_deref(), range.to.as_deref(), &options);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use splitstore_conformance::sample;
    use splitstore_domain::{BlockKey, ByteCount};
    use splitstore_ports::{Block, BlockReadExt, BlockWrite, Maintenance, ReclaimMode};

    use super::*;
    use crate::RocksOptions;

    type Sample = (cid::Cid, Vec<u8>);

    struct List(HashSet<Vec<u8>>);

    impl Doomed for List {
        fn is_doomed(&self, key: &[u8]) -> bool {
            self.0.contains(key)
        }
    }

    fn list(blocks: &[Sample]) -> Arc<List> {
        Arc::new(List(blocks.iter().map(|(cid, _)| BlockKey::from(cid).as_bytes().to_vec()).collect()))
    }

    fn put(store: &RocksHot, blocks: &[Sample]) {
        for part in blocks.chunks(500) {
            let part: Vec<_> = part.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
            store.put_many(&part).unwrap();
        }
    }

    fn there(store: &RocksHot, blocks: &[Sample]) -> usize {
        let cids: Vec<_> = blocks.iter().map(|(cid, _)| *cid).collect();
        store.get_many(&cids).unwrap().iter().flatten().count()
    }

    #[test]
    fn a_pass_leaves_no_tombstone_and_gives_the_space_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let blocks: Vec<Sample> = (0..4_000).map(|n| sample::sized_block(n, 4_000)).collect();
        put(&store, &blocks);
        store.db.flush().unwrap();
        put(&store, &blocks[..1_000]);
        let (gone, kept) = blocks.split_at(1_000);
        for range in store.ranges().unwrap() {
            assert!(range.needs.0 > 0, "files are read for it");
            store.rewrite(&range.keys, list(gone), &Interrupt::new()).unwrap();
        }
        let files = store.db.live_files().unwrap();
        assert_eq!(files.iter().map(|file| file.num_deletions).sum::<u64>(), 0);
        assert_eq!(files.iter().map(|file| file.num_entries).sum::<u64>(), kept.len() as u64);
        let bytes: usize = files.iter().map(|file| file.size).sum();
        assert!(bytes < 3_000 * 4_000 * 11 / 10, "{bytes} bytes for 3000 blocks of 4000");
        assert_eq!((there(&store, gone), there(&store, kept)), (0, kept.len()));
    }

    #[test]
    fn small_ranges_need_less_room_each_and_hold_every_key_as_the_others_do() {
        let folder = tempfile::tempdir().unwrap();
        let store = RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let blocks: Vec<Sample> = (0..800).map(|n| sample::sized_block(n, 200_000)).collect();
        put(&store, &blocks);
        store.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
        let (large, small) = (store.ranges().unwrap(), store.small_ranges().unwrap());
        let most = |ranges: &[RewriteRange]| ranges.iter().map(|range| range.needs).max();
        assert!(small.len() > large.len(), "{} ranges, {} small ones", large.len(), small.len());
        assert!(most(&small) < most(&large));
        for range in &small {
            store.rewrite(&range.keys, list(&blocks[..400]), &Interrupt::new()).unwrap();
        }
        assert_eq!((there(&store, &blocks[..400]), there(&store, &blocks[400..])), (0, 400));
    }

    /// Tells on which threads it was asked: their nice values.
    #[cfg(target_os = "linux")]
    #[derive(Default)]
    struct Asked(Mutex<HashSet<String>>);

    #[cfg(target_os = "linux")]
    impl Doomed for Asked {
        fn is_doomed(&self, _key: &[u8]) -> bool {
            self.0.lock().unwrap().insert(nice());
            true
        }
    }

    /// That of the calling thread: the 19th field of its line.
    #[cfg(target_os = "linux")]
    fn nice() -> String {
        let line = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, behind_name) = line.rsplit_once(") ").unwrap();
        behind_name.split(' ').nth(16).unwrap().to_owned()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_rewrite_for_a_thread_that_stands_back_is_on_one_that_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let blocks: Vec<Sample> = (0..800).map(|n| sample::sized_block(n, 200_000)).collect();
        put(&store, &blocks);
        store.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
        let (asked, before) = (Arc::new(Asked::default()), nice());
        let run = || {
            rustix::process::setpriority_process(None, 7).unwrap();
            store.stand_back();
            for range in store.small_ranges().unwrap() {
                store.rewrite(&range.keys, asked.clone(), &Interrupt::new()).unwrap();
            }
            nice()
        };
        let own = std::thread::scope(|scope| scope.spawn(run).join().unwrap());
        assert_eq!((own.as_str(), nice()), ("7", before));
        assert_eq!(*asked.0.lock().unwrap(), HashSet::from([own]));
    }

    /// The engine's own compactions ask nobody, also while a pass is on.
    #[test]
    fn compactions_that_nobody_asked_for_drop_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let options = RocksOptions { write_buffers: ByteCount(1 << 20), ..RocksOptions::default() };
        let store = RocksHot::open(folder.path(), options).unwrap();
        let blocks: Vec<Sample> = (0..8_000).map(|n| sample::sized_block(n, 2_000)).collect();
        let on = store.gate.open(list(&blocks));
        for _ in 0..2 {
            put(&store, &blocks);
        }
        store.db.wait_for_compact(&rocksdb::WaitForCompactOptions::default()).unwrap();
        let files = store.db.live_files().unwrap();
        assert!(files.iter().any(|file| file.level > 0), "nothing was compacted");
        drop(on);
        assert_eq!(there(&store, &blocks), blocks.len());
    }

    /// Nobody is asked about the files that a compaction of the engine's own writes while a pass begins.
    #[test]
    fn a_pass_beside_compactions_of_the_engines_own_leaves_nothing_doomed() {
        let folder = tempfile::tempdir().unwrap();
        let store = RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let blocks: Vec<Sample> = (0..12_000).map(|n| sample::sized_block(n, 20_000)).collect();
        for part in blocks.chunks(3_000) {
            put(&store, part);
            store.db.flush().unwrap();
        }
        let gone = list(&blocks);
        for range in store.ranges().unwrap() {
            store.rewrite(&range.keys, gone.clone(), &Interrupt::new()).unwrap();
        }
        assert_eq!(there(&store, &blocks), 0);
    }

    /// An engine that has stopped after an error compacts nothing, and counts no failure for that.
    #[test]
    fn a_pass_over_an_engine_that_has_stopped_fails_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let blocks: Vec<Sample> = (0..4_000).map(|n| sample::sized_block(n, 4_000)).collect();
        put(&store, &blocks);
        store.db.flush().unwrap();
        for file in store.db.live_files().unwrap() {
            let file = folder.path().join(file.name.trim_start_matches('/'));
            std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(1 << 20).unwrap();
        }
        let all = KeyRange { from: None, to: None };
        for attempt in 0..3 {
            let done = store.rewrite(&all, list(&blocks), &Interrupt::new());
            assert!(done.is_err(), "attempt {attempt}");
        }
    }
}
