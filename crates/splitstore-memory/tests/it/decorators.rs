//! Decorators at work.

use splitstore_conformance::sample;
use splitstore_domain::BlockKey;
use splitstore_memory::{Call, Failing, MemoryStore, Recording};
use splitstore_ports::{BlockDelete, BlockRead, BlockReadExt, BlockWrite, BlockWriteExt, ErrorKind, KeyScan};

#[test]
fn the_nth_call_fails_and_does_nothing() {
    let store = Failing::new(MemoryStore::hot());
    store.fail_nth(2, ErrorKind::Full);
    let blocks = sample::blocks(0..3);
    let kinds: Vec<_> =
        blocks.iter().map(|(cid, data)| store.put(cid, data).map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Ok(()), Err(ErrorKind::Full), Ok(())]);
    assert_eq!(store.inner().len(), 2);
    assert!(!store.has(&blocks[1].0).unwrap());
}

#[test]
fn chosen_calls_fail_until_healed() {
    let store = Failing::new(MemoryStore::hot());
    let (cid, data) = sample::block(1);
    store.put(&cid, &data).unwrap();
    let key = BlockKey::from(&cid);
    store.fail_where(ErrorKind::Unavailable, move |call| call.keys().contains(&key));
    for _ in 0..2 {
        assert_eq!(store.get(&cid).unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert!(!store.has(&sample::block(2).0).unwrap(), "others pass");
    assert_eq!(store.picked(), 2);
    store.heal();
    assert_eq!(store.get(&cid).unwrap(), Some(data));
}

#[test]
fn only_the_nth_chosen_call_fails() {
    let store = Failing::new(MemoryStore::hot());
    store.fail_nth_where(2, ErrorKind::Corrupt, |call| matches!(call, Call::Keys));
    store.put(&sample::block(1).0, b"x").unwrap();
    let kinds: Vec<_> = (0..3).map(|_| store.keys().map(drop).map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Ok(()), Err(ErrorKind::Corrupt), Ok(())]);
}

#[test]
fn after_a_failed_sync_writes_are_refused_and_reads_are_not() {
    let store = Failing::new(MemoryStore::hot());
    let (cid, data) = sample::block(1);
    store.put(&cid, &data).unwrap();
    store.fail_nth_where(1, ErrorKind::Unavailable, |call| *call == Call::Sync);
    assert_eq!(store.sync().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(store.put(&cid, &data).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(store.delete_many(&[]).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(store.sync().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(store.get(&cid).unwrap(), Some(data));
    store.inner().crash();
    store.heal();
    assert!(!store.has(&cid).unwrap(), "the failed sync made nothing durable");
    store.sync().unwrap();
}

#[test]
fn a_store_that_dies_takes_no_effect_after_it() {
    for effects in 0..4 {
        let store = Failing::new(MemoryStore::hot());
        store.die_after(effects);
        let mut done = 0;
        for (cid, data) in sample::blocks(0..4) {
            done += u64::from(store.put(&cid, &data).is_ok());
            store.has(&cid).unwrap();
        }
        assert_eq!(done, effects);
        assert_eq!(store.inner().len() as u64, effects);
    }
}

#[test]
fn calls_are_recorded_in_order_with_their_keys() {
    let store = Recording::new(MemoryStore::hot());
    let (cid, data) = sample::block(1);
    let key = BlockKey::from(&cid);
    store.put(&cid, &data).unwrap();
    store.sync().unwrap();
    store.has(&cid).unwrap();
    store.get(&cid).unwrap();
    store.size(&cid).unwrap();
    store.get_many(&[cid, cid]).unwrap();
    drop(store.keys().unwrap());
    store.delete_many(std::slice::from_ref(&key)).unwrap();
    assert_eq!(store.count(Call::is_effect), 3);
    let names: Vec<_> = store.calls().iter().map(Call::name).collect();
    assert_eq!(names, ["put_many", "sync", "has", "view", "size", "view_many", "keys", "delete_many"]);
    let calls = store.take();
    assert_eq!(calls[0], Call::Put(vec![key.clone()]));
    assert_eq!(calls[5], Call::ViewMany(vec![key.clone(), key.clone()]));
    assert_eq!(calls[7].keys(), [key]);
    assert_eq!(store.calls(), []);
}
