//! Clauses of `BlockRead` and `BlockWrite`, for hot and cold alike.

use cid::Cid;
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_ports::{BlockRead, BlockReadExt, BlockWrite, ErrorKind};

use crate::probe::{Blocks, assert_holds, assert_lacks, get, open, put, put_all, scanned_keys};
use crate::{Fixture, sample};

/// "What a returned `put_many` wrote is found, byte for byte."
pub fn what_was_put_is_found_byte_for_byte(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..300);
    put_all(&store, &blocks);
    assert_holds(&store, &blocks);
}

/// "Absence is `false`, `None` or a callback that is not made; it is never an error."
pub fn absence_is_an_answer_and_no_error(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    put_all(&store, &sample::blocks(0..10));
    let absent = sample::blocks(100..110);
    assert_lacks(&store, &absent);
    for (cid, _) in &absent {
        let there = store.view(cid, &mut |_| panic!("a callback for an absent block")).expect("view");
        assert!(!there);
    }
    let cids: Vec<_> = absent.iter().map(|(cid, _)| *cid).collect();
    store.view_many(&cids, &mut |_, _| panic!("a callback for an absent block")).expect("view many");
}

/// "Shows the block's data to `read` ...; returns whether it was there": once, when it is.
pub fn view_shows_a_block_once(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let (cid, data) = sample::block(1);
    put(&store, &cid, &data);
    let mut shown = Vec::new();
    assert!(store.view(&cid, &mut |bytes| shown.push(bytes.to_vec())).expect("view"));
    assert_eq!(shown, [data]);
}

/// "CIDs of other versions or codecs over the same multihash name the same block."
pub fn version_and_codec_do_not_matter(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let (v0, data) = sample::cid_v0_block();
    put(&store, &v0, &data);
    for codec in [sample::DAG_PB, RAW, DAG_CBOR] {
        let (v1, _) = sample::sha2_256_block(codec);
        assert_eq!(get(&store, &v1), Some(data.clone()), "{v1}");
        assert!(store.has(&v1).expect("has"));
        assert_eq!(store.size(&v1).expect("size"), Some(3));
    }
    put(&store, &sample::sha2_256_block(RAW).0, &data);
    assert_eq!(scanned_keys(&store).len(), 1, "one multihash is one block");
}

/// "Writing a block that is there is no error."
pub fn putting_twice_changes_nothing(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..20);
    put_all(&store, &blocks);
    put_all(&store, &blocks);
    assert_holds(&store, &blocks);
    assert_eq!(scanned_keys(&store).len(), blocks.len());
}

/// "A call writes all of its blocks": also none.
pub fn an_empty_batch_is_no_error(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    store.put_many(&[]).expect("put nothing");
    store.view_many(&[], &mut |_, _| panic!("a callback for no block")).expect("view nothing");
    assert_eq!(scanned_keys(&store), []);
}

/// "Writes blocks as one atomic batch": a block may stand in it twice, also under two codecs.
pub fn a_batch_may_hold_one_block_twice(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let (cid, data) = sample::block(7);
    let other_codec = Cid::new_v1(DAG_CBOR, *cid.hash());
    put_all(
        &store,
        &[(cid, data.clone()), sample::block(8), (cid, data.clone()), (other_codec, data.clone())],
    );
    assert_holds(&store, &[(cid, data), sample::block(8)]);
    assert_eq!(scanned_keys(&store).len(), 2);
}

/// `has`: "whether the block is there"; `size`: "the length of its data in bytes".
pub fn has_and_size_agree_with_the_data(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..50);
    put_all(&store, &blocks);
    for (cid, data) in &blocks {
        assert!(store.has(cid).expect("has"));
        let size = store.size(cid).expect("size").expect("a size of a block that is there");
        assert_eq!(size, data.len() as u64);
    }
}

