//! Which tipset the roots of an archive stand for.

use cid::Cid;
use splitstore_domain::Epoch;
use splitstore_filecoin::heaviest_of;
use splitstore_ports::ErrorKind;

use crate::draft::{Draft, array, bytes, cid_of};
use crate::store::Store;

fn stored(drafts: &[&Draft]) -> (Store, Vec<Cid>) {
    let store = Store::default();
    for draft in drafts {
        store.put(&draft.cid(), &draft.encode());
    }
    (store, drafts.iter().map(|draft| draft.cid()).collect())
}

fn heavy(name: &str, height: u64, parent: &str, weight: &[u8]) -> Draft {
    Draft::new(name, height, &[cid_of(parent.as_bytes())]).with("parent weight", bytes(weight))
}

#[test]
fn roots_that_form_one_tipset_are_that_tipset_in_their_order() {
    let drafts = ["x", "y", "z"].map(|name| heavy(name, 5, "p", &[0, 1]));
    let (store, mut roots) = stored(&drafts.each_ref());
    for _ in 0..3 {
        roots.rotate_left(1);
        let tipset = heaviest_of(&roots, &store).unwrap();
        assert_eq!(tipset.key.cids(), roots);
        assert_eq!(tipset.height, Epoch::new(5));
        assert_eq!(tipset.parents.cids(), [cid_of(b"p")]);
    }
}

#[test]
fn a_root_that_stands_twice_counts_once() {
    let draft = heavy("x", 5, "p", &[0, 1]);
    let (store, roots) = stored(&[&draft, &draft]);
    assert_eq!(heaviest_of(&roots, &store).unwrap().key.cids(), &roots[..1]);
}

#[test]
fn the_greatest_parent_weight_wins_even_from_a_lower_height() {
    let light = heavy("a", 9, "p", &[0, 0xff]);
    let heavier = heavy("b", 8, "q", &[0, 1, 0]);
    let (store, roots) = stored(&[&light, &heavier]);
    assert_eq!(heaviest_of(&roots, &store).unwrap().key.cids(), [heavier.cid()]);
    let reversed: Vec<_> = roots.into_iter().rev().collect();
    assert_eq!(heaviest_of(&reversed, &store).unwrap().key.cids(), [heavier.cid()]);
}

#[test]
fn a_tie_goes_to_the_smallest_hash_of_a_ticket() {
    // blake2b-256 of "a" starts with 89, that of "b" with 6e: b wins although its proof is greater.
    let (a, b) = (heavy("a", 9, "p", &[0, 7]), heavy("b", 9, "q", &[0, 7]));
    let (store, roots) = stored(&[&a, &b]);
    assert_eq!(heaviest_of(&roots, &store).unwrap().key.cids(), [b.cid()]);
}

#[test]
fn among_equal_tickets_more_headers_win() {
    let one = heavy("b", 9, "p", &[0, 7]);
    let (two, more) = (heavy("b", 9, "q", &[0, 7]), heavy("a", 9, "q", &[0, 7]));
    let (store, roots) = stored(&[&one, &more, &two]);
    // In the order of their tickets, not of the roots.
    assert_eq!(heaviest_of(&roots, &store).unwrap().key.cids(), [two.cid(), more.cid()]);
}

#[test]
fn equal_tickets_in_one_tipset_are_ordered_by_cid() {
    let pair = [1, 2].map(|fee| heavy("t", 9, "q", &[0, 7]).with("parent base fee", bytes(&[0, fee])));
    let other = heavy("t", 9, "p", &[0, 6]);
    let (store, roots) = stored(&[&other, &pair[0], &pair[1]]);
    let mut expected = pair.map(|draft| draft.cid());
    expected.sort_by_key(Cid::to_bytes);
    assert_eq!(heaviest_of(&roots, &store).unwrap().key.cids(), expected);
}

#[test]
fn the_timestamp_of_a_tipset_is_the_lowest_of_its_headers() {
    let late = heavy("x", 5, "p", &[0, 1]).with("timestamp", vec![0x18, 99]);
    let early = heavy("y", 5, "p", &[0, 1]).with("timestamp", vec![0x18, 42]);
    let (store, roots) = stored(&[&late, &early]);
    assert_eq!(heaviest_of(&roots, &store).unwrap().timestamp, 42);
}

#[test]
fn no_roots_missing_roots_and_roots_that_are_no_headers_are_corrupt() {
    let (store, _) = stored(&[]);
    assert_eq!(heaviest_of(&[], &store).unwrap_err().kind(), ErrorKind::Corrupt);

    let missing = heaviest_of(&[cid_of(b"gone")], &store).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Corrupt);
    assert!(missing.attempt().contains(&cid_of(b"gone").to_string()), "{missing}");

    let map = array(0);
    store.put(&cid_of(&map), &map);
    let wrong = heaviest_of(&[cid_of(&map)], &store).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Corrupt);
    assert!(wrong.attempt().contains(&cid_of(&map).to_string()), "{wrong}");
}
