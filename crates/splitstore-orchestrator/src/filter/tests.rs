//! Walks beside a purge, beside one another and beside readers, in the middle.

#![expect(clippy::unwrap_used, reason = "what a test cannot unwrap has failed it")]

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use splitstore_marksets::ExactSets;
use splitstore_memory::MemoryStore;
use splitstore_ports::{BlockRead, BlockWriteExt, Notes, SetHint, VisitSetFactory};

use super::*;

struct Rig {
    filter: Arc<Filter>,
    hot: Arc<MemoryStore>,
}

const RUN: u64 = 5;

fn rig() -> Rig {
    let hot = Arc::new(MemoryStore::hot());
    let hint = SetHint { expected: 0, universe: &*hot, folder: Path::new("") };
    let visits = VisitSetFactory::create(&ExactSets, &hint).unwrap();
    let tiers = Tiers::new(hot.clone(), Arc::new(MemoryStore::cold()));
    Rig { filter: Filter::new(WalkSets::new(visits, None), tiers, RUN, Leaving::ForGood), hot }
}

/// A list of links, and what it links to.
fn block(links: &[Cid], name: u8) -> (Cid, Vec<u8>) {
    let mut data = vec![0x80 | u8::try_from(links.len() + 1).unwrap(), name];
    for link in links {
        let bytes = link.to_bytes();
        data.extend([0xd8, 0x2a, 0x58, u8::try_from(bytes.len() + 1).unwrap(), 0]);
        data.extend(bytes);
    }
    let mut multihash = vec![0xa0, 0xe4, 0x02, 0x20];
    multihash.extend(splitstore_domain::digest::blake2b_256(&data));
    let key = BlockKey::from_bytes(&multihash).unwrap();
    (key.to_cid(splitstore_domain::object::DAG_CBOR), data)
}

impl Rig {
    /// parent -> child -> leaf, all in hot.
    fn lineage(&self) -> [Cid; 3] {
        let leaf = block(&[], 1);
        let child = block(&[leaf.0], 2);
        let parent = block(&[child.0], 3);
        [parent, child, leaf].map(|(cid, data)| {
            self.hot.put(&cid, &data).unwrap();
            cid
        })
    }

    fn walk_from(&self, cid: &Cid) -> Arc<Growth> {
        let reference = reference_to(cid).unwrap();
        self.filter.walk(|walker, met| walker.push_reference(&reference, met)).unwrap().0
    }

    /// How many of them stay, for good or for now.
    fn purge(&self, cids: &[Cid]) -> u64 {
        let Purge { spared, postponed, .. } =
            self.filter.purge(cids.iter().map(BlockKey::from).collect()).unwrap();
        spared + postponed.len() as u64
    }

    fn there(&self, cids: &[Cid]) -> Vec<bool> {
        cids.iter().map(|cid| self.hot.has(cid).unwrap()).collect()
    }
}

#[test]
fn what_a_walk_has_met_is_not_purged_before_it_is_marked() {
    let rig = rig();
    let all = rig.lineage();
    let walk = rig.walk_from(&all[0]);
    assert_eq!(rig.purge(&all), 3);
    assert_eq!(rig.there(&all), [true; 3]);
    walk.publish().unwrap();
    drop(walk);
    assert_eq!(rig.purge(&all), 3, "marked now");
    assert!(rig.filter.shows(&all[2]).unwrap());
}

#[test]
fn a_walk_that_is_given_up_holds_nothing_back() {
    let rig = rig();
    let all = rig.lineage();
    drop(rig.walk_from(&all[0]));
    assert_eq!(rig.purge(&all), 0);
    assert_eq!(rig.there(&all), [false; 3]);
}

/// A write that failed may be in the log all the same. Should a restart find its note, all of it must be there.
#[test]
fn what_may_have_been_noted_is_not_purged_and_not_relied_on() {
    let rig = rig();
    let all = rig.lineage();
    let walk = rig.walk_from(&all[0]);
    walk.written();
    drop(walk);
    assert!(!rig.filter.shows(&all[0]).unwrap());
    assert_eq!(rig.purge(&all), 3);
}

#[test]
fn a_walk_does_not_stop_at_what_another_has_only_met() {
    let rig = rig();
    let [parent, child, _] = rig.lineage();
    let first = rig.walk_from(&child);
    assert_eq!(rig.walk_from(&parent).visits().len(), 3, "the first may fail yet");
    first.publish().unwrap();
    assert_eq!(rig.walk_from(&parent).visits().len(), 1);
}

