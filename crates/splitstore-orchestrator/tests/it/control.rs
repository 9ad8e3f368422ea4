//! When runs start and go on: pause, cancel, holds, the sync gate, back-off, disk pressure, missing references.

use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::trigger::{Decision, Why};
use splitstore_domain::{ByteCount, ColdPolicy, Epoch, Hold, Phase, SyncPolicy, Tipset};
use splitstore_filecoin::FilecoinChain;
use splitstore_memory::Call;
use splitstore_orchestrator::{Error, MissingReferences, Pace, SplitStore, Step};
use splitstore_ports::{BlockRead, BlockWriteExt, ChainAccessor, ErrorKind};

use crate::rig::{Rig, apply, finish, generated, list_block, raw_block, step_to};

struct Node {
    rig: Rig,
    store: SplitStore,
    tip: Tipset,
    genesis: Tipset,
    _chain: Arc<FilecoinChain>,
}

/// A node whose base is genesis, so that its head is far beyond the threshold.
fn node(adjust: impl FnOnce(&mut Rig)) -> Node {
    let (blocks, head, _) = generated(24, 71);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.load(&blocks, &head);
    adjust(&mut rig);
    let (store, chain) = rig.open().unwrap();
    let tip = chain.heaviest().unwrap().unwrap();
    rig.clock.set_unix_seconds(tip.timestamp);
    let genesis = chain.tipset_at(Epoch::GENESIS, &tip).unwrap().unwrap();
    rig.forget_base();
    store.head_change(&apply(genesis.clone())).unwrap();
    Node { rig, store, tip, genesis, _chain: chain }
}

impl Node {
    fn decision(&self) -> Decision {
        self.store.head_change(&apply(self.tip.clone())).unwrap().expect("a head was applied")
    }

    fn head_is_old(&self, seconds: u64) {
        self.rig.clock.set_unix_seconds(self.tip.timestamp + seconds);
    }
}

#[test]
fn a_head_that_is_too_old_starts_no_run_and_hovering_between_the_bounds_ends_the_wait() {
    let node = node(|rig| rig.sync = SyncPolicy::LOTUS);
    assert!(matches!(node.decision(), Decision::Compact(_)));
    for _ in 0..3 {
        node.head_is_old(61);
        assert_eq!(node.decision(), Decision::Wait(Why::Behind));
        node.head_is_old(45);
        for _ in 0..4 {
            assert_eq!(node.decision(), Decision::Wait(Why::Behind), "still between the bounds");
        }
        assert!(matches!(node.decision(), Decision::Compact(_)), "five heads in a row");
    }
    node.head_is_old(61);
    assert_eq!(node.decision(), Decision::Wait(Why::Behind));
    assert_eq!(node.store.status().pace, Pace::Behind, "a run under way would wait, too");
    node.head_is_old(29);
    assert!(matches!(node.decision(), Decision::Compact(_)));
}

#[test]
fn a_full_disk_starts_a_run_although_the_node_is_behind() {
    let node = node(|rig| {
        rig.sync = SyncPolicy::LOTUS;
        rig.pressure = Some(ByteCount(1000));
    });
    node.head_is_old(500);
    node.rig.files.set_free_space(Some(ByteCount(1000)));
    assert_eq!(node.decision(), Decision::Wait(Why::Behind));
    node.rig.files.set_free_space(Some(ByteCount(999)));
    assert!(matches!(node.decision(), Decision::Compact(_)));
    assert_eq!(node.store.status().pace, Pace::Going, "the run that it starts does not wait either");
    node.rig.files.set_free_space(Some(ByteCount(1000)));
    assert_eq!(node.decision(), Decision::Wait(Why::Behind));
    assert_eq!(node.store.status().pace, Pace::Behind);
}

