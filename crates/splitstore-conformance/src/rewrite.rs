//! Clauses of `RangeRewrite`, for hot tiers that offer it. One that does not passes them all: it may.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_ports::{
    Block, BlockRead, BlockWrite, Doomed, ErrorKind, HotStore, Interrupt, KeyRange, KeyScan, Notes,
    RangeRewrite,
};

use crate::probe::{assert_holds, assert_lacks, open, put_all, scanned_keys};
use crate::{Fixture, sample};

type Sample = (Cid, Vec<u8>);

/// A list of what goes, from which blocks can be taken; and the first key that was decided against.
struct List(Mutex<HashSet<Vec<u8>>>, OnceLock<Vec<u8>>);

impl List {
    fn of(blocks: &[Sample]) -> Arc<Self> {
        let keys = blocks.iter().map(|(cid, _)| BlockKey::from(cid).as_bytes().to_vec());
        Arc::new(Self(Mutex::new(keys.collect()), OnceLock::new()))
    }

    fn spare(&self, cid: &Cid) {
        self.0.lock().expect("nobody panics under it").remove(BlockKey::from(cid).as_bytes());
    }
}

impl Doomed for List {
    fn is_doomed(&self, key: &[u8]) -> bool {
        let doomed = self.0.lock().expect("nobody panics under it").contains(key);
        if doomed {
            self.1.get_or_init(|| key.to_vec());
        }
        doomed
    }
}

fn rewrite_all(rewrite: &dyn RangeRewrite, doomed: &Arc<List>) {
    for range in rewrite.ranges().expect("cut the keys in ranges") {
        rewrite.rewrite(&range.keys, doomed.clone(), &Interrupt::new()).expect("rewrite a range");
    }
}

/// "Of every key that was doomed from the call's beginning to its end no version is found; every block that was not
/// doomed is found", wherever the versions are, also over reopening.
pub fn a_rewrite_leaves_out_what_is_doomed_and_nothing_else(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(rewrite) = store.range_rewrite() else { return };
    let blocks = sample::blocks(0..1_000);
    put_all(&store, &blocks);
    rewrite_all(rewrite, &List::of(&[]));
    assert_holds(&store, &blocks);
    // Second versions of half of them.
    put_all(&store, &blocks[..500]);
    let (cid, data) = &blocks[0];
    store.put_many_noting(&[Block { cid: *cid, data }], b"a note is no block").expect("put with a note");
    let (gone, kept) = blocks.split_at(250);
    rewrite_all(rewrite, &List::of(gone));
    let check = |store: &_| {
        assert_lacks(store, gone);
        assert_holds(store, kept);
        assert_eq!(scanned_keys(store).len(), kept.len());
        let mut notes = 0;
        Notes::notes(store, &mut |_| notes += 1).expect("read notes");
        assert_eq!(notes, 1);
    };
    check(&store);
    store.sync().expect("sync");
    drop(store);
    if fixture.caps().persistent == crate::Persistent::Yes {
        check(&open(fixture));
    }
}

/// "Ranges that hold every key once, in ascending order."
pub fn ranges_to_rewrite_make_the_whole(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(rewrite) = store.range_rewrite() else { return };
    put_all(&store, &sample::blocks(0..1_000));
    for ranges in [rewrite.ranges(), rewrite.small_ranges()] {
        let ranges = ranges.expect("cut the keys in ranges");
        let mut at = None;
        for KeyRange { from, to } in ranges.iter().map(|range| &range.keys) {
            assert_eq!(*from, at, "a range begins where the one before ends");
            assert!(to.is_none() || to > from, "{from:02x?} to {to:02x?}");
            at.clone_from(to);
        }
        assert_eq!(at, None, "the last has no end");
        assert_eq!(ranges[0].keys.from, None, "the first has no beginning");
    }
}

/// A block outside the range stays, doomed or not.
pub fn a_rewrite_of_a_range_touches_no_other(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(rewrite) = store.range_rewrite() else { return };
    let mut blocks = sample::blocks(0..300);
    blocks.sort_by_key(|(cid, _)| BlockKey::from(cid));
    put_all(&store, &blocks);
    let bytes = |at: usize| Some(BlockKey::from(&blocks[at].0).as_bytes().to_vec());
    let range = KeyRange { from: bytes(100), to: bytes(200) };
    // An engine may take in a key too many at the end of a range if it is on the list: keys of one range are.
    rewrite.rewrite(&range, List::of(&blocks[100..200]), &Interrupt::new()).expect("rewrite a range");
    assert_lacks(&store, &blocks[100..200]);
    assert_holds(&store, &blocks[..100]);
    assert_holds(&store, &blocks[200..]);
}

