//! Clauses on readers beside writers.

use std::sync::atomic::{AtomicBool, Ordering};

use cid::Cid;
use splitstore_ports::{BlockDelete, BlockReadExt, HotStore};

use crate::probe::{Blocks, assert_holds, assert_lacks, keys_of, open, put_all, scanned_keys};
use crate::{Fixture, sample};

const BLOCKS: u64 = 400;
const BATCH: usize = 20;
const READERS: usize = 4;

/// "Any number of readers beside one another and beside writers": what they see is whole.
pub fn readers_beside_a_writer_see_whole_blocks(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..BLOCKS);
    beside_readers(&store, &blocks, || blocks.chunks(BATCH).for_each(|batch| put_all(&store, batch)));
    assert_holds(&store, &blocks);
}

/// "Writers MAY be serialised among themselves": from several threads at once, all that returned is there.
pub fn writers_on_many_threads_lose_nothing(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..BLOCKS);
    std::thread::scope(|scope| {
        for share in blocks.chunks(blocks.len() / READERS) {
            let store = &store;
            scope.spawn(move || share.chunks(BATCH).for_each(|batch| put_all(store, batch)));
        }
    });
    assert_holds(&store, &blocks);
    assert_eq!(scanned_keys(&store).len(), blocks.len());
}

/// "Any number of readers ... beside writers", also where these delete.
pub fn readers_beside_deletes_see_whole_blocks(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..BLOCKS);
    beside_readers(&store, &blocks, || {
        for batch in blocks.chunks(BATCH) {
            put_all(&store, batch);
            store.delete_many(&keys_of(&batch[..BATCH / 2])).expect("delete");
        }
    });
    for batch in blocks.chunks(BATCH) {
        assert_lacks(&store, &batch[..BATCH / 2]);
        assert_holds(&store, &batch[BATCH / 2..]);
    }
}

/// Runs `write` while readers check that each block they meet is whole; each reads on after the writer ended.
fn beside_readers(store: &impl Blocks, blocks: &[(Cid, Vec<u8>)], write: impl FnOnce()) {
    let done = Done(AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                loop {
                    let last = done.0.load(Ordering::Acquire);
                    read_once(store, blocks);
                    if last {
                        break;
                    }
                }
            });
        }
        let _tell = TellDone(&done);
        write();
    });
}

struct Done(AtomicBool);

/// Ends the readers also when the writer panics: a failing clause must not hang.
struct TellDone<'a>(&'a Done);

impl Drop for TellDone<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

fn read_once(store: &impl Blocks, blocks: &[(Cid, Vec<u8>)]) {
    let cids: Vec<_> = blocks.iter().step_by(7).map(|(cid, _)| *cid).collect();
    let found = store.get_many(&cids).expect("view many beside a writer");
    for (found, (cid, data)) in found.iter().zip(blocks.iter().step_by(7)) {
        assert!(found.as_ref().is_none_or(|found| found == data), "{cid} was torn");
    }
    let (cid, data) = &blocks[blocks.len() / 2];
    let found = store.get(cid).expect("view beside a writer");
    assert!(found.is_none_or(|found| found == *data), "{cid} was torn");
    let keys = scanned_keys(store);
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "a scan beside a writer is ordered");
}
