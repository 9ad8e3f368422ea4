//! Writers: what was put during a run stays, and so does what the writer was told is there below it.

use std::sync::Arc;

use loom::sync::Mutex;
use splitstore_domain::{ColdPolicy, Phase};
use splitstore_model::SplitStore;
use splitstore_ports::{BlockRead, BlockWrite};

use crate::explore::{explore, spawn};
use crate::node::{Made, Node, finish, step_to};

/// Writes a block above the child as nodes do: asks, trusts a yes, brings the child after a no. The outcome is
/// what `has` said.
fn ask_trust_put(store: &SplitStore, top: &Made, child: &Made) -> bool {
    let there = store.has(&child.cid).unwrap();
    if there {
        store.put_many(&[top.block()]).unwrap();
    } else {
        store.put_many(&[child.block(), top.block()]).unwrap();
    }
    there
}

fn put_beside(name: &'static str, from: Phase) {
    explore(name, move |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, from);
        let (store, top, child) = (node.store.clone(), node.above_child(), node.child.clone());
        let writer = spawn(move || ask_trust_put(&store, &top, &child));
        finish(run);
        let there = writer.join().unwrap();
        count.saw(there);
        assert!(node.has_whole(&node.above_child()), "laws 1 and 2: a put, or what is below it, was purged");
    });
}

#[test]
fn a_put_beside_mark_to_commit_stays_with_its_child() {
    put_beside("put beside mark to commit", Phase::Mark);
}

#[test]
fn a_put_beside_the_seal_and_the_purge_stays_with_its_child() {
    put_beside("put beside seal and purge", Phase::Seal);
}

/// Whoever writes on top of something without asking is promised what was there below it, if he was done before the
/// seal: nothing had been deleted then.
#[test]
fn a_put_that_asks_nothing_keeps_what_is_below_it_if_it_ends_before_the_seal() {
    explore("put without asking beside mark to seal", |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Mark);
        let ended = Arc::new(Mutex::new(false));
        let (store, top, flag) = (node.store.clone(), node.above_child(), ended.clone());
        let writer = spawn(move || {
            store.put_many(&[top.block()]).unwrap();
            *flag.lock().unwrap() = true;
        });
        step_to(&mut run, Phase::Seal);
        let before = *ended.lock().unwrap();
        finish(run);
        writer.join().unwrap();
        count.saw(before);
        assert!(!before || node.has_whole(&node.above_child()), "law 2: what was below a put was purged");
    });
}

/// Parents may come first: what was missing when they were walked is read again when it comes.
#[test]
fn a_block_that_comes_after_its_parent_keeps_what_is_below_it_if_it_comes_before_the_seal() {
    explore("parents first beside mark to seal", |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Mark);
        let ended = Arc::new(Mutex::new(false));
        let (store, late, flag) = (node.store.clone(), node.above_child(), ended.clone());
        let writer = spawn(move || {
            store.put_many(&[Node::above(&late).block()]).unwrap();
            store.put_many(&[late.block()]).unwrap();
            *flag.lock().unwrap() = true;
        });
        step_to(&mut run, Phase::Seal);
        let before = *ended.lock().unwrap();
        finish(run);
        writer.join().unwrap();
        count.saw(before);
        assert!(!before || node.has_whole(&node.above_child()), "law 2: what was below a put was purged");
    });
}

/// The batch under way holds the child: either it is seen and kept, or it is not seen.
#[test]
fn a_put_beside_the_purge_alone_stays_with_its_child() {
    explore("put after the seal beside a purge batch", |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Purge);
        let (store, top, child) = (node.store.clone(), node.above_child(), node.child.clone());
        let hot = node.hot.clone();
        let writer = spawn(move || {
            let there = hot.holds(&child.cid);
            store.put_many(&[child.block()]).unwrap();
            store.put_many(&[top.block()]).unwrap();
            there
        });
        finish(run);
        count.saw(writer.join().unwrap());
        assert!(node.has_whole(&node.above_child()), "laws 1 and 2: a put, or what is below it, was purged");
    });
}

/// Putting what is there already counts as much as putting what is not.
fn dedupe_beside(name: &'static str, from: Phase) {
    explore(name, move |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, from);
        let (store, child, hot) = (node.store.clone(), node.child.clone(), node.hot.clone());
        let writer = spawn(move || {
            let before = hot.holds(&child.cid);
            store.put_many(&[child.block()]).unwrap();
            before
        });
        finish(run);
        count.saw(writer.join().unwrap());
        assert!(node.hot.holds(&node.child.cid), "law 1: a block that was put again was purged");
    });
}

#[test]
fn a_block_put_again_beside_a_purge_batch_stays() {
    dedupe_beside("dedupe put beside a purge batch", Phase::Purge);
}

#[test]
fn a_block_put_again_beside_the_seal_stays() {
    dedupe_beside("dedupe put beside seal and purge", Phase::Seal);
}

#[test]
fn a_writer_and_a_reader_beside_the_purge_each_keep_their_own() {
    explore("writer and reader beside a purge batch", |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Purge);
        let (store, top, child) = (node.store.clone(), node.above_child(), node.child.clone());
        let writer = spawn(move || ask_trust_put(&store, &top, &child));
        let (store, top) = (node.store.clone(), node.above_child().cid);
        let reader = spawn(move || store.has(&top).unwrap());
        finish(run);
        writer.join().unwrap();
        count.saw(reader.join().unwrap());
        assert!(node.has_whole(&node.above_child()), "laws 1 and 2: a put, or what is below it, was purged");
    });
}
