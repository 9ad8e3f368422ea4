//! Views: what a callback looks at stays with all below it, however the run passes it.

use std::sync::Arc;

use loom::sync::Mutex;
use splitstore_domain::{ColdPolicy, Phase};
use splitstore_ports::BlockRead;

use crate::explore::{explore, spawn};
use crate::node::{Node, finish, step_to};

/// The callback asks for the child of what it looks at: it must be there.
#[test]
fn a_view_beside_the_seal_and_the_purge_keeps_what_it_showed() {
    explore("view beside seal and purge", |count| {
        let node = Node::new(ColdPolicy::Discard);
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Seal);
        let (store, parent, child) = (node.store.clone(), node.parent.cid, node.child.cid);
        let look = move || {
            let mut callback = |_: &[u8]| assert!(store.has(&child).unwrap(), "law 2: a view over a hole");
            store.view(&parent, &mut callback).unwrap()
        };
        let viewer = spawn(look);
        finish(run);
        let shown = viewer.join().unwrap();
        count.saw(shown);
        assert!(!shown || node.has_whole(&node.parent), "law 2: a view, and then it was purged");
    });
}

/// The callback holds on to its block from before the run to after its seal: the seal takes it for a reference.
#[test]
fn a_view_that_is_open_when_the_filter_goes_on_keeps_what_it_shows() {
    explore("view open at the seal", |count| {
        let node = Node::new(ColdPolicy::Discard);
        let (store, parent, child) = (node.store.clone(), node.parent.cid, node.child.cid);
        let stage = Arc::new(Mutex::new(false));
        let sealed = stage.clone();
        let viewer = spawn(move || {
            let mut late = None;
            let mut callback = |_: &[u8]| {
                let after_seal = *sealed.lock().unwrap();
                late = Some((after_seal, store.has(&child).unwrap()));
            };
            store.view(&parent, &mut callback).unwrap();
            late
        });
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, Phase::Purge);
        *stage.lock().unwrap() = true;
        finish(run);
        let seen = viewer.join().unwrap();
        count.saw(seen.is_some_and(|(late, _)| late));
        assert!(seen.is_none_or(|(_, whole)| whole), "law 2: a view over a hole");
    });
}