#[test]
fn a_hold_starts_no_run_and_stops_one_before_it_seals() {
    let node = node(|_| {});
    let upgrade = Hold::around_upgrade(
        "an upgrade",
        Epoch::new(30),
        &[splitstore_domain::EpochSpan::new(2)],
        splitstore_domain::EpochSpan::new(4),
    );
    assert_eq!(upgrade.heights, Some((Epoch::new(24), Epoch::new(34))), "both ends are held");
    node.decision();
    let mut run = node.store.begin().unwrap();
    step_to(&mut run, "collect");
    node.store.hold(upgrade.clone());
    let before = node.rig.hot_keys();
    let error = run.step().unwrap_err();
    assert!(matches!(&error, Error::Held { .. }), "{error}");
    assert!(error.to_string().contains("an upgrade (heights 24 to 34)"), "{error}");
    drop(run);
    assert_eq!(node.rig.hot_keys(), before);
    assert_eq!(node.decision(), Decision::Wait(Why::Held(upgrade)));
    assert!(node.store.release("an upgrade") && !node.store.release("an upgrade"));
    node.store.compact().unwrap();
}

#[test]
fn a_hold_does_not_stop_a_purge() {
    let node = node(|_| {});
    let mut run = node.store.begin().unwrap();
    step_to(&mut run, "purge");
    node.store.hold(Hold::manual("backup"));
    node.store.cancel();
    finish(run);
}

#[test]
fn a_failed_run_is_followed_by_longer_and_longer_waits() {
    let node = node(|_| {});
    for seconds in [30, 60, 120] {
        node.rig
            .hot
            .fail_nth_where(1, ErrorKind::Unavailable, |call| matches!(call, Call::Keys | Call::Snapshot));
        node.store.compact().unwrap_err();
        let wait = Duration::from_secs(seconds);
        assert_eq!(node.decision(), Decision::Wait(Why::BackingOff { wait }));
        node.rig.clock.advance(wait);
        assert!(matches!(node.decision(), Decision::Compact(_)));
    }
    node.store.compact().unwrap();
    node.rig
        .hot
        .fail_nth_where(1, ErrorKind::Unavailable, |call| matches!(call, Call::Keys | Call::Snapshot));
    node.store.compact().unwrap_err();
    let wait = Duration::from_secs(30);
    node.rig.forget_base();
    node.store.head_change(&apply(node.genesis.clone())).unwrap();
    assert_eq!(node.decision(), Decision::Wait(Why::BackingOff { wait }), "success starts anew");
}

#[test]
fn a_paused_run_waits_and_goes_on_when_it_is_resumed() {
    let node = node(|_| {});
    node.store.pause();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| node.store.compact());
        assert_eq!(node.store.status().pace, Pace::Paused);
        assert!(!running.is_finished());
        node.store.resume();
        running.join().unwrap().unwrap();
    });
}

#[test]
fn a_cancelled_run_ends_and_the_next_one_is_not_cancelled() {
    let node = node(|_| {});
    let before = node.rig.hot_keys();
    let mut run = node.store.begin().unwrap();
    run.step().unwrap();
    node.store.cancel();
    assert!(matches!(run.step(), Err(Error::Stopped(_))));
    drop(run);
    assert_eq!(node.rig.hot_keys(), before);
    node.store.compact().unwrap();
}

#[test]
fn close_ends_a_run_that_is_paused() {
    let node = node(|_| {});
    node.store.pause();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| node.store.compact());
        node.store.close().unwrap();
        assert!(matches!(running.join().unwrap(), Err(Error::Stopped(_))));
    });
}

#[test]
fn a_purge_that_close_ends_is_finished_by_the_next_open() {
    let node = node(|_| {});
    let mut run = node.store.begin().unwrap();
    step_to(&mut run, "purge");
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| node.store.close());
        let ended = loop {
            match run.step() {
                Ok(Step::Finished(_)) => break None,
                Ok(_) => {}
                Err(error) => break Some(error),
            }
        };
        assert!(ended.is_none_or(|error| matches!(error, Error::Stopped(_))));
        drop(run);
        closing.join().unwrap().unwrap();
    });
    drop(node.store);
    let (store, _chain) = node.rig.open().unwrap();
    assert_eq!(store.info().unwrap().compactions, 1, "finished, then or now");
    assert!(store.audit().unwrap().is_clean());
}

