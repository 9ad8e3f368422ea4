//! Walks down drawn chains.

use splitstore_domain::{Epoch, Tipset, TipsetKey};
use splitstore_ports::{ChainAccessor, ErrorKind};

use crate::draft::{Draft, cid_of};
use crate::drawing::Drawing;

fn at(drawn: &Drawing, height: u64, from: char) -> Option<Tipset> {
    drawn.chain.tipset_at(Epoch::new(height), drawn.tipset(from)).unwrap()
}

#[test]
fn a_height_with_a_tipset_gives_it() {
    let drawn = Drawing::of("gab3c");
    for (height, letter) in "gabc".chars().enumerate() {
        assert_eq!(at(&drawn, height as u64, 'c').as_ref(), Some(drawn.tipset(letter)));
    }
    assert_eq!(drawn.tipset('b').key.cids().len(), 3);
}

#[test]
fn a_null_round_gives_the_tipset_before_it() {
    let drawn = Drawing::of("g--a-b---c");
    for (height, letter) in "gggaabbbbc".chars().enumerate() {
        assert_eq!(at(&drawn, height as u64, 'c').as_ref(), Some(drawn.tipset(letter)), "height {height}");
    }
}

#[test]
fn a_height_above_from_gives_none() {
    let drawn = Drawing::of("ga-b");
    assert_eq!(at(&drawn, 2, 'a'), None);
    assert_eq!(at(&drawn, 4, 'b'), None);
}

#[test]
fn the_walk_stays_on_the_branch_it_started_from() {
    let mut drawn = Drawing::of("gabcd");
    drawn.fork('a', "x-y");
    assert_eq!(at(&drawn, 2, 'd').as_ref(), Some(drawn.tipset('b')));
    assert_eq!(at(&drawn, 2, 'y').as_ref(), Some(drawn.tipset('x')));
    assert_eq!(at(&drawn, 3, 'y').as_ref(), Some(drawn.tipset('x')));
    assert_eq!(at(&drawn, 1, 'y'), at(&drawn, 1, 'd'));
}

#[test]
fn a_missing_ancestor_is_an_error_that_names_it_and_its_child() {
    let drawn = Drawing::of("gabc");
    let gone = drawn.tipset('a').key.cids()[0];
    drawn.store.remove(&gone);
    assert_eq!(at(&drawn, 2, 'c').as_ref(), Some(drawn.tipset('b')));
    let error = drawn.chain.tipset_at(Epoch::new(1), drawn.tipset('c')).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.attempt().contains(&gone.to_string()), "{error}");
    assert!(error.attempt().contains(&drawn.tipset('b').key.to_string()), "{error}");
}

#[test]
fn a_parent_that_is_not_below_its_child_is_an_error_not_an_endless_walk() {
    let mut drawn = Drawing::of("gab");
    let high = Draft::new("high", 9, drawn.tipset('a').key.cids());
    let low = Draft::new("low", 5, &[high.cid()]);
    for draft in [&high, &low] {
        drawn.store.put(&draft.cid(), &draft.encode());
    }
    drawn.fork('b', "c");
    let from = drawn.chain.tipset(&TipsetKey::new(vec![low.cid()])).unwrap().unwrap();
    let error = drawn.chain.tipset_at(Epoch::GENESIS, &from).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.attempt().contains("not below"), "{error}");
}