/// What goes for good must not come back when the engine rests, reclaims or is opened anew; what is put again is there.
pub fn what_a_rewrite_left_out_can_be_put_again(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(rewrite) = store.range_rewrite() else { return };
    let blocks = sample::blocks(0..200);
    put_all(&store, &blocks);
    let list = List::of(&blocks[..100]);
    rewrite_all(rewrite, &list);
    assert_lacks(&store, &blocks[..100]);
    put_all(&store, &blocks[..50]);
    // The list still names them, and no pass is on.
    if let Some(maintenance) = store.maintenance() {
        maintenance.reclaim(splitstore_ports::ReclaimMode::Full, &Interrupt::new()).expect("reclaim");
    }
    assert_holds(&store, &blocks[..50]);
    assert_lacks(&store, &blocks[50..100]);
    assert_holds(&store, &blocks[100..]);
}

/// "About none in the same pass that was written after the answer": blocks that were decided against, are taken off the
/// list and put again on another thread while the pass goes on, are there, also after further passes.
pub fn what_is_put_again_beside_a_rewrite_stays(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(rewrite) = store.range_rewrite() else { return };
    let blocks = sample::blocks(0..4_000);
    put_all(&store, &blocks);
    rewrite_all(rewrite, &List::of(&[]));
    let list = List::of(&blocks);
    let ended = AtomicBool::new(false);
    let kept = std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            while list.1.get().is_none() {
                std::thread::yield_now();
            }
            let decided = list.1.get().expect("it was asked");
            let is_first = |(cid, _): &&Sample| BlockKey::from(cid).as_bytes() == decided.as_slice();
            let first = blocks.iter().find(is_first).expect("nothing else is on the list");
            let again: Vec<&Sample> = [first].into_iter().chain(blocks.iter().step_by(3)).collect();
            for (cid, data) in &again {
                list.spare(cid);
                store.put_many(&[Block { cid: *cid, data }]).expect("put again");
            }
            ended.store(true, Ordering::Relaxed);
            again.into_iter().cloned().collect::<Vec<Sample>>()
        });
        while !ended.load(Ordering::Relaxed) {
            rewrite_all(rewrite, &list);
        }
        writer.join().expect("the writer does not panic")
    });
    rewrite_all(rewrite, &list);
    assert_holds(&store, &kept);
    let keys: HashSet<BlockKey> = kept.iter().map(|(cid, _)| BlockKey::from(cid)).collect();
    assert_eq!(scanned_keys(&store).len(), keys.len());
}

/// "With a snapshot open `rewrite` is `Unavailable`", or the snapshot keeps what it held.
pub fn a_rewrite_takes_nothing_from_a_snapshot(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let (Some(rewrite), Some(scan)) = (store.range_rewrite(), store.block_scan()) else { return };
    let blocks = sample::blocks(0..100);
    put_all(&store, &blocks);
    let snapshot = scan.snapshot().expect("take a snapshot");
    let rewritten = rewrite.rewrite(&KeyRange::default(), List::of(&blocks), &Interrupt::new());
    let mut held = 0;
    let mut count = |_: &splitstore_ports::ScannedBlock<'_>| {
        held += 1;
        std::ops::ControlFlow::Continue(())
    };
    snapshot.scan(&KeyRange::default(), &mut count).expect("scan blocks");
    assert_eq!(held, blocks.len());
    drop(snapshot);
    match rewritten {
        Ok(()) => assert_lacks(&store, &blocks),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_holds(&store, &blocks);
            rewrite_all(rewrite, &List::of(&blocks));
            assert_lacks(&store, &blocks);
        }
    }
}

/// "Views and key scans under way keep their data."
pub fn views_and_scans_keep_their_data_beside_a_rewrite(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(rewrite) = store.range_rewrite() else { return };
    let blocks = sample::blocks(0..100);
    put_all(&store, &blocks);
    let mut cursor = store.keys().expect("begin a scan");
    let (cid, data) = &blocks[7];
    let there = store.view(cid, &mut |bytes| {
        rewrite_all(rewrite, &List::of(&blocks));
        assert_eq!(bytes, data);
    });
    assert!(there.expect("view"));
    let mut seen = Vec::new();
    cursor.next_batch(&mut seen, 1_000).expect("scan keys");
    assert_eq!(seen.len(), blocks.len());
    drop(cursor);
    assert_lacks(&store, &blocks);
}

/// "`Interrupted` before it begins": nothing is removed.
pub fn an_interrupted_rewrite_loses_nothing(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(rewrite) = store.range_rewrite() else { return };
    let blocks = sample::blocks(0..100);
    put_all(&store, &blocks);
    let interrupt = Interrupt::new();
    interrupt.raise();
    let refused = rewrite
        .rewrite(&KeyRange::default(), List::of(&blocks), &interrupt)
        .expect_err("it was asked to stop");
    assert_eq!(refused.kind(), ErrorKind::Interrupted);
    assert_holds(&store, &blocks);
}
