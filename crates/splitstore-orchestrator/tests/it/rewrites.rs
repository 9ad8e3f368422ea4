//! A purge that rewrites hot ends where one that deletes does, from whatever crash, and says why it was chosen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use splitstore_domain::purge::PurgeWhy;
use splitstore_domain::{
    ByteCount, ColdPolicy, CompactionReport, Pacing, Phase, PurgeStrategy, PurgeWay, Shortfall,
};
use splitstore_memory::Call;
use splitstore_orchestrator::{Result, Run, SplitStore, Step, Trigger};
use splitstore_ports::{BlockRead, BlockWriteExt, ErrorKind, Event, Observer};

use crate::passing::{Asking, Passes};
use crate::rig::{Rig, chain_at, generated, list_block, raw_block, step_to};

const POLICIES: [ColdPolicy; 3] = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];

fn rig(policy: ColdPolicy, purge: PurgeStrategy) -> Rig {
    let (blocks, head, _) = generated(24, 31);
    let mut rig = Rig::new(2, policy);
    rig.purge = purge;
    rig.load(&blocks, &head);
    rig
}

/// What rewrites left to deletes, as an operator hears of it.
#[derive(Default)]
struct Told(Mutex<Vec<Shortfall>>);

impl Told {
    fn all(&self) -> Vec<Shortfall> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Told {
    fn on_event(&self, event: &Event) {
        if let Event::RewriteFellShort(shortfall) = event {
            self.0.lock().unwrap().push(*shortfall);
        }
    }
}

fn observed(rig: &Rig) -> (SplitStore, Arc<Told>) {
    let told = Arc::new(Told::default());
    let store = rig.open_with(Trigger::Manual, told.clone()).unwrap();
    store.start(chain_at(&store, &rig.head)).unwrap();
    (store, told)
}

fn to_its_end(run: &mut Run<'_>) -> Result<Box<CompactionReport>> {
    loop {
        if let Step::Finished(report) = run.step()? {
            return Ok(report);
        }
    }
}

/// Finishes the purge of an earlier run.
fn finish_rest(store: &SplitStore) {
    let mut rest = store.begin_rest().unwrap().unwrap();
    while !rest.is_over() {
        rest.step().unwrap();
    }
}

#[test]
fn a_rewrite_leaves_the_same_blocks_as_deletes_and_frees_their_space_by_itself() {
    for policy in POLICIES {
        let (deleted, rewritten) = (rig(policy, PurgeStrategy::Delete), rig(policy, PurgeStrategy::Auto));
        let report = deleted.open().unwrap().0.compact().unwrap();
        assert_eq!(report.purge.unwrap().way, PurgeWay::Delete);
        let (store, _chain) = rewritten.open().unwrap();
        let report = store.compact().unwrap();
        let choice = report.purge.unwrap();
        assert_eq!(choice.way, PurgeWay::Rewrite, "{choice}");
        assert!(matches!(choice.why, PurgeWhy::Dead(20..=80)), "{choice}");
        assert_eq!(rewritten.hot_keys(), deleted.hot_keys(), "{policy}");
        assert_eq!(rewritten.cold_keys(), deleted.cold_keys(), "{policy}");
        assert!(store.audit().unwrap().is_clean());
        let commit = report.phases.last().unwrap();
        assert_eq!(commit.bytes.0, 0, "nothing was left for a reclaim to free");
    }
}

/// The power is cut at every effect of the purge on hot; the next open finishes what was sealed, again by a rewrite.
#[test]
fn a_crash_at_any_effect_of_a_rewrite_is_recovered() {
    for policy in POLICIES {
        let whole = rig(policy, PurgeStrategy::Rewrite);
        whole.open().unwrap().0.compact().unwrap();
        let effects = dies_at_each_effect(&whole, || rig(policy, PurgeStrategy::Rewrite));
        assert!(effects > 4, "several ranges were rewritten");
    }
}

/// Cuts the power at each effect of the purge on hot in turn, and opens again: hot comes to what it is in `whole`. How many
/// effects the purge has.
fn dies_at_each_effect(whole: &Rig, rig: impl Fn() -> Rig) -> u64 {
    for effects in 0.. {
        let rig = rig();
        let (store, chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "purge");
        rig.hot.die_after(effects);
        let died = to_its_end(&mut run).is_err();
        drop(run);
        drop((store, chain));
        rig.hot.heal();
        rig.crash();
        let (store, _chain) = rig.open().unwrap();
        assert_eq!(
            rig.hot_keys(),
            whole.hot_keys(),
            "{}, dead after {effects} effects",
            rig.settings.cold_policy
        );
        assert!(store.audit().unwrap().is_clean());
        if !died {
            return effects;
        }
    }
    unreachable!("a purge has an end")
}

/// An engine that passes over keys, or over all, and says that it is done: what it left goes by deletes, before the cursor moves.
#[test]
fn what_the_engine_passes_over_is_deleted_and_told() {
    passed_over_is_deleted_and_told(Asking::Never);
}

/// It asks about each, and leaves them where they are: what was asked about is not gone.
#[test]
fn what_the_engine_asks_about_in_vain_is_deleted_and_told() {
    passed_over_is_deleted_and_told(Asking::InVain);
}

fn passed_over_is_deleted_and_told(asking: Asking) {
    let passes: [Passes; 3] = [|key| key.last().is_some_and(|last| last % 4 == 0), |_| true, |_| false];
    for policy in POLICIES {
        let whole = rig(policy, PurgeStrategy::Delete);
        whole.open().unwrap().0.compact().unwrap();
        for (at, passes) in passes.into_iter().enumerate() {
            let mut rig = rig(policy, PurgeStrategy::Rewrite);
            rig.passes = Some((passes, asking));
            let (store, told) = observed(&rig);
            let report = store.compact().unwrap();
            let purged = report.phases.iter().find(|phase| phase.phase == Phase::Purge).unwrap().objects;
            assert_eq!(rig.hot_keys(), whole.hot_keys(), "{policy}");
            assert!(store.audit().unwrap().is_clean());
            let over = report.shortfall.passed_over;
            match at {
                0 => assert!(over > 0 && over < purged, "{over} of {purged}"),
                1 => assert_eq!(over, purged),
                _ => assert_eq!(over, 0),
            }
            let heard: u64 = told.all().iter().map(|shortfall| shortfall.passed_over).sum();
            assert_eq!(heard, over, "the operator hears of each");
        }
    }
}

/// It passes over keys, unasked or asked in vain, and the power is cut at every effect: no cursor stands before what it left.
#[test]
fn a_crash_beside_an_engine_that_passes_over_keys_is_recovered() {
    let odd: Passes = |key| key.last().is_some_and(|last| last % 2 == 1);
    let whole = rig(ColdPolicy::Discard, PurgeStrategy::Delete);
    whole.open().unwrap().0.compact().unwrap();
    for asking in [Asking::Never, Asking::InVain] {
        let effects = dies_at_each_effect(&whole, || {
            let mut rig = rig(ColdPolicy::Discard, PurgeStrategy::Rewrite);
            rig.passes = Some((odd, asking));
            rig
        });
        assert!(effects > 8, "deletes followed several rewrites");
    }
}

/// A paced purge stops between small ranges, a fast one takes large ones; both leave the same blocks.
#[test]
fn a_paced_purge_rewrites_small_ranges_and_a_fast_one_large_ones() {
    let whole = rig(ColdPolicy::Discard, PurgeStrategy::Delete);
    whole.open().unwrap().0.compact().unwrap();
    let ranges = [Pacing::Fast, Pacing::default()].map(|pacing| {
        let mut rig = rig(ColdPolicy::Discard, PurgeStrategy::Rewrite);
        let none: Passes = |_| false;
        (rig.pacing, rig.passes) = (pacing, Some((none, Asking::Never)));
        let ranges = Arc::new(AtomicUsize::new(0));
        let counted = ranges.clone();
        rig.hot.fail_where(ErrorKind::Unavailable, move |call| {
            counted.fetch_add(usize::from(*call == Call::Rewrite), Ordering::Relaxed);
            false
        });
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        while !run.is_over() {
            run.step().unwrap();
        }
        assert_eq!(rig.hot_keys(), whole.hot_keys(), "{pacing:?}");
        ranges.load(Ordering::Relaxed)
    });
    assert!(ranges[0] > 1 && ranges[1] > 2 * ranges[0], "{ranges:?}");
}

/// A range was rewritten and its cursor not noted: what is gone is not asked about again, and not told as passed over.
#[test]
fn what_was_gone_already_is_not_taken_for_passed_over() {
    let rig = rig(ColdPolicy::Discard, PurgeStrategy::Rewrite);
    let (store, told) = observed(&rig);
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    let before = rig.hot_keys().len();
    rig.hot.fail_nth_where(1, ErrorKind::Unavailable, |call| *call == Call::Sync);
    to_its_end(&mut run).unwrap_err();
    drop(run);
    rig.hot.heal();
    assert!(rig.hot_keys().len() < before, "a range was rewritten");
    finish_rest(&store);
    assert_eq!(told.all(), []);
    assert!(store.audit().unwrap().is_clean());
}

/// The disk fills up between two ranges, or the tier says that it is full: nothing more is rewritten, all goes by deletes.
#[test]
fn what_there_is_no_room_to_rewrite_goes_by_deletes() {
    let whole = rig(ColdPolicy::Discard, PurgeStrategy::Delete);
    whole.open().unwrap().0.compact().unwrap();
    let rig = rig(ColdPolicy::Discard, PurgeStrategy::Rewrite);
    let (store, told) = observed(&rig);
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    run.step().unwrap();
    let free = ByteCount(1);
    rig.files.set_free_space(Some(free));
    rig.hot.fail_where(ErrorKind::Full, |call| *call == Call::Rewrite);
    let report = to_its_end(&mut run).unwrap();
    drop(run);
    assert_eq!(rig.hot.picked(), 0, "nobody tries to rewrite");
    assert_eq!(rig.hot_keys(), whole.hot_keys());
    let no_room = report.shortfall.no_room.expect("it is in the report");
    assert!(no_room.free == free && no_room.needs > free, "{no_room}");
    assert_eq!(told.all(), [Shortfall { passed_over: 0, no_room: Some(no_room) }]);
    assert!(report.to_string().contains("the rest by deletes: a rewrite needs"), "{report}");
    assert!(store.audit().unwrap().is_clean());
}

/// The disk cannot tell of its room, and the tier is full in the middle of a range: that ends the run. The next try asks the
/// disk again, and goes by deletes.
#[test]
fn a_tier_that_is_full_in_a_rewrite_ends_the_run_and_the_next_one_purges_by_deletes() {
    let whole = rig(ColdPolicy::Discard, PurgeStrategy::Delete);
    whole.open().unwrap().0.compact().unwrap();
    let rig = rig(ColdPolicy::Discard, PurgeStrategy::Rewrite);
    let (store, _told) = observed(&rig);
    rig.hot.fail_where(ErrorKind::Full, |call| *call == Call::Rewrite);
    let error = store.compact().unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    rig.files.set_free_space(Some(ByteCount(1)));
    finish_rest(&store);
    assert_eq!(rig.hot_keys(), whole.hot_keys());
    assert!(store.audit().unwrap().is_clean());
}

/// A range that cannot be rewritten ends the run with the filter on; what was doomed in it is put again meanwhile, and
/// stays when the purge goes on.
#[test]
fn what_is_put_after_a_range_failed_stays_when_the_purge_goes_on() {
    let mut rig = rig(ColdPolicy::Discard, PurgeStrategy::Rewrite);
    let head = rig.head.clone();
    let leaf = raw_block(b"orphan leaf");
    let root = list_block(&[leaf.0]);
    rig.load([(&leaf.0, &leaf.1), (&root.0, &root.1)], &head);
    let (store, _chain) = rig.open().unwrap();
    rig.hot.fail_where(ErrorKind::Unavailable, |call| *call == Call::Rewrite);
    store.compact().unwrap_err();
    rig.hot.heal();
    assert!(!store.has(&root.0).unwrap(), "it was dead when the run sealed");
    store.put(&leaf.0, &leaf.1).unwrap();
    store.put(&root.0, &root.1).unwrap();
    finish_rest(&store);
    assert_eq!(store.get(&root.0).unwrap(), Some(root.1));
    assert_eq!(store.get(&leaf.0).unwrap(), Some(leaf.1));
}
