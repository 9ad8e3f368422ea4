//! Reverted tipsets younger than finality are roots of every run, as the chain is.

use std::collections::BTreeSet;

use splitstore_domain::{ColdPolicy, Epoch, HeadChange, Policy, Tipset, TipsetKey, Window};
use splitstore_fixtures::drawing::{self, Drawing};
use splitstore_fixtures::oracle;
use splitstore_memory::Fuse;
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockDelete, BlockRead, ChainAccessor};

use crate::rig::{Rig, finish, key_set, step_to};

const POLICIES: [ColdPolicy; 3] = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];

/// A chain up to this height; at 30 a fork of three tipsets leaves it, the second of them with two headers.
fn drawn(height: u64) -> Drawing {
    let canonical: Vec<String> = (0..=height).map(|height| format!("{height}: c{height}")).collect();
    drawing::chain(&format!("{}; 31: x on=c30; 32: y z on=x; 33: w on=y", canonical.join("; "))).unwrap()
}

fn headers(drawn: &Drawing, name: &str) -> Vec<Cid> {
    let cid = drawn.names[name];
    drawn.tipsets.iter().find(|(_, headers)| headers.contains(&cid)).unwrap().1.clone()
}

/// A finality of three epochs, and a chain with this head.
fn rig_at(drawn: &Drawing, head: &str, policy: ColdPolicy, without: &[&str]) -> Rig {
    let without: Vec<Cid> = without.iter().map(|name| drawn.names[*name]).collect();
    let mut rig = Rig::new(3, policy);
    let blocks = drawn.blocks.iter().filter(|(cid, _)| !without.contains(cid));
    rig.load(blocks.map(|(cid, data)| (cid, data)), &headers(drawn, head));
    rig
}

/// Back from the fork to the chain.
fn reorganisation(chain: &dyn ChainAccessor, drawn: &Drawing, height: u64) -> HeadChange {
    let tipset = |name: String| chain.tipset(&TipsetKey::new(headers(drawn, &name))).unwrap().unwrap();
    let revert: Vec<Tipset> = ["w", "y", "x"].map(|name| tipset(name.into())).into();
    HeadChange { revert, apply: (31..=height).map(|height| tipset(format!("c{height}"))).collect() }
}

/// What the table says of a chain with each of these heads, cut at this height.
fn table(rig: &Rig, drawn: &Drawing, height: u64, heads: &[&str]) -> BTreeSet<Cid> {
    let window = Window::at(Epoch::new(height), Epoch::GENESIS, &Policy::new(rig.settings).unwrap());
    let hot = |head: &&str| oracle::expected_hot(&drawn.map(), &headers(drawn, head), &window).unwrap();
    heads.iter().flat_map(hot).collect()
}

#[test]
fn a_reverted_fork_is_kept_until_its_tip_is_older_than_finality_also_over_restarts() {
    for (height, kept) in [(34, true), (36, true), (37, false)] {
        let (drawn, canonical) = (drawn(height), format!("c{height}"));
        for (policy, restart) in POLICIES.into_iter().flat_map(|policy| [(policy, false), (policy, true)]) {
            let mut rig = rig_at(&drawn, "w", policy, &[]);
            let (mut store, mut chain) = rig.open().unwrap();
            chain.set_head(&reorganisation(&*chain, &drawn, height)).unwrap();
            if restart {
                drop((store, chain));
                rig.crash();
                rig.head = headers(&drawn, &canonical);
                (store, chain) = rig.open().unwrap();
            }
            let context = format!("at {height} under {policy}, restarted: {restart}");
            store.compact().unwrap();
            let heads: &[&str] = if kept { &[&canonical, "w"] } else { &[&canonical] };
            assert_eq!(rig.hot_keys(), key_set(&table(&rig, &drawn, height, heads)), "{context}");
            // The chain comes back to it, and the next run finds all it needs.
            if kept {
                let HeadChange { revert: apply, apply: revert } = reorganisation(&*chain, &drawn, height);
                let flip = |mut tipsets: Vec<Tipset>| {
                    tipsets.reverse();
                    tipsets
                };
                chain.set_head(&HeadChange { revert: flip(revert), apply: flip(apply) }).unwrap();
                store.compact().unwrap_or_else(|error| panic!("{context}: {error}"));
                assert!(store.audit().unwrap().is_clean(), "{context}");
            }
        }
    }
}

/// A power cut may take what no flush covered: what is missing below a fork ends no run.
#[test]
fn a_fork_that_has_holes_ends_no_run_and_keeps_what_is_there() {
    let drawn = drawn(34);
    for lost in ["y.0", "z.messages", "w.state", "x.actors"] {
        let rig = rig_at(&drawn, "w", ColdPolicy::Discard, &[lost]);
        let (store, chain) = rig.open().unwrap();
        store.note_snapshot(Epoch::GENESIS).unwrap();
        chain.set_head(&reorganisation(&*chain, &drawn, 34)).unwrap();
        let report = store.compact().unwrap_or_else(|error| panic!("without {lost}: {error}"));
        assert!(report.plan.missing > 0, "{lost} is counted");
        for name in ["w", "y", "z", "x", "y.messages", "w.0"] {
            assert!(store.has(&drawn.names[name]).unwrap(), "{name}, without {lost}");
        }
        let missing_in_the_chain = "c33.state";
        rig.hot.delete_many(&[(&drawn.names[missing_in_the_chain]).into()]).unwrap();
        let error = store.compact().expect_err("the chain itself is strict as ever");
        assert!(error.to_string().contains(&drawn.names[missing_in_the_chain].to_string()), "{error}");
    }
}

/// The chain has its new head before the store is told: a run that began in between has read neither the fork nor
/// the list.
#[test]
fn a_fork_that_is_reverted_while_a_run_is_on_is_kept_by_that_run() {
    let drawn = drawn(34);
    for phase in ["mark", "collect", "transfer", "seal"] {
        let rig = rig_at(&drawn, "c34", ColdPolicy::Discard, &[]);
        let (store, chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, phase);
        store.head_change(&reorganisation(&*chain, &drawn, 34)).unwrap();
        finish(run);
        for cid in table(&rig, &drawn, 34, &["c34", "w"]) {
            assert!(store.has(&cid).unwrap(), "{:?} in {phase}", drawn.names_of(&[cid].into()));
        }
    }
}

/// A chain may have moved already when it tells the store: what it names is kept by the run that is on, although the
/// call fails.
#[test]
fn a_head_change_that_cannot_be_remembered_is_an_error_and_protects_all_it_names() {
    let drawn = drawn(34);
    for phase in ["mark", "seal"] {
        let fuse = Fuse::new();
        let mut rig = rig_at(&drawn, "c34", ColdPolicy::Discard, &[]);
        rig.meta = rig.meta.clone().fused(fuse.clone());
        let (store, chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, phase);
        let change = reorganisation(&*chain, &drawn, 34);
        fuse.burn_after(0);
        store.head_change(&change).unwrap_err();
        fuse.renew();
        finish(run);
        for cid in headers(&drawn, "w") {
            assert!(rig.hot_keys().contains(&(&cid).into()), "a header that was reverted in {phase}");
        }
    }
}
