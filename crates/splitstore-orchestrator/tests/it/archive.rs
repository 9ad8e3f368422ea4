//! Cold keeps what is below its blocks, whatever policy it was filled under, and whatever broke a run off.

use std::collections::BTreeSet;
use std::sync::Arc;

use splitstore_domain::{BlockKey, ColdPolicy, Epoch, Policy, Window};
use splitstore_fixtures::drawing::{self, Drawing};
use splitstore_fixtures::oracle;
use splitstore_memory::Call;
use splitstore_orchestrator::{SplitStore, Trigger};
use splitstore_ports::cid::Cid;
use splitstore_ports::{Block, BlockRead, BlockWrite, ErrorKind, MetaCell, MetaStore, NoObserver};

use crate::rig::{MODES, Rig, key_set, list_block, raw_block, step_to};

/// A chain of blocks `c<height>` up to 60, and one that leaves it at 5: blocks `f<height>`.
fn drawn() -> Drawing {
    let canonical = (0..=60).map(|height| format!("{height}: c{height}"));
    let fork = (7..=70).map(|height| format!("{height}: f{height} on=f{}", height - 1));
    let all: Vec<String> = canonical.chain(["6: f6 on=c5".into()]).chain(fork).collect();
    drawing::chain(&all.join("; ")).unwrap()
}

/// The store with all blocks in hot, at this head.
fn open(rig: &mut Rig, drawn: &Drawing, head: &str) -> SplitStore {
    rig.load(drawn.blocks.iter().map(|(cid, data)| (cid, data)), &[drawn.names[head]]);
    rig.open().unwrap().0
}

fn all(drawn: &Drawing) -> BTreeSet<BlockKey> {
    key_set(drawn.blocks.iter().map(|(cid, _)| cid))
}

/// What the table says of a chain with this head, at this height: hot, and cold under `messages`.
fn table(rig: &Rig, drawn: &Drawing, head: &str, height: u64) -> [BTreeSet<BlockKey>; 2] {
    let window = Window::at(Epoch::new(height), Epoch::GENESIS, &Policy::new(rig.settings).unwrap());
    let (blocks, head): (_, &[Cid]) = (drawn.map(), &[drawn.names[head]]);
    let hot = oracle::expected_hot(&blocks, head, &window).unwrap();
    let cold = oracle::expected_cold(&blocks, head, &window, ColdPolicy::Messages).unwrap();
    [key_set(&hot), key_set(&cold)]
}

#[test]
fn the_first_run_after_universal_copies_all_of_hot_and_the_next_ones_do_not() {
    let drawn = drawn();
    for then in [ColdPolicy::Messages, ColdPolicy::Discard] {
        for mode in MODES {
            let mut rig = Rig { mode, ..Rig::new(2, ColdPolicy::Universal) };
            open(&mut rig, &drawn, "c40").compact().unwrap();
            rig.settings.cold_policy = then;
            let plan = open(&mut rig, &drawn, "c42").compact().unwrap().plan;
            assert_eq!(rig.cold_keys(), all(&drawn), "{then}, {mode:?}");
            assert!(plan.copy.blocks > 0 && plan.drop.blocks == 0, "{then}, {mode:?}: {plan}");
            assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c42", 42)[0], "{then}, {mode:?}");
            let plan = open(&mut rig, &drawn, "c44").compact().unwrap().plan;
            assert!(plan.copy.blocks == 0 && plan.drop.blocks > 0, "{then}, {mode:?}: {plan}");
        }
    }
}

#[test]
fn a_transfer_under_messages_that_breaks_off_is_ended_by_the_next_run_on_the_same_chain() {
    let drawn = drawn();
    for mode in MODES {
        for (head, height, everything) in [("c42", 42, false), ("f70", 70, true)] {
            let mut rig = Rig { mode, ..Rig::new(2, ColdPolicy::Messages) };
            (rig.batches.transfer_blocks, rig.batches.chunk) = (1.try_into().unwrap(), 4.try_into().unwrap());
            let store = open(&mut rig, &drawn, "c40");
            rig.cold.fail_nth_where(8, ErrorKind::Unavailable, |call| matches!(call, Call::Put(_)));
            store.compact().unwrap_err();
            let broken_off = rig.cold_keys();
            assert!(!broken_off.is_empty(), "{mode:?}");
            rig.cold.heal();
            drop(store);
            open(&mut rig, &drawn, head).compact().unwrap();
            let (cold, expected) = (rig.cold_keys(), table(&rig, &drawn, head, height)[1].clone());
            assert!(expected.is_subset(&cold), "{head}, {mode:?}");
            assert_eq!(cold == all(&drawn), everything, "{head}, {mode:?}");
        }
    }
}

/// What a purge drops is what its own run listed, whatever the policy is when a restart finishes it.
#[test]
fn a_block_of_cold_that_is_read_keeps_what_is_below_it_also_if_the_policy_is_universal_by_then() {
    let drawn = drawn();
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    open(&mut rig, &drawn, "c40").compact().unwrap();
    let below = raw_block(b"below");
    let above = list_block(&[below.0]);
    rig.cold.put_many(&[Block { cid: above.0, data: &above.1 }]).unwrap();
    rig.cold.sync().unwrap();
    // As if it had come there with all that was below it then.
    rig.meta.set_many(&[(MetaCell::ColdLacks, vec![0])]).unwrap();
    rig.load([(&below.0, &below.1)], &[drawn.names["c40"]]);
    let store = rig.open().unwrap().0;
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    std::mem::forget(run);
    rig.crash();
    rig.settings.cold_policy = ColdPolicy::Universal;
    let store = rig.open_with(Trigger::Stepped, Arc::new(NoObserver)).unwrap();
    assert!(!store.has(&below.0).unwrap(), "nobody has asked for it");
    assert!(store.get(&above.0).unwrap().is_some());
    let mut rest = store.begin_rest().unwrap().unwrap();
    while !rest.is_over() {
        rest.step().unwrap();
    }
    drop(rest);
    assert_eq!(store.get(&below.0).unwrap(), Some(below.1));
}
