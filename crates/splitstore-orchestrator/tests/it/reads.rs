//! Two-tier reads, the write path, and keys of both tiers.

use std::ops::ControlFlow;

use splitstore_domain::ColdPolicy;
use splitstore_domain::object::{DAG_CBOR, FIL_COMMITMENT_SEALED, RAW};
use splitstore_ports::cid::Cid;
use splitstore_ports::{Block, BlockRead, BlockWrite, BlockWriteExt};

use crate::rig::{Rig, finish, generated, raw_block, step_to};

fn store() -> (Rig, splitstore_orchestrator::SplitStore) {
    let rig = Rig::new(2, ColdPolicy::Universal);
    let store = rig.open_bare().unwrap();
    (rig, store)
}

#[test]
fn a_block_is_read_from_hot_first_and_from_cold_when_hot_lacks_it() {
    let (rig, store) = store();
    let (hot, hot_data) = raw_block(b"hot");
    let (cold, cold_data) = raw_block(b"cold");
    store.put(&hot, &hot_data).unwrap();
    rig.cold.put(&cold, &cold_data).unwrap();
    assert_eq!(store.get_many(&[hot, cold]).unwrap(), [Some(hot_data), Some(cold_data)]);
    assert_eq!(store.size(&cold).unwrap(), Some(4));
    assert!(store.has(&cold).unwrap());
    assert!(!rig.cold_keys().contains(&(&hot).into()), "writes go to hot only");
    assert_eq!(store.get(&raw_block(b"nowhere").0).unwrap(), None);
}

/// Hot, cold, nowhere, in the CID itself, twice: each answer stands at its own index.
#[test]
fn a_batch_is_answered_index_by_index_wherever_each_block_is() {
    let (rig, store) = store();
    let blocks: Vec<_> = (0..600_u32).map(|n| raw_block(&n.to_le_bytes())).collect();
    for (n, (cid, data)) in blocks.iter().enumerate() {
        match n % 3 {
            0 => store.put(cid, data).unwrap(),
            1 => rig.cold.put(cid, data).unwrap(),
            _ => {}
        }
    }
    let identity = Cid::try_from([1, 0x55, 0, 2, b'h', b'i'].as_slice()).unwrap();
    let commitment = Cid::new_v1(FIL_COMMITMENT_SEALED, *blocks[0].0.hash());
    let mut asked: Vec<Cid> = blocks.iter().rev().map(|(cid, _)| *cid).collect();
    asked.extend([identity, commitment, blocks[0].0]);
    let mut expected: Vec<_> =
        blocks.iter().enumerate().map(|(n, (_, data))| (n % 3 != 2).then(|| data.clone())).rev().collect();
    expected.extend([Some(b"hi".to_vec()), None, Some(blocks[0].1.clone())]);
    assert_eq!(store.get_many(&asked).unwrap(), expected);
    let mut viewed = vec![None; asked.len()];
    store
        .view_many(&asked, &mut |index, data| assert_eq!(viewed[index].replace(data.to_vec()), None))
        .unwrap();
    assert_eq!(viewed, expected);
    assert_eq!(store.get_many(&[]).unwrap(), Vec::<Option<Vec<u8>>>::new());
}

/// A block that has moved is in cold, also for a batch that hot's filter hides it from.
#[test]
fn a_batch_finds_in_cold_what_a_run_has_moved_and_what_it_is_about_to_delete() {
    let (blocks, head, _) = generated(24, 31);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    let asked: Vec<Cid> = blocks.keys().copied().collect();
    let all: Vec<_> = blocks.values().cloned().map(Some).collect();
    let mut run = store.begin().unwrap();
    for phase in ["mark", "transfer", "seal", "purge", "commit"] {
        step_to(&mut run, phase);
        assert_eq!(store.get_many(&asked).unwrap(), all, "in {phase}");
    }
    finish(run);
    assert_eq!(store.get_many(&asked).unwrap(), all);
}

