//! Readers: a yes is kept, and what is live for the whole of a call is never missed.

use std::sync::Arc;

use loom::sync::Mutex;
use splitstore_domain::object::RAW;
use splitstore_domain::{ColdPolicy, Phase};
use splitstore_model::SplitStore;
use splitstore_ports::BlockRead;
use splitstore_ports::cid::Cid;

use crate::explore::{explore, spawn};
use crate::node::{Node, finish, step_to};

type Ask = fn(&SplitStore, &Cid) -> bool;

/// Asks for the garbage while a run goes from `phase` to its end: after a yes, all of it is there.
fn a_yes_is_kept(name: &'static str, from: Phase, ask: Ask) {
    explore(name, move |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, from);
        let (store, parent) = (node.store.clone(), node.parent.cid);
        let reader = spawn(move || ask(&store, &parent));
        finish(run);
        let yes = reader.join().unwrap();
        count.saw(yes);
        assert!(!yes || node.has_whole(&node.parent), "law 2: a yes, and then it was purged");
    });
}

fn has(store: &SplitStore, cid: &Cid) -> bool {
    store.has(cid).unwrap()
}

fn get(store: &SplitStore, cid: &Cid) -> bool {
    store.get(cid).unwrap().is_some()
}

fn get_many(store: &SplitStore, cid: &Cid) -> bool {
    store.get_many(std::slice::from_ref(cid)).unwrap() != [None]
}

#[test]
fn has_beside_mark_keeps_what_it_showed() {
    a_yes_is_kept("has beside mark to commit", Phase::Mark, has);
}

#[test]
fn has_beside_the_seal_and_the_purge_keeps_what_it_showed() {
    a_yes_is_kept("has beside seal and purge", Phase::Seal, has);
}

#[test]
fn get_beside_the_seal_and_the_purge_keeps_what_it_showed() {
    a_yes_is_kept("get beside seal and purge", Phase::Seal, get);
}

#[test]
fn get_many_beside_the_seal_and_the_purge_keeps_what_it_showed() {
    a_yes_is_kept("get_many beside seal and purge", Phase::Seal, get_many);
}

#[test]
fn two_readers_beside_the_seal_each_keep_what_they_showed() {
    explore("two readers beside seal and purge", |count| {
        let node = Arc::new(Node::new(ColdPolicy::Discard));
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Seal);
        let ask = |cid: Cid| {
            let store = node.store.clone();
            spawn(move || has(&store, &cid))
        };
        let (parent, child) = (ask(node.parent.cid), ask(node.child.cid));
        finish(run);
        let (parent, child) = (parent.join().unwrap(), child.join().unwrap());
        count.saw(parent);
        assert!(
            !parent || node.has_whole(&node.parent),
            "law 2: a yes for the parent, and then it was purged"
        );
        assert!(
            !child || node.hot.holds(&node.child.cid),
            "law 2: a yes for the child, and then it was purged"
        );
    });
}

/// The reader begins during one run and ends during the next, or after it: its yes must have been good for the
/// first, as nothing of it was known before.
#[test]
fn a_read_that_a_whole_run_overtakes_promises_nothing_that_is_gone() {
    overtaken("a read overtaken by runs", has);
}

#[test]
fn a_batch_that_a_whole_run_overtakes_promises_nothing_that_is_gone() {
    overtaken("a batch overtaken by runs", get_many);
}

fn overtaken(name: &'static str, ask: Ask) {
    explore(name, move |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Seal);
        let (store, parent) = (node.store.clone(), node.parent.cid);
        let reader = spawn(move || ask(&store, &parent));
        finish(run);
        let survived = node.hot.holds(&node.parent.cid) && node.hot.holds(&node.child.cid);
        let mut second = node.store.begin().unwrap();
        step_to(&mut second, Phase::Mark);
        let yes = reader.join().unwrap();
        drop(second);
        count.saw(yes);
        assert!(!yes || survived, "law 2: a yes for what the run that was on had deleted");
    });
}

/// Who asks for the parent as raw bytes keeps it as a leaf. Who asks for it as DAG-CBOR later, and has his answer before
/// the purge goes on, keeps what is below it as well.
#[test]
fn a_leaf_that_is_named_as_dag_cbor_keeps_what_is_below_it_from_then_on() {
    explore("a leaf named as DAG-CBOR beside a purge batch", |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Mark);
        let raw = Cid::new_v1(RAW, *node.parent.cid.hash());
        assert!(has(&node.store, &raw));
        step_to(&mut run, Phase::Purge);
        let ended = Arc::new(Mutex::new(false));
        let (store, parent, flag) = (node.store.clone(), node.parent.cid, ended.clone());
        let reader = spawn(move || {
            let yes = has(&store, &parent);
            *flag.lock().unwrap() = true;
            yes
        });
        let before = *ended.lock().unwrap();
        finish(run);
        let yes = reader.join().unwrap();
        count.saw(before);
        assert!(!before || (yes && node.has_whole(&node.parent)), "law 2: a yes, and then it was purged");
    });
}

/// What moves is at every moment in one of the tiers, and a reader finds it there.
#[test]
fn what_moves_to_cold_is_never_missed_on_its_way() {
    explore("get of what moves to cold", |count| {
        let node = Node::new(ColdPolicy::Universal);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Transfer);
        let (store, child) = (node.store.clone(), node.child.cid);
        let reader = spawn(move || get(&store, &child));
        finish(run);
        assert!(reader.join().unwrap(), "law 1: a block was in neither tier for a reader");
        count.saw(node.hot.holds(&node.child.cid));
    });
}