#[test]
fn missing_references_are_skipped_awaited_or_the_end_of_the_run() {
    let child = list_block(&[raw_block(b"leaf").0]);
    let parent = list_block(&[child.0]);
    for (policy, late) in [
        (MissingReferences::Skip, false),
        (MissingReferences::Fail, false),
        (MissingReferences::Wait { tries: 2, delay: Duration::from_secs(5) }, false),
        (MissingReferences::Wait { tries: 2, delay: Duration::from_secs(5) }, true),
    ] {
        let node = node(|rig| rig.missing = policy);
        let mut run = node.store.begin().unwrap();
        run.step().unwrap();
        node.store.put(&parent.0, &parent.1).unwrap();
        let mut waits = 0;
        let ended = loop {
            match run.step() {
                Ok(Step::Waiting(..)) => {
                    waits += 1;
                    if late && waits == 1 {
                        // Straight into hot: nobody tells the store, it has to look.
                        node.rig.hot.put(&child.0, &child.1).unwrap();
                    }
                    node.rig.clock.advance(Duration::from_secs(5));
                }
                Ok(Step::Finished(report)) => break Ok(report),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        drop(run);
        match policy {
            MissingReferences::Fail => {
                let error = ended.unwrap_err();
                assert!(matches!(error, Error::MissingLive { cid, .. } if cid == child.0), "{error}");
            }
            MissingReferences::Skip => {
                let plan = ended.unwrap().plan;
                assert_eq!((plan.missing, plan.missing_listed, waits), (1, vec![child.0], 0));
            }
            MissingReferences::Wait { .. } if late => {
                assert_eq!((ended.unwrap().plan.missing, waits), (0, 1));
                assert!(node.store.has(&child.0).unwrap());
            }
            MissingReferences::Wait { .. } => assert_eq!((ended.unwrap().plan.missing, waits), (1, 2)),
        }
    }
}

#[test]
fn status_tells_what_a_phase_expects_its_rate_and_the_time_that_is_left() {
    let node = node(|rig| rig.batches.chunk = std::num::NonZeroUsize::new(50).unwrap());
    let mut run = node.store.begin().unwrap();
    assert_eq!((node.store.status().report.phase, node.store.status().eta()), (Phase::Idle, None));
    step_to(&mut run, "purge");
    assert_eq!(node.store.status().eta(), None, "no rate yet");
    run.step().unwrap();
    node.rig.clock.advance(Duration::from_secs(10));
    run.step().unwrap();
    let status = node.store.status();
    let before = node.rig.hot_keys().len() as u64;
    assert_eq!(status.report.objects, 100, "two chunks");
    assert!((status.rate() - 10.0).abs() < 1e-9, "{}", status.rate());
    let left = status.expected.unwrap() - 100;
    assert!(left > 0);
    assert_eq!(status.eta(), Some(Duration::from_secs_f64(left as f64 / 10.0)));
    finish(run);
    assert_eq!(node.rig.hot_keys().len() as u64, before - left, "what it expected is what it did");
    assert_eq!(node.store.status().report.phase, Phase::Idle);
}

#[test]
fn a_run_stops_between_any_two_steps_of_its_seal_and_leaves_nothing_of_it() {
    let node = node(|_| ());
    let before = node.rig.hot_keys();
    let mut stopped = 0;
    loop {
        let mut run = node.store.begin().unwrap();
        step_to(&mut run, "seal");
        for _ in 0..stopped {
            run.step().unwrap();
        }
        if run.phase() != Phase::Seal {
            finish(run);
            break;
        }
        node.store.cancel();
        assert!(matches!(run.step(), Err(Error::Stopped(Phase::Seal))), "after {stopped} steps");
        drop(run);
        assert_eq!(node.rig.hot_keys(), before);
        assert!(before.iter().all(|key| node.store.has(&key.to_cid(0x71)).unwrap()), "no filter is on");
        stopped += 1;
    }
    assert!(stopped > 4, "a seal is many steps: {stopped}");
    assert!(node.rig.hot_keys().len() < before.len());
}