#[test]
fn an_identity_cid_is_answered_from_itself_and_never_stored() {
    let (rig, store) = store();
    let mut bytes = vec![1, 0x55, 0, 5];
    bytes.extend(b"hello");
    let cid = Cid::try_from(bytes.as_slice()).unwrap();
    store.put(&cid, b"hello").unwrap();
    assert_eq!(store.get(&cid).unwrap(), Some(b"hello".to_vec()));
    assert_eq!((store.has(&cid).unwrap(), store.size(&cid).unwrap()), (true, Some(5)));
    assert!(rig.hot_keys().is_empty());
}

#[test]
fn a_commitment_is_never_stored_and_never_there() {
    let (rig, store) = store();
    let (block, data) = raw_block(b"sealed");
    let commitment = Cid::new_v1(FIL_COMMITMENT_SEALED, *block.hash());
    store.put(&commitment, &data).unwrap();
    assert!(!store.has(&commitment).unwrap());
    assert!(rig.hot_keys().is_empty());
}

#[test]
fn cids_of_one_multihash_name_one_block() {
    let (_, store) = store();
    let (raw, data) = raw_block(b"one block");
    store.put(&raw, &data).unwrap();
    assert!(store.has(&Cid::new_v1(DAG_CBOR, *raw.hash())).unwrap());
    assert_eq!(raw.codec(), RAW);
}

#[test]
fn all_keys_shows_each_key_of_both_tiers_once_in_order() {
    let (rig, store) = store();
    let blocks: Vec<_> = (0..10_000_u32).map(|n| raw_block(&n.to_le_bytes())).collect();
    let batch = |range: std::ops::Range<usize>| -> Vec<Block<'_>> {
        blocks[range].iter().map(|(cid, data)| Block { cid: *cid, data }).collect()
    };
    store.put_many(&batch(0..7_000)).unwrap();
    rig.cold.put_many(&batch(5_000..10_000)).unwrap();
    let mut keys = Vec::new();
    store
        .all_keys(&mut |entry| {
            keys.push(entry.key.clone());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(keys.is_sorted() && keys.len() == 10_000, "{} keys", keys.len());
    let mut seen = 0;
    store
        .all_keys(&mut |_| {
            seen += 1;
            if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(seen, 3, "a visitor may break off");
}

#[test]
fn what_flush_covered_survives_a_crash() {
    let (rig, store) = store();
    let (cid, data) = raw_block(b"flushed");
    let (lost, lost_data) = raw_block(b"not flushed");
    store.put(&cid, &data).unwrap();
    store.flush().unwrap();
    store.put(&lost, &lost_data).unwrap();
    drop(store);
    rig.crash();
    let store = rig.open_bare().unwrap();
    assert_eq!(store.get(&cid).unwrap(), Some(data));
    assert!(!store.has(&lost).unwrap(), "the rig is as strict as it says");
}

#[test]
fn a_view_may_read_from_the_store_again() {
    let (_, store) = store();
    let (outer, outer_data) = raw_block(b"outer");
    let (inner, inner_data) = raw_block(b"inner");
    store.put(&outer, &outer_data).unwrap();
    store.put(&inner, &inner_data).unwrap();
    let mut nested = None;
    store.view(&outer, &mut |_| nested = store.get(&inner).unwrap()).unwrap();
    assert_eq!(nested, Some(inner_data));
}

#[test]
fn a_block_whose_hash_nobody_can_check_is_refused() {
    let (rig, store) = store();
    let mut bytes = vec![1, 0x55, 0x13, 64];
    bytes.extend([7; 64]);
    let sha2_512 = Cid::try_from(bytes.as_slice()).unwrap();
    let error = store.put(&sha2_512, b"data").unwrap_err();
    assert!(error.to_string().contains(&sha2_512.to_string()), "{error}");
    assert!(rig.hot_keys().is_empty());
}
