//! Clauses of `BlockScan`, for hot tiers that offer it. One that does not passes them all: it may.

use std::ops::ControlFlow;

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_domain::object::RAW;
use splitstore_ports::{Block, BlockDelete, BlockSnapshot, HotStore, KeyRange, Notes, ScannedBlock};

use crate::probe::{open, put, put_all, scan};
use crate::{Fixture, sample};

/// A block of a scan, copied.
type Seen = (BlockKey, u64, Vec<u8>);

fn scanned(snapshot: &dyn BlockSnapshot, range: &KeyRange) -> Vec<Seen> {
    // A hint changes nothing about what is seen.
    snapshot.expect(range);
    let mut seen = Vec::new();
    let mut note = |block: &ScannedBlock<'_>| {
        seen.push((block.key.clone(), block.codec, block.data.to_vec()));
        ControlFlow::Continue(())
    };
    snapshot.scan(range, &mut note).expect("scan blocks");
    seen
}

fn whole(snapshot: &dyn BlockSnapshot) -> Vec<Seen> {
    scanned(snapshot, &KeyRange::default())
}

fn sorted(blocks: &[(Cid, Vec<u8>)]) -> Vec<Seen> {
    let seen = |(cid, data): &(Cid, Vec<u8>)| (BlockKey::from(cid), cid.codec(), data.clone());
    let mut all: Vec<Seen> = blocks.iter().map(seen).collect();
    all.sort();
    all
}

fn varied() -> Vec<(Cid, Vec<u8>)> {
    let mut blocks = sample::blocks(0..500);
    blocks.extend([sample::sha2_256_block(RAW), sample::dag_block(), sample::sized_block(0, 0)]);
    blocks
}

/// "Shows every block of a range once, in ascending order of the key's bytes."
pub fn a_block_scan_shows_each_block_whole_and_in_order(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(blocks) = store.block_scan() else { return };
    assert_eq!(whole(&*blocks.snapshot().expect("take a snapshot")), [], "nothing was put");
    let all = varied();
    put_all(&store, &all[..300]);
    put_all(&store, &all[200..]);
    let (cid, data) = &all[7];
    store.put_many_noting(&[Block { cid: *cid, data }], b"a note is no block").expect("put with a note");
    let snapshot = blocks.snapshot().expect("take a snapshot");
    assert_eq!(whole(&*snapshot), sorted(&all));
    assert_eq!(whole(&*snapshot), sorted(&all), "as often as one likes");
    let keys: Vec<BlockKey> = scan(&store, 100).into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, whole(&*snapshot).into_iter().map(|(key, ..)| key).collect::<Vec<_>>());
}

/// "Ranges of about equal size that hold every key once, in ascending order: `parts` of them, or fewer."
pub fn ranges_of_a_block_scan_make_the_whole(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(blocks) = store.block_scan() else { return };
    let all = varied();
    put_all(&store, &all);
    let snapshot = blocks.snapshot().expect("take a snapshot");
    for parts in [1, 2, 7, 10_000] {
        let ranges = snapshot.ranges(parts).expect("cut the keys in ranges");
        assert!((1..=parts).contains(&ranges.len()), "{} ranges for {parts} parts", ranges.len());
        let pieces: Vec<Seen> = ranges.iter().flat_map(|range| scanned(&*snapshot, range)).collect();
        assert_eq!(pieces, sorted(&all), "in {parts} parts");
    }
}

/// `from` is included, `to` is not.
pub fn a_range_includes_its_start_and_not_its_end(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(blocks) = store.block_scan() else { return };
    put_all(&store, &varied());
    let snapshot = blocks.snapshot().expect("take a snapshot");
    let all = whole(&*snapshot);
    let bytes = |at: usize| Some(all[at].0.as_bytes().to_vec());
    assert_eq!(scanned(&*snapshot, &KeyRange { from: bytes(7), to: bytes(11) }), all[7..11]);
    assert_eq!(scanned(&*snapshot, &KeyRange { from: bytes(11), to: bytes(11) }), []);
    assert_eq!(scanned(&*snapshot, &KeyRange { from: None, to: bytes(3) }), all[..3]);
    assert_eq!(scanned(&*snapshot, &KeyRange { from: bytes(3), to: None }), all[3..]);
}

/// "A snapshot holds the blocks that were there when it was made, whatever is put or deleted afterwards."
pub fn a_snapshot_is_of_one_moment(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(blocks) = store.block_scan() else { return };
    let all = varied();
    put_all(&store, &all[..100]);
    let snapshot = blocks.snapshot().expect("take a snapshot");
    put_all(&store, &all[100..]);
    put(&store, &Cid::new_v1(RAW + 1, *all[5].0.hash()), &all[5].1);
    let gone: Vec<BlockKey> = all[..50].iter().map(|(cid, _)| BlockKey::from(cid)).collect();
    store.delete_many(&gone).expect("delete blocks");
    assert_eq!(whole(&*snapshot), sorted(&all[..100]));
    drop(snapshot);
    assert_eq!(whole(&*blocks.snapshot().expect("take another")).len(), all.len() - 50);
}

/// "The same from `from` to the end, for a caller who soon breaks off."
pub fn a_look_begins_where_it_is_told(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(blocks) = store.block_scan() else { return };
    put_all(&store, &varied());
    let snapshot = blocks.snapshot().expect("take a snapshot");
    let all = whole(&*snapshot);
    for at in [0, 1, 250, all.len() - 1] {
        let mut seen = Vec::new();
        let mut note = |block: &ScannedBlock<'_>| {
            seen.push((block.key.clone(), block.codec, block.data.to_vec()));
            if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        snapshot.look(all[at].0.as_bytes(), &mut note).expect("look at blocks");
        assert_eq!(seen, all[at..all.len().min(at + 3)]);
    }
}

/// "`Break` ends it."
pub fn a_block_scan_ends_when_told(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(blocks) = store.block_scan() else { return };
    put_all(&store, &varied());
    let snapshot = blocks.snapshot().expect("take a snapshot");
    let mut shown = 0;
    let mut count = |_: &ScannedBlock<'_>| {
        shown += 1;
        if shown == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    snapshot.scan(&KeyRange::default(), &mut count).expect("scan blocks");
    assert_eq!(shown, 10);
}

/// "Any number of scans at a time, from any number of threads."
pub fn one_snapshot_serves_many_threads(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(blocks) = store.block_scan() else { return };
    let all = varied();
    put_all(&store, &all);
    let snapshot = blocks.snapshot().expect("take a snapshot");
    let ranges = snapshot.ranges(4).expect("cut the keys in ranges");
    let pieces: Vec<Vec<Seen>> = std::thread::scope(|threads| {
        let snapshot = &*snapshot;
        let scans: Vec<_> =
            ranges.iter().map(|range| threads.spawn(move || scanned(snapshot, range))).collect();
        scans.into_iter().map(|scan| scan.join().expect("a scan on a thread of its own")).collect()
    });
    assert_eq!(pieces.concat(), sorted(&all));
}
