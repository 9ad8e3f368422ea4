//! A purge that rewrites hot: between the engine's decision on a block and its end anything may happen.

use splitstore_domain::{ColdPolicy, Phase, PurgeStrategy};
use splitstore_model::SplitStore;
use splitstore_ports::{BlockRead, BlockWrite};

use crate::explore::{explore, spawn};
use crate::node::{Made, Node, finish, step_to};

fn node() -> Node {
    Node::purging(ColdPolicy::Discard, PurgeStrategy::Rewrite)
}

/// Puts beside a rewrite of everything. `holds` hears what the writer was told.
fn beside(
    name: &'static str,
    from: Phase,
    write: fn(&SplitStore, &Node) -> bool,
    holds: fn(&Node, bool) -> bool,
) {
    beside_it_on(name, node, from, write, holds);
}

fn beside_it_on(
    name: &'static str,
    node: fn() -> Node,
    from: Phase,
    write: fn(&SplitStore, &Node) -> bool,
    holds: fn(&Node, bool) -> bool,
) {
    explore(name, move |count| {
        let node = std::sync::Arc::new(node());
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, from);
        let writer = {
            let node = node.clone();
            spawn(move || write(&node.store, &node))
        };
        finish(run);
        let said = writer.join().unwrap();
        count.saw(said);
        assert!(holds(&node, said), "laws 1 and 2: a put, or what is below it, went with the old versions");
    });
}

fn put(store: &SplitStore, made: &Made) {
    store.put_many(&[made.block()]).unwrap();
}

/// Both blocks are written again, the child first: neither goes, whatever was decided on their old versions.
#[test]
fn what_is_put_again_beside_a_rewrite_stays() {
    let write = |store: &SplitStore, node: &Node| {
        let there = node.hot.holds(&node.child.cid);
        put(store, &node.child);
        put(store, &node.parent);
        there
    };
    beside("put again beside a rewrite", Phase::Purge, write, |node, _| node.has_whole(&node.parent));
}

/// Only what is above is written, as after a yes: what is below either stays, or is not promised.
#[test]
fn what_is_put_on_top_of_doomed_blocks_relies_on_none_that_goes() {
    let write = |store: &SplitStore, node: &Node| {
        put(store, &node.above_child());
        store.has(&node.child.cid).unwrap()
    };
    beside("put on top beside a rewrite", Phase::Purge, write, |node, said| {
        node.store.has(&node.above_child().cid).unwrap() && (!said || node.has_whole(&node.above_child()))
    });
}

/// The node asks, trusts a yes, and brings the child after a no: the rewrite comes after the seal.
#[test]
fn who_asks_trusts_and_puts_beside_seal_and_rewrite_keeps_all() {
    let write = |store: &SplitStore, node: &Node| {
        let there = store.has(&node.child.cid).unwrap();
        if !there {
            put(store, &node.child);
        }
        put(store, &node.above_child());
        there
    };
    beside("ask, trust, put beside seal and rewrite", Phase::Seal, write, |node, _| {
        node.has_whole(&node.above_child())
    });
}

/// The engine passes over the child and says that it is done: the child is there at the end if somebody was told so, and
/// else it is gone, or it would show with the filter off.
#[test]
fn what_the_engine_passes_over_stays_only_if_somebody_relies_on_it() {
    let passing = || {
        let node = node();
        node.hot.passes_over(&node.child.cid);
        node
    };
    let write = |store: &SplitStore, node: &Node| {
        put(store, &node.above_child());
        store.has(&node.child.cid).unwrap()
    };
    beside_it_on(
        "put on top beside a rewrite that passes over blocks",
        passing,
        Phase::Purge,
        write,
        |node, said| {
            node.store.has(&node.above_child().cid).unwrap() && said == node.hot.holds(&node.child.cid)
        },
    );
}
