//! How much is done at once changes nothing about what is done.

use std::num::NonZeroUsize;

use splitstore_domain::{ColdPolicy, MarkedBy};
use splitstore_memory::Call;
use splitstore_orchestrator::{Batches, Error, MarkStrategy};
use splitstore_ports::{Block, BlockWrite, BlockWriteExt, ErrorKind};

use crate::rig::{MODES, Mode, Rig, finish, generated, raw_block, step_to};

/// Every size the same.
fn all(size: usize) -> Batches {
    let size = NonZeroUsize::new(size).unwrap();
    Batches {
        roots: size,
        scan: size,
        chunk: size,
        transfer_blocks: size,
        transfer_bytes: size,
        exclusive: size,
        cursor: size,
    }
}

fn rig(batches: Batches) -> Rig {
    let (blocks, head, _) = generated(40, 5);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.batches = batches;
    rig.load(&blocks, &head);
    rig
}

#[test]
fn the_size_of_batches_changes_nothing_about_what_stays_and_moves() {
    let keys = [Batches::default(), all(1), all(2), all(7)].map(|batches| {
        let rig = rig(batches);
        let (store, _chain) = rig.open().unwrap();
        store.compact().unwrap();
        (rig.hot_keys(), rig.cold_keys())
    });
    assert!(!keys[0].1.is_empty());
    for other in &keys[1..] {
        assert!(keys[0] == *other);
    }
}

#[test]
fn a_run_is_resumed_with_the_chunks_it_was_begun_with() {
    let whole = rig(Batches::default());
    let (store, _chain) = whole.open().unwrap();
    store.compact().unwrap();
    let mut rig = rig(all(3));
    {
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "purge");
        for _ in 0..4 {
            run.step().unwrap();
        }
    }
    rig.crash();
    rig.batches = all(5);
    rig.open().unwrap();
    assert!(rig.hot_keys() == whole.hot_keys(), "the purge was finished from its cursor");
}

#[test]
fn a_chunk_never_outgrows_its_record() {
    let rig = rig(Batches { chunk: NonZeroUsize::MAX, scan: NonZeroUsize::MAX, ..Batches::default() });
    let (store, _chain) = rig.open().unwrap();
    let first = store.plan().unwrap().candidates().blocks;
    let more = Batches::CHUNK_MAX as u64 * 4;
    for number in 0..more {
        let (cid, data) = raw_block(&number.to_le_bytes());
        rig.hot.put(&cid, &data).unwrap();
    }
    assert_eq!(store.compact().unwrap().plan.candidates().blocks, first + more);
}

#[test]
fn who_steps_a_run_stops_the_store_drops_the_run_and_closes() {
    let rig = rig(all(3));
    let (store, chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "transfer");
    let before = rig.hot_keys();
    store.stop();
    assert!(matches!(run.step(), Err(Error::Stopped(phase)) if phase.name() == "transfer"));
    drop(run);
    store.close().unwrap();
    assert!(matches!(store.compact(), Err(Error::Stopped(_))), "no run takes a step afterwards");
    assert_eq!(rig.hot_keys(), before);
    drop((store, chain));
    let (store, _chain) = rig.open().unwrap();
    finish(store.begin().unwrap());
}

/// So many that a second thread writes to cold.
#[test]
fn what_moves_on_two_threads_is_all_there_or_hot_stays_as_it_was() {
    let garbage: Vec<_> = (0_u32..66_000).map(|number| raw_block(&number.to_le_bytes())).collect();
    for mode in &MODES[..2] {
        let batches = Batches { transfer_blocks: NonZeroUsize::new(10_000).unwrap(), ..Batches::default() };
        let rig = Rig { mode: *mode, ..rig(batches) };
        let blocks: Vec<_> = garbage.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        rig.hot.put_many(&blocks).unwrap();
        rig.hot.sync().unwrap();
        let before = rig.hot_keys();
        let (store, _chain) = rig.open().unwrap();
        for (nth, kind) in [(1, ErrorKind::Full), (3, ErrorKind::Unavailable)] {
            rig.cold.fail_nth_where(nth, kind, |call| matches!(call, Call::Put(_)));
            let error = store.compact().unwrap_err().to_string();
            assert!(error.contains("put"), "{error}");
            assert!(rig.hot_keys() == before, "nothing was deleted after a write that failed");
            rig.cold.heal();
        }
        let report = store.compact().unwrap();
        let cold = rig.cold_keys();
        assert_eq!(cold.len() as u64, report.plan.transfer.blocks);
        assert!(garbage.iter().all(|(cid, _)| cold.contains(&cid.into())));
        assert!(&rig.hot_keys() | &cold == before);
    }
}

/// It is written in the time that is left until cold has a batch, and whole before the seal.
#[test]
fn a_link_index_that_is_written_beside_a_move_serves_the_next_run() {
    let batches = Batches { transfer_blocks: NonZeroUsize::new(10_000).unwrap(), ..Batches::default() };
    let mode = Mode { strategy: MarkStrategy::Links, id_bits: 63 };
    let rig = Rig { mode, ..rig(batches) };
    let (store, _chain) = rig.open().unwrap();
    for expected in [MarkedBy::Scan, MarkedBy::Links, MarkedBy::Links] {
        let garbage: Vec<_> = (0_u32..66_000).map(|number| raw_block(&number.to_le_bytes())).collect();
        let blocks: Vec<_> = garbage.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        store.put_many(&blocks).unwrap();
        let report = store.compact().unwrap();
        assert_eq!(report.marking.by, expected, "{}", report.marking);
        assert!(report.plan.transfer.blocks >= 66_000, "two threads");
        let audit = store.audit().unwrap();
        assert!(audit.is_clean() && audit.indexed_blocks > Some(0), "{:?}", audit.violations);
    }
}
