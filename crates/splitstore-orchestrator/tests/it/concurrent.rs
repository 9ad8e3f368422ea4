//! Compactions beside readers and a writer: what is live reads at every moment, what was acknowledged stays.
//!
//! A first look only: the simulator and the real-store load tests are another job.

use std::sync::atomic::{AtomicBool, Ordering};

use splitstore_domain::{ColdPolicy, Epoch, Phase, Policy, Window};
use splitstore_fixtures::oracle;
use splitstore_ports::cid::Cid;
use splitstore_ports::{Block, BlockRead, BlockWrite, BlockWriteExt};

use crate::rig::{Rig, generated, list_block, raw_block};

const RUNS: u64 = 30;

#[test]
fn live_blocks_read_and_acknowledged_blocks_stay_while_compactions_run() {
    let (blocks, head, height) = generated(24, 61);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.load(&blocks, &head);
    let window = Window::at(height, Epoch::GENESIS, &Policy::new(rig.settings).unwrap());
    let live = oracle::expected_hot(&blocks, &head, &window).unwrap();
    let (store, _chain) = rig.open().unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    for cid in &live {
                        assert_eq!(store.get(cid).unwrap().as_ref(), blocks.get(cid), "{cid}");
                    }
                }
            });
        }
        scope.spawn(|| write_and_rely(&store, &ended));
        for run in 1..=RUNS {
            assert_eq!(store.compact().unwrap().index, run);
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert!(store.audit().unwrap().is_clean());
}

/// Does what a virtual machine does: asks whether a subtree is there, writes it if not, and relies on all of it
/// for as long as the run goes on in which it asked.
fn write_and_rely(store: &splitstore_orchestrator::SplitStore, ended: &AtomicBool) {
    let mut round = 0_u32;
    while !ended.load(Ordering::Relaxed) {
        // Few different leaves, so that most of them are old garbage when they are wanted again.
        let leaf = raw_block(&(round % 7).to_le_bytes());
        let inner = list_block(&[leaf.0]);
        let root = list_block(&[inner.0, raw_block(&round.to_le_bytes()).0]);
        let before = store.info().unwrap();
        if !store.has(&inner.0).unwrap() {
            // In one batch: a leaf that was put before its parent may be gone, with a whole run, before that comes.
            let both = [&leaf, &inner].map(|(cid, data)| Block { cid: *cid, data });
            store.put_many(&both).unwrap();
        }
        store.put(&root.0, &root.1).unwrap();
        let relied: [&Cid; 3] = [&root.0, &inner.0, &leaf.0];
        let found = relied.map(|cid| store.has(cid).unwrap());
        // Only the run in which the question was asked owes the answer.
        let asked_in_a_run = (Phase::Mark..=Phase::Seal).contains(&before.phase.phase);
        if asked_in_a_run && store.info().unwrap().compactions == before.compactions {
            assert_eq!(found, [true; 3], "round {round}");
        }
        round += 1;
    }
}