#[test]
fn two_walks_hold_a_key_back_until_both_are_over() {
    let rig = rig();
    let all = rig.lineage();
    let (first, second) = (rig.walk_from(&all[0]), rig.walk_from(&all[1]));
    drop(first);
    assert_eq!(rig.purge(&all), 2, "the second still has child and leaf");
    assert_eq!(rig.there(&all), [false, true, true]);
    drop(second);
    assert_eq!(rig.purge(&all), 0);
}

#[test]
fn a_key_is_noted_before_others_may_rely_on_it() {
    let rig = rig();
    let all = rig.lineage();
    rig.filter.protect(&[reference_to(&all[0]).unwrap()]).unwrap();
    let mut noted = Vec::new();
    let mut see = |visits: Vec<Visit>| {
        noted.extend(visits);
        Ok(())
    };
    mark_notes::read(&*rig.hot, RUN, &mut see).unwrap();
    assert_eq!(noted, all.map(|cid| reference_to(&cid).unwrap()));
    rig.filter.protect(&[reference_to(&all[0]).unwrap()]).unwrap();
    let mut notes = 0;
    rig.hot.notes(&mut |_| notes += 1).unwrap();
    assert_eq!(notes, 1, "what is marked is not noted again");
}

/// Readers of marked blocks wait neither for a batch of the purge, nor for walks, nor for the last references.
#[test]
fn a_reader_of_a_marked_block_waits_for_nobody() {
    let rig = rig();
    let all = rig.lineage();
    let written = vec![reference_to(&all[0]).unwrap()];
    rig.filter.mark(&Taken { written, ..Taken::default() }).unwrap();
    let _purging = rig.filter.held_back.lock_all();
    let _settling = rig.filter.last.write();
    let (answer, answered) = channel();
    let filter = rig.filter.clone();
    std::thread::spawn(move || answer.send(filter.shows(&all[2]).unwrap()));
    // Long enough for any machine; a reader that waits would wait for ever.
    assert_eq!(answered.recv_timeout(Duration::from_secs(60)), Ok(true));
}

/// The walk of the last references fails once: nobody is told that their blocks are gone.
#[test]
fn last_references_that_could_not_be_walked_are_walked_by_the_first_who_asks() {
    let rig = rig();
    let all = rig.lineage();
    rig.filter.last.write().written.push(reference_to(&all[0]).unwrap());
    assert!(rig.filter.shows(&all[2]).unwrap());
    assert!(rig.filter.last.read().is_empty());
    rig.filter.last.write().written.push(reference_to(&all[0]).unwrap());
    assert_eq!(rig.purge(&all), 3);
}

/// What a walk holds back is purged later, if it comes to nothing.
#[test]
fn what_is_held_back_by_a_walk_is_postponed_and_what_may_be_noted_is_kept() {
    let rig = rig();
    let all = rig.lineage();
    let keys: Vec<BlockKey> = all.iter().map(BlockKey::from).collect();
    let walk = rig.walk_from(&all[0]);
    assert_eq!(
        rig.filter.purge(keys.clone()).unwrap(),
        Purge { postponed: keys.clone(), ..Purge::default() }
    );
    walk.written();
    drop(walk);
    assert_eq!(rig.filter.purge(keys).unwrap(), Purge { spared: 3, kept: 3, postponed: Vec::new() });
}

/// A put in the middle of a purge: what has a hole below it stays away, what is whole comes back.
#[test]
fn a_put_brings_back_what_is_whole_below_it_and_nothing_with_a_hole() {
    let rig = rig();
    let [_, child, leaf] = rig.lineage();
    let (other, data) = block(&[], 7);
    rig.hot.put(&other, &data).unwrap();
    let (top, data) = block(&[child, other], 8);
    assert_eq!(rig.purge(&[leaf]), 0);
    rig.filter.put(&[Block { cid: top, data: &data }], None).unwrap();
    assert_eq!(
        [top, child, leaf, other].map(|cid| rig.filter.shows(&cid).unwrap()),
        [true, false, false, true]
    );
    rig.purge(&[top, child, other]);
    assert_eq!(rig.there(&[top, child, other]), [true, false, true], "the purge goes on with the broken one");
    // The node asks, is told no, and brings both in one batch, parents first.
    let (leaf, leaf_data) = block(&[], 1);
    let (child, child_data) = block(&[leaf], 2);
    rig.filter
        .put(&[Block { cid: child, data: &child_data }, Block { cid: leaf, data: &leaf_data }], None)
        .unwrap();
    assert!(rig.filter.shows(&child).unwrap() && rig.filter.shows(&leaf).unwrap());
}
