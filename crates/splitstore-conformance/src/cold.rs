//! Clauses that only the cold tier has.

use splitstore_ports::{Block, BlockRead, BlockReadExt, BlockWrite, ColdStore, ErrorKind};

use crate::probe::{assert_holds, assert_lacks, keys_of, open, put_all, scanned_keys, sorted_keys_of};
use crate::{Fixture, sample};

/// "Its `view` and `view_many` MUST check data against the CID": data under a wrong CID is never shown. A store
/// may also refuse it when it is put.
pub fn data_that_is_not_the_cids_is_never_shown(fixture: &impl Fixture<Store: ColdStore>) {
    let store = open(fixture);
    let (cid, data) = sample::block(1);
    let mut damaged = data;
    damaged[3] ^= 0x10;
    put_all(&store, &sample::blocks(10..20));
    if let Err(error) = store.put_many(&[Block { cid, data: &damaged }]) {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_lacks(&store, &[(cid, damaged)]);
    } else {
        assert_corrupt(store.view(&cid, &mut |_| panic!("damaged data was shown")));
        let cids = [sample::block(10).0, cid, sample::block(11).0];
        assert_corrupt(
            store.view_many(&cids, &mut |index, _| assert_ne!(index, 1, "damaged data was shown")),
        );
        assert_corrupt(store.get(&cid));
    }
    assert_holds(&store, &sample::blocks(10..20));
}

/// "Deletion, for tiers that can prune": where it is offered it deletes.
pub fn deletion_where_offered_deletes(fixture: &impl Fixture<Store: ColdStore>) {
    let store = open(fixture);
    let Some(deletion) = store.deletion() else { return };
    let blocks = sample::blocks(0..100);
    put_all(&store, &blocks);
    let mut keys = keys_of(&blocks[..60]);
    keys.extend(sample::keys(0..5));
    deletion.delete_many(&keys).expect("delete");
    assert_lacks(&store, &blocks[..60]);
    assert_holds(&store, &blocks[60..]);
    assert_eq!(scanned_keys(&store), sorted_keys_of(&blocks[60..]));
}

fn assert_corrupt<T: std::fmt::Debug>(result: Result<T, splitstore_ports::PortError>) {
    match result {
        Ok(shown) => panic!("damage went unnoticed: {shown:?}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
    }
}
