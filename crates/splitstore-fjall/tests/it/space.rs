//! Size on disk and giving it back.

use splitstore_conformance::sample::sized_block;
use splitstore_ports::{BlockDelete, BlockReadExt, BlockWrite, Interrupt, KeyScan, Maintenance, ReclaimMode};

use crate::sample::{keys, open, put};

const BLOCKS: u64 = 10_000;
const LEN: usize = 4096;

/// 40 MB of blocks of which nine in ten are deleted again.
#[test]
fn a_full_reclaim_gives_the_space_of_deleted_blocks_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let blocks: Vec<_> = (0..BLOCKS).map(|n| sized_block(n, LEN)).collect();
    blocks.chunks(1000).for_each(|part| put(&store, part));
    // An online reclaim brings what was written into tables.
    store.reclaim(ReclaimMode::Online, &Interrupt::new()).unwrap();
    let (kept, gone) = blocks.split_at(blocks.len() / 10);
    store.delete_many(&keys(gone)).unwrap();
    store.sync().unwrap();

    let reclaimed = store.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
    assert_eq!(reclaimed.after, store.size_on_disk().unwrap());
    let live = kept.len() as u64 * LEN as u64;
    assert!(reclaimed.before.0 > 9 * live, "{reclaimed:?}");
    assert!(reclaimed.after.0 < 2 * live, "{reclaimed:?}, live {live}");
    for (cid, data) in kept {
        assert_eq!(store.get(cid).unwrap().as_ref(), Some(data));
    }
    let mut left = vec![];
    store.keys().unwrap().next_batch(&mut left, blocks.len()).unwrap();
    assert_eq!(left.len(), kept.len());
}

#[test]
fn size_on_disk_is_what_the_disk_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, &(0..1000).map(|n| sized_block(n, LEN)).collect::<Vec<_>>());
    store.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
    let data = 1000 * LEN as u64;
    let size = store.size_on_disk().unwrap().0;
    assert!((data..data + data / 4).contains(&size), "{size} bytes for {data} of data");
    assert!(store.full_reclaim_needs().unwrap().0 > size);
}

#[test]
fn what_a_killed_reclaim_left_goes_with_the_next_open() {
    let folder = tempfile::tempdir().unwrap();
    let (cid, data) = sized_block(1, LEN);
    put(&open(folder.path()), &[(cid, data.clone())]);
    let raw = fjall::Database::builder(folder.path()).open().unwrap();
    let fill = raw.keyspace("fill", fjall::KeyspaceCreateOptions::default).unwrap();
    fill.insert("zeros", vec![0; 1 << 20]).unwrap();
    drop((fill, raw));
    assert_eq!(open(folder.path()).get(&cid).unwrap(), Some(data));
    assert!(!fjall::Database::builder(folder.path()).open().unwrap().keyspace_exists("fill"));
}