/// "Shows each block that is there with its index in `cids`, in any order, at most once each": present ones
/// exactly once, each place of a CID that stands there twice for itself.
pub fn view_many_shows_each_index_once(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..40);
    put_all(&store, &blocks[..30]);
    // Every block twice, not adjacent, with ten absent ones in the middle.
    let asked: Vec<_> = blocks.iter().chain(&blocks).collect();
    let cids: Vec<_> = asked.iter().map(|(cid, _)| *cid).collect();
    let mut shown = vec![0_u32; cids.len()];
    store
        .view_many(&cids, &mut |index, bytes| {
            shown[index] += 1;
            assert_eq!(bytes, asked[index].1, "the data of index {index}");
        })
        .expect("view many");
    for (index, times) in shown.into_iter().enumerate() {
        assert_eq!(times, u32::from(index % 40 < 30), "index {index}");
    }
}

/// "Shows each block that is there": a batch of any size, in any order, as one block at a time would be shown.
pub fn a_batch_of_any_size_reads_as_single_blocks_do(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..1_200);
    put_all(&store, &blocks[..700]);
    store.sync().expect("sync");
    put_all(&store, &blocks[700..1_000]);
    let asked: Vec<Cid> = blocks.iter().rev().map(|(cid, _)| *cid).collect();
    for size in [1, 255, 256, 257, 1_200] {
        for part in asked.chunks(size) {
            let many = store.get_many(part).expect("get many");
            let single: Vec<_> = part.iter().map(|cid| get(&store, cid)).collect();
            assert_eq!(many, single, "in batches of {size}");
        }
    }
    assert_eq!(store.get_many(&asked).expect("get many").iter().flatten().count(), 1_000);
}

/// A block's data may be empty: it is there, of size 0.
pub fn an_empty_block_is_a_block(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let (cid, data) = sample::sized_block(0, 0);
    put(&store, &cid, &data);
    assert!(store.has(&cid).expect("has"));
    assert_eq!(store.size(&cid).expect("size"), Some(0));
    assert_eq!(get(&store, &cid), Some(Vec::new()));
    let many = store.get_many(&[cid]).expect("view many");
    assert_eq!(many, [Some(Vec::new())]);
}

/// Blocks of 1 MiB, the largest that chains make, pass like others.
pub fn a_block_of_one_mebibyte_passes(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let large = sample::sized_block(3, 1 << 20);
    put_all(&store, &[sample::block(1), large.clone(), sample::block(2)]);
    assert_holds(&store, &[large.clone(), sample::block(1), sample::block(2)]);
    assert_eq!(store.size(&large.0).expect("size"), Some(1 << 20));
}

/// "A block is found by its multihash alone": of any length. A store that cannot check the hash may refuse to
/// take the block or to show it, but never answers "absent" or with other bytes.
pub fn a_long_multihash_is_a_key_like_others(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let (cid, data) = sample::sha2_512_block();
    let short = [sample::block(1), sample::sha2_256_block(RAW), sample::dag_block()];
    put_all(&store, &short);
    let refused = |kind| matches!(kind, ErrorKind::Unsupported | ErrorKind::Corrupt);
    if let Err(error) = store.put_many(&[splitstore_ports::Block { cid, data: &data }]) {
        assert!(refused(error.kind()), "refused with {error}");
        assert_eq!(scanned_keys(&store).len(), 3, "a refused block leaves nothing");
    } else {
        assert!(store.has(&cid).expect("has"));
        assert_eq!(store.size(&cid).expect("size"), Some(data.len() as u64));
        assert_eq!(scanned_keys(&store).len(), 4);
        match store.get(&cid) {
            Ok(read) => assert_eq!(read, Some(data)),
            Err(error) => assert!(refused(error.kind()), "not shown with {error}"),
        }
    }
    assert_holds(&store, &short);
}

/// "A callback MAY read from the same store."
pub fn a_callback_may_read_from_the_same_store(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..3);
    put_all(&store, &blocks);
    let cids: Vec<_> = blocks.iter().map(|(cid, _)| *cid).collect();
    let mut inner = 0;
    store
        .view(&cids[0], &mut |_| {
            assert_eq!(get(&store, &cids[1]).as_ref(), Some(&blocks[1].1));
            store
                .view_many(&cids, &mut |_, _| {
                    inner += 1;
                    assert_eq!(store.size(&cids[2]).expect("size"), Some(blocks[2].1.len() as u64));
                    assert!(store.has(&cids[0]).expect("has"));
                })
                .expect("view many");
        })
        .expect("view");
    assert_eq!(inner, 3);
}
