//! Real archives: the facts below were read off them with another decoder.

use std::path::PathBuf;
use std::sync::Arc;

use cid::Cid;
use splitstore_car::CarReader;
use splitstore_domain::digest::blake2b_256;
use splitstore_domain::{Epoch, ObjectKind, Tipset};
use splitstore_filecoin::{BlockHeader, FilecoinChain, HeaderFault, Kind};
use splitstore_ports::ChainAccessor;

use crate::store::Store;

const GENESIS_PARENT: &str = "bafyreiaqpwbbyjo4a42saasj36kkrpv4tsherf2e7bvezkert2a7dhonoi";

struct Archive {
    store: Arc<Store>,
    roots: Vec<Cid>,
    cids: Vec<Cid>,
    chain: FilecoinChain,
}

/// The archive of this name, or `None` where the real data is not there.
fn archive(name: &str) -> Option<Archive> {
    let data = std::env::var_os("SPLITSTORE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = data.join("filecoin").join(name);
    if !path.exists() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no real data at {}", path.display());
        println!("skipped: no real data");
        return None;
    }
    let mut reader = CarReader::open(&path).unwrap();
    let (store, mut cids) = (Arc::new(Store::default()), Vec::new());
    while let Some(block) = reader.next_block().unwrap() {
        store.put(&block.cid, &block.data);
        cids.push(block.cid);
    }
    let roots = reader.roots().to_vec();
    let chain = FilecoinChain::with_roots(store.clone(), &roots).unwrap();
    Some(Archive { store, roots, cids, chain })
}

/// From the head down to genesis.
fn tipsets(archive: &Archive) -> Vec<Tipset> {
    let mut tipsets = vec![archive.chain.heaviest().unwrap().unwrap()];
    while let Some(parent) = archive.chain.tipset(&tipsets.last().unwrap().parents).unwrap() {
        tipsets.push(parent);
    }
    tipsets
}

#[test]
fn export40_is_a_chain_of_49_headers_in_33_tipsets_over_40_epochs() {
    let Some(archive) = archive("export40.car") else { return };
    let tipsets = tipsets(&archive);
    assert_eq!(tipsets[0].key.cids(), archive.roots);
    assert_eq!((tipsets[0].height, tipsets[0].timestamp), (Epoch::new(39), 1_598_307_570));
    let genesis = tipsets.last().unwrap();
    assert_eq!((genesis.height, genesis.timestamp), (Epoch::GENESIS, 1_598_306_400));
    assert_eq!(tipsets.len(), 33);
    assert_eq!(tipsets.iter().map(|tipset| tipset.key.cids().len()).sum::<usize>(), 49);
}

#[test]
fn every_height_of_export40_is_found_null_rounds_included() {
    let Some(archive) = archive("export40.car") else { return };
    let tipsets = tipsets(&archive);
    let found = |height| archive.chain.tipset_at(Epoch::new(height), &tipsets[0]).unwrap().unwrap();
    let null_rounds = [4, 7, 10, 24, 25, 26, 27];
    for height in 0..40 {
        let expected = (0..=height).rev().find(|height| !null_rounds.contains(height)).unwrap();
        assert_eq!(found(height).height, Epoch::new(expected), "height {height}");
    }
    assert_eq!(found(30), tipsets[9]);
}

#[test]
fn parents_in_export40_stand_in_the_order_of_their_tickets() {
    let Some(archive) = archive("export40.car") else { return };
    let mut pairs = 0;
    for tipset in tipsets(&archive) {
        let headers = tipset.key.cids().iter().map(|cid| archive.store.get(cid).unwrap());
        let tickets: Vec<_> =
            headers.map(|data| blake2b_256(&BlockHeader::decode(&data).unwrap().ticket.unwrap())).collect();
        assert!(tickets.is_sorted(), "{}", tipset.key);
        pairs += tickets.len() - 1;
    }
    assert_eq!(pairs, 16);
}

#[test]
fn weight_grows_with_every_tipset_of_export40() {
    let Some(archive) = archive("export40.car") else { return };
    let weight = |tipset: &Tipset| {
        let data = archive.store.get(&tipset.key.cids()[0]).unwrap();
        BlockHeader::decode(&data).unwrap().parent_weight
    };
    let weights: Vec<_> = tipsets(&archive).iter().map(weight).collect();
    assert!(weights.windows(2).all(|pair| pair[0] >= pair[1]));
    assert_eq!(weights[0].to_string(), "0x7d8f2");
}

#[test]
fn every_root_that_a_header_names_is_in_export40() {
    let Some(archive) = archive("export40.car") else { return };
    let tipsets = tipsets(&archive);
    let genesis = tipsets.last().unwrap().key.cids()[0];
    let view = archive.chain.header(&genesis, &archive.store.get(&genesis).unwrap()).unwrap();
    for root in [view.state, view.messages] {
        assert!(archive.store.get(&root).is_some(), "{root}");
    }
    for tipset in &tipsets {
        for cid in tipset.key.cids() {
            let view = archive.chain.header(cid, &archive.store.get(cid).unwrap()).unwrap();
            assert!(archive.store.get(&view.messages).is_some(), "messages of {cid}");
        }
    }
}

#[test]
fn only_headers_of_the_archives_read_as_headers() {
    for (name, headers) in [("export40.car", 49), ("chain4.car.zst", 4), ("calibnet-genesis.car", 1)] {
        let Some(archive) = archive(name) else { return };
        let dags = archive.cids.iter().filter(|cid| ObjectKind::of(cid) == ObjectKind::Dag);
        let read = dags.filter(|cid| BlockHeader::decode(&archive.store.get(cid).unwrap()).is_ok());
        assert_eq!(read.count(), headers, "{name}");
    }
}

#[test]
fn chain4_has_a_tipset_in_each_of_its_epochs_in_either_form() {
    for name in ["chain4.car.zst", "chain4.forest.car.zst"] {
        let Some(archive) = archive(name) else { return };
        let heights: Vec<_> = tipsets(&archive).iter().map(|tipset| tipset.height.height()).collect();
        assert_eq!(heights, [3, 2, 1, 0], "{name}");
    }
}

#[test]
fn genesis_of_calibnet_names_a_parent_that_is_no_header_and_is_not_followed() {
    let Some(archive) = archive("calibnet-genesis.car") else { return };
    let head = archive.chain.heaviest().unwrap().unwrap();
    assert_eq!((head.height, head.timestamp), (Epoch::GENESIS, 1_667_326_380));
    assert!(head.parents.is_empty());
    assert_eq!(archive.chain.tipset_at(Epoch::GENESIS, &head).unwrap(), Some(head));

    let header = BlockHeader::decode(&archive.store.get(&archive.roots[0]).unwrap()).unwrap();
    assert_eq!(header.parents.to_string(), GENESIS_PARENT);
    // It is stored, as a map that tells how the tokens were shared out: no header.
    let parent = archive.store.get(&header.parents.cids()[0]).unwrap();
    let fault = HeaderFault::WrongType { expected: Kind::Array, found: Kind::Map };
    assert_eq!(BlockHeader::decode(&parent).unwrap_err().fault, fault);
}

#[test]
fn each_truncation_of_a_real_header_is_an_error_with_field_and_offset() {
    let Some(archive) = archive("export40.car") else { return };
    let data = archive.store.get(&archive.roots[0]).unwrap();
    for cut in 0..data.len() {
        let error = BlockHeader::decode(&data[..cut]).unwrap_err();
        assert!(error.offset <= cut && !error.field.is_empty(), "{error}");
    }
}
