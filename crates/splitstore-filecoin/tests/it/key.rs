//! Tipset keys as objects. The expected CIDs are those that Lotus' own test of its keys states, over CIDs of
//! the texts `a`, `b` and `c`.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::TipsetKey;
use splitstore_filecoin::{FilecoinChain, key_cid};
use splitstore_ports::ChainAccessor;

use crate::draft::cid_of;
use crate::store::Store;

fn key_of(texts: &[&str]) -> TipsetKey {
    TipsetKey::new(texts.iter().map(|text| cid_of(text.as_bytes())).collect())
}

fn cid(text: &str) -> Cid {
    text.parse().unwrap()
}

#[test]
fn the_cid_of_a_key_is_the_one_lotus_stores_it_under() {
    assert_eq!(cid_of(b"a"), cid("bafy2bzacecesrkxghscnq7vatble2hqdvwat6ed23vdu4vvo3uuggsoaya7ki"));
    assert_eq!(key_cid(&key_of(&[])), cid("bafy2bzacea456askyutsf7uk4ta2q5aojrlcji4mhaqokbfalgvoq4ueeh4l2"));
    assert_eq!(
        key_cid(&key_of(&["a"])),
        cid("bafy2bzacealem6larzxhf7aggj3cozcefqez3jlksx2tuxehwdil27otcmy4q")
    );
    assert_eq!(
        key_cid(&key_of(&["a", "b", "c"])),
        cid("bafy2bzacecbnwngwfvxuciumcfudiaoqozisp3hus5im5lg4urrwlxbueissu")
    );
}

#[test]
fn the_order_of_the_headers_is_part_of_the_key() {
    assert_ne!(key_cid(&key_of(&["a", "b"])), key_cid(&key_of(&["b", "a"])));
}

#[test]
fn the_key_of_seven_headers_has_a_two_byte_length() {
    let key = key_of(&["a", "b", "c", "d", "e", "f", "g"]);
    let cids: Vec<u8> = key.cids().iter().flat_map(Cid::to_bytes).collect();
    assert_eq!(cids.len(), 266);
    assert_eq!(key_cid(&key), cid_of(&[vec![0x59, 1, 10], cids].concat()));
}

#[test]
fn the_key_that_names_nothing_has_no_object_in_the_chain() {
    let chain = FilecoinChain::new(Arc::new(Store::default()));
    assert_eq!(chain.key_object(&TipsetKey::default()), None);
    assert_eq!(chain.key_object(&key_of(&["a"])), Some(key_cid(&key_of(&["a"]))));
}
