//! What each policy keeps hot and moves to cold, held against an independent oracle.

use std::collections::BTreeSet;
use std::sync::Arc;

use splitstore_car::CarReader;
use splitstore_domain::{BlockKey, ColdPolicy, CompactionPlan, Epoch, Policy, Window};
use splitstore_fixtures::oracle::{self, Blocks};
use splitstore_marksets::{BloomSets, ExactSets, RoaringSets};
use splitstore_orchestrator::MarkSets;
use splitstore_ports::cid::Cid;
use splitstore_ports::{MarkSet, MarkSetFactory, Result, SetHint};

use crate::rig::{MODES, Rig, generated, key_set};

const POLICIES: [ColdPolicy; 3] = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];

/// Compacts `blocks` in each way of marking and compares both tiers with the oracle, key by key.
fn check(rig: &mut Rig, blocks: &Blocks, head: &[Cid], height: Epoch) {
    let mut plans = Vec::new();
    for mode in MODES {
        let mut other = rig.anew(mode);
        plans.push(check_one(&mut other, blocks, head, height));
    }
    plans.push(check_one(rig, blocks, head, height));
    assert!(plans.windows(2).all(|pair| pair[0] == pair[1]), "all ways of marking plan the same: {plans:?}");
}

fn check_one(rig: &mut Rig, blocks: &Blocks, head: &[Cid], height: Epoch) -> CompactionPlan {
    rig.load(blocks, head);
    let policy = Policy::new(rig.settings).unwrap();
    let window = Window::at(height, height, &policy);
    let hot = oracle::expected_hot(blocks, head, &window).unwrap();
    let cold = oracle::expected_cold(blocks, head, &window, rig.settings.cold_policy).unwrap();
    let (store, _chain) = rig.open().unwrap();
    let plan = store.plan().unwrap();
    let report = store.compact().unwrap();
    let how = (rig.settings.cold_policy, rig.mode);
    assert_eq!(rig.hot_keys(), key_set(&hot), "hot under {how:?}");
    assert_eq!(rig.cold_keys(), key_set(&cold), "cold under {how:?}");
    assert_eq!(plan, report.plan, "a dry run says what the run then does");
    assert!(store.audit().unwrap().is_clean());
    for cid in hot.union(&cold) {
        assert_eq!(store.get(cid).unwrap().as_ref(), blocks.get(cid), "{cid} reads as it was put");
    }
    let again = store.compact().unwrap();
    assert_eq!(again.plan.candidates().blocks, 0, "a second run finds nothing to do");
    plan
}

#[test]
fn each_policy_keeps_and_moves_what_the_oracle_says_of_a_generated_chain() {
    let (blocks, head, height) = generated(60, 3);
    for policy in POLICIES {
        check(&mut Rig::new(5, policy), &blocks, &head, height);
    }
}

#[test]
fn message_retention_keeps_messages_of_further_finalities_hot() {
    let (blocks, head, height) = generated(60, 4);
    let mut held = BTreeSet::new();
    for retention in [0, 1, 3, 50] {
        let mut rig = Rig::new(5, ColdPolicy::Messages);
        rig.settings.message_retention_finalities = retention;
        check(&mut rig, &blocks, &head, height);
        assert!(held.is_subset(&rig.hot_keys()), "a longer retention keeps more");
        held = rig.hot_keys();
    }
}

#[test]
fn a_chain_shorter_than_the_boundary_loses_only_what_no_header_reaches() {
    let (blocks, head, height) = generated(10, 5);
    check(&mut Rig::new(900, ColdPolicy::Discard), &blocks, &head, height);
}

/// What an approximate set wrongly claims must not stay: it would be visible without its children.
#[test]
fn a_set_that_over_approximates_changes_nothing_about_what_stays() {
    let (blocks, head, height) = generated(60, 6);
    let sets: [Arc<dyn MarkSetFactory>; 3] =
        [Arc::new(RoaringSets), Arc::new(BloomSets), Arc::new(ClaimsAll)];
    for marks in sets {
        let mut rig = Rig::new(5, ColdPolicy::Messages);
        rig.marks = MarkSets::Split { visits: Arc::new(ExactSets), marks };
        check(&mut rig, &blocks, &head, height);
    }
}

/// The worst approximation there is.
struct ClaimsAll;

impl MarkSetFactory for ClaimsAll {
    fn name(&self) -> &'static str {
        "claims-all"
    }

    fn create(&self, _hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(Self))
    }

    fn recover(&self, _sealed: &mut dyn std::io::Read, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        self.create(hint)
    }
}

impl MarkSet for ClaimsAll {
    fn mark_many(&self, _keys: &[BlockKey]) -> Result<()> {
        Ok(())
    }

    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()> {
        answers.extend(keys.iter().map(|_| true));
        Ok(())
    }

    fn len(&self) -> u64 {
        u64::MAX
    }

    fn seal(&self, _out: &mut dyn std::io::Write) -> Result<()> {
        Ok(())
    }
}

#[test]
fn the_real_archive_of_forty_epochs_is_kept_and_moved_as_each_policy_says() {
    let Some(path) = crate::rig::real_archive("export40.car") else { return };
    let car = CarReader::open(path).unwrap();
    let head = car.roots().to_vec();
    let blocks: Blocks = car.map(|block| block.map(|block| (block.cid, block.data)).unwrap()).collect();
    for policy in POLICIES {
        for retention in [0, 2] {
            let mut rig = Rig::new(2, policy);
            rig.settings.message_retention_finalities = retention;
            rig.load(&blocks, &head);
            let height = rig.open().unwrap().0.info().unwrap().head.unwrap().height;
            check(&mut rig, &blocks, &head, height);
        }
    }
}

/// An operator widens the windows: what an earlier run dropped under the old ones is gone, and no error.
#[test]
fn a_wider_window_than_that_of_an_earlier_run_compacts() {
    let (blocks, head, _) = generated(60, 8);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    store.note_snapshot(Epoch::GENESIS).unwrap();
    store.compact().unwrap();
    drop(store);
    rig.settings.finality_epochs = 4;
    let (store, _chain) = rig.open().unwrap();
    store.compact().unwrap();
    let audit = store.audit().unwrap();
    assert!(audit.is_clean() && audit.tolerated > 0, "{audit:?}");
}