#[test]
fn a_header_above_genesis_without_parents_is_a_broken_chain() {
    let drawn = Drawing::of("g");
    let orphan = Draft::new("orphan", 4, &[]);
    drawn.store.put(&orphan.cid(), &orphan.encode());
    let from = drawn.chain.tipset(&TipsetKey::new(vec![orphan.cid()])).unwrap().unwrap();
    let error = drawn.chain.tipset_at(Epoch::GENESIS, &from).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_tipset_with_a_header_that_is_not_there_is_none() {
    let drawn = Drawing::of("ga3");
    let key = drawn.tipset('a').key.clone();
    assert_eq!(drawn.chain.tipset(&key).unwrap().as_ref(), Some(drawn.tipset('a')));
    drawn.store.remove(&key.cids()[1]);
    assert_eq!(drawn.chain.tipset(&key).unwrap(), None);
    assert_eq!(drawn.chain.tipset(&TipsetKey::default()).unwrap(), None);
}

#[test]
fn headers_of_two_heights_or_two_parents_form_no_tipset() {
    let mut drawn = Drawing::of("gabc");
    drawn.fork('g', "x");
    for (one, two, what) in [('a', 'b', "heights 1 and 2"), ('b', 'x', "heights")] {
        let cids = [one, two].map(|letter| drawn.tipset(letter).key.cids()[0]);
        let error = drawn.chain.tipset(&TipsetKey::new(cids.to_vec())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.attempt().contains(what), "{error}");
        assert!(cids.iter().all(|cid| error.attempt().contains(&cid.to_string())), "{error}");
    }
    drawn.fork('x', "y");
    let cids = ['b', 'y'].map(|letter| drawn.tipset(letter).key.cids()[0]);
    let error = drawn.chain.tipset(&TipsetKey::new(cids.to_vec())).unwrap_err();
    assert!(error.attempt().contains("parents"), "{error}");
}

#[test]
fn a_block_that_is_no_header_is_corrupt_with_its_cid() {
    let drawn = Drawing::of("g");
    let cid = cid_of(&[0x80]);
    drawn.store.put(&cid, &[0x80]);
    let error = drawn.chain.tipset(&TipsetKey::new(vec![cid])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.attempt().contains(&cid.to_string()), "{error}");
}

#[test]
fn the_second_lookup_of_a_far_height_reads_a_small_part_of_the_chain() {
    let tall = format!("g{}", "a-".repeat(10_000));
    let drawn = Drawing::of(&tall);
    let head = drawn.tipset('a').clone();
    drawn.store.take_reads();
    let first = drawn.chain.tipset_at(Epoch::new(101), &head).unwrap();
    let walked = drawn.store.take_reads();
    let second = drawn.chain.tipset_at(Epoch::new(101), &head).unwrap();
    let skipped = drawn.store.take_reads();
    assert_eq!(first, second);
    assert_eq!(first.unwrap().height, Epoch::new(101));
    assert_eq!(walked, 9_949);
    assert!(skipped < 600, "{skipped} reads");
}

#[test]
fn every_height_is_the_same_with_shortcuts_as_without() {
    let tall = format!("g{}", "a--ab-".repeat(500));
    let drawn = Drawing::of(&tall);
    let head = drawn.tipset('b').clone();
    let mut naive = head.clone();
    drawn.chain.tipset_at(Epoch::GENESIS, &head).unwrap();
    for height in (0..=head.height.height()).rev().map(Epoch::new) {
        while naive.height > height {
            naive = drawn.chain.tipset(&naive.parents).unwrap().unwrap();
        }
        assert_eq!(drawn.chain.tipset_at(height, &head).unwrap().as_ref(), Some(&naive), "{height}");
    }
}

#[test]
fn shortcuts_of_one_fork_do_not_lead_another_astray() {
    let mut drawn = Drawing::of(&format!("g{}b{}z", "a".repeat(600), "c".repeat(2000)));
    drawn.fork('b', &format!("{}y", "d".repeat(2000)));
    let heads = ['z', 'y'].map(|letter| drawn.tipset(letter).clone());
    let lookup = |head: &Tipset, height| drawn.chain.tipset_at(Epoch::new(height), head).unwrap().unwrap();
    for head in &heads {
        lookup(head, 0);
    }
    for height in [100, 601] {
        assert_eq!(lookup(&heads[0], height), lookup(&heads[1], height));
    }
    for height in [602, 1024, 1536, 2601] {
        assert_ne!(lookup(&heads[0], height), lookup(&heads[1], height));
    }
}
