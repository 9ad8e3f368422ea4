//! Clauses on what outlives a handle, and on who may hold one.

use splitstore_ports::{BlockDelete, BlockWrite, ErrorKind, HotStore};

use crate::probe::{Blocks, assert_holds, assert_lacks, keys_of, open, put_all, scan};
use crate::{Exclusive, Fixture, Persistent, sample};

/// "After `sync` returns, everything that any returned `put_many` ... did is on disk."
pub fn synced_puts_are_there_after_reopening(fixture: &impl Fixture<Store: Blocks>) {
    let blocks = sample::blocks(0..300);
    let store = open(fixture);
    put_all(&store, &blocks[..100]);
    put_all(&store, &blocks[100..]);
    store.sync().expect("sync");
    let before = scan(&store, 64);
    if fixture.caps().persistent == Persistent::No {
        return assert_holds(&store, &blocks);
    }
    drop(store);
    let store = open(fixture);
    assert_holds(&store, &blocks);
    assert_eq!(scan(&store, 64), before, "keys, codecs and sizes are those from before");
}

/// "Makes everything written so far durable": also when nothing was, and when all already is.
pub fn sync_may_be_called_at_any_time(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    store.sync().expect("sync an empty store");
    put_all(&store, &sample::blocks(0..3));
    store.sync().expect("sync");
    store.sync().expect("sync again");
    assert_holds(&store, &sample::blocks(0..3));
}

/// "After `sync` returns, everything that any returned ... `delete_many` did is on disk."
pub fn synced_deletes_stay_after_reopening(fixture: &impl Fixture<Store: HotStore>) {
    let blocks = sample::blocks(0..100);
    let store = open(fixture);
    put_all(&store, &blocks);
    store.sync().expect("sync");
    store.delete_many(&keys_of(&blocks[..60])).expect("delete");
    store.sync().expect("sync");
    if fixture.caps().persistent == Persistent::No {
        return assert_lacks(&store, &blocks[..60]);
    }
    drop(store);
    let store = open(fixture);
    assert_lacks(&store, &blocks[..60]);
    assert_holds(&store, &blocks[60..]);
}

/// `Locked`: "another process, or another handle, holds it", for stores that one handle owns.
pub fn a_second_handle_is_locked_out(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    put_all(&store, &sample::blocks(0..3));
    store.sync().expect("sync");
    if fixture.caps().exclusive == Exclusive::Yes {
        let Err(error) = fixture.open() else { panic!("a second handle was given out") };
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    }
    assert_holds(&store, &sample::blocks(0..3));
    drop(store);
    let reopened = open(fixture);
    reopened.put_many(&[]).expect("the place is free again");
}
