//! A purge that goes on after a crash or a failure: in steps as any other, from its cursor, with reads and writes beside it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use splitstore_domain::{ColdPolicy, Epoch, Hold, Phase};
use splitstore_memory::Call;
use splitstore_orchestrator::{Error, Run, SplitStore, Step, Trigger};
use splitstore_ports::{BlockRead, BlockWriteExt, ErrorKind, Event, NoObserver, Observer};

use crate::rig::{Rig, chain_at, finish, generated, list_block, raw_block, step_to};

/// Chunks of the first attempt.
const PURGED: usize = 70;

/// A rig whose power went in the purge, after so many chunks of one block each.
fn cut_in_purge() -> Rig {
    let (blocks, head, _) = generated(24, 71);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.batches.chunk = NonZeroUsize::MIN;
    rig.batches.cursor = NonZeroUsize::MIN;
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    for _ in 0..PURGED {
        run.step().unwrap();
    }
    std::mem::forget(run);
    rig.crash();
    rig
}

fn open(rig: &Rig, trigger: Trigger, observer: Arc<dyn Observer>) -> SplitStore {
    let store = rig.open_with(trigger, observer).unwrap();
    store.start(chain_at(&store, &rig.head)).unwrap();
    store
}

fn opened(rig: &Rig) -> SplitStore {
    open(rig, Trigger::Stepped, Arc::new(NoObserver))
}

/// Takes up the rest and steps it to where the first attempt ended.
fn rest(store: &SplitStore) -> Run<'_> {
    let mut rest = store.begin_rest().unwrap().expect("a sealed run was left");
    assert!(rest.resumes());
    while store.status().report.objects == 0 {
        assert!(matches!(rest.step().unwrap(), Step::Working(Phase::Purge)));
    }
    rest
}

fn end(mut rest: Run<'_>) {
    while !rest.is_over() {
        rest.step().unwrap();
    }
}

#[test]
fn status_shows_a_resumed_purge_from_its_cursor_with_counts_and_what_is_left() {
    let rig = cut_in_purge();
    let before = rig.hot_keys().len() as u64;
    let store = opened(&rig);
    let status = store.status();
    assert_eq!((status.report.phase, status.report.objects, status.resumed), (Phase::Purge, 0, true));
    assert_eq!(status.expected, None, "the list is not read yet");
    let rest = rest(&store);
    let status = store.status();
    let left = status.expected.unwrap();
    assert_eq!((status.report.objects, status.resumed), (1, true));
    assert_eq!(rig.hot_keys().len() as u64, before - 1);
    end(rest);
    assert_eq!(rig.hot_keys().len() as u64, before - left, "what it expected is what it did");
    let status = store.status();
    assert_eq!((status.report.phase, status.resumed), (Phase::Idle, false));
    assert_eq!(store.info().unwrap().compactions, 1);
    assert!(store.begin_rest().unwrap().is_none());
}

#[test]
fn what_is_put_and_read_beside_a_resumed_purge_stays_and_what_it_will_take_is_absent() {
    let rig = cut_in_purge();
    let store = opened(&rig);
    let rest = rest(&store);
    let doomed = rig.hot_keys().into_iter().map(|key| key.to_cid(0x71)).find(|cid| !store.has(cid).unwrap());
    let doomed = doomed.expect("the purge has more to take");
    let data = store.untracked().view(&doomed, &mut |_| {}).unwrap();
    assert!(data, "it is in hot still, behind the filter");
    let leaf = raw_block(b"new");
    let parent = list_block(&[leaf.0]);
    store.put(&leaf.0, &leaf.1).unwrap();
    store.put(&parent.0, &parent.1).unwrap();
    let mut again = Vec::new();
    store.untracked().view(&doomed, &mut |data| again = data.to_vec()).unwrap();
    store.put(&doomed, &again).unwrap();
    end(rest);
    for cid in [leaf.0, parent.0, doomed] {
        assert!(store.has(&cid).unwrap(), "{cid} was put beside the purge");
    }
}

#[test]
fn a_cancel_or_a_hold_ends_no_resumed_purge_but_the_run_that_was_to_follow() {
    for name in ["cancelled", "held"] {
        let rig = cut_in_purge();
        let store = opened(&rig);
        let mut run = store.begin().unwrap();
        run.step().unwrap();
        if name == "held" {
            store.hold(Hold::manual("audit"));
        } else {
            store.cancel();
        }
        let ended = loop {
            match run.step() {
                Ok(Step::FinishedEarlier(index)) => assert_eq!(index, 1),
                Ok(Step::Working(_)) => assert!(run.resumes() || run.phase() == Phase::Idle, "{name}"),
                Ok(step) => panic!("{name}, and there was {step:?}"),
                Err(error) => break error,
            }
        };
        assert!(matches!(ended, Error::Stopped(Phase::Idle) | Error::Held { .. }), "{name}: {ended}");
        assert_eq!(store.info().unwrap().compactions, 1, "{name}");
    }
}

#[test]
fn close_ends_a_resumed_purge_between_two_steps_and_the_next_open_goes_on() {
    let rig = cut_in_purge();
    let store = opened(&rig);
    let mut run = rest(&store);
    let left = rig.hot_keys().len();
    store.stop();
    assert!(matches!(run.step(), Err(Error::Stopped(Phase::Purge))));
    drop(run);
    store.close().unwrap();
    assert_eq!(rig.hot_keys().len(), left, "it took no other step");
    drop(store);
    let store = opened(&rig);
    end(rest(&store));
    assert!(store.audit().unwrap().is_clean());
    assert_eq!(store.info().unwrap().compactions, 1);
}

/// Holds the store paused from the moment at which open has found the run.
struct Paused(std::sync::Mutex<std::sync::mpsc::Sender<()>>, std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl Observer for Paused {
    fn on_event(&self, event: &Event) {
        if matches!(event, Event::PhaseStarted(Phase::Purge)) {
            self.0.lock().unwrap().send(()).unwrap();
            self.1.lock().unwrap().recv().unwrap();
        }
    }
}

#[test]
fn a_resumed_purge_on_its_own_thread_is_paused_and_resumed() {
    let rig = cut_in_purge();
    let ((found, is_found), (go, gone)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let store = open(&rig, Trigger::Automatic, Arc::new(Paused(found.into(), gone.into())));
    is_found.recv().unwrap();
    store.pause();
    go.send(()).unwrap();
    let before = rig.hot_keys().len();
    let status = store.status();
    assert_eq!((status.report.phase, status.resumed), (Phase::Purge, true));
    assert!(matches!(store.begin(), Err(Error::Busy)));
    assert_eq!(rig.hot_keys().len(), before, "paused");
    store.resume();
    store.wait_idle();
    assert!(rig.hot_keys().len() < before);
    assert_eq!(store.info().unwrap().compactions, 1);
}

#[test]
fn a_run_that_begins_with_the_rest_of_another_is_cut_at_the_base_that_this_one_leaves() {
    let rig = cut_in_purge();
    rig.forget_base();
    let store = opened(&rig);
    let mut run = store.begin().unwrap();
    while !matches!(run.step().unwrap(), Step::FinishedEarlier(1)) {}
    let base = store.info().unwrap().base.unwrap();
    assert!(base > Epoch::GENESIS);
    let planned = loop {
        if let Step::Finished(report) = run.step().unwrap() {
            break report.plan;
        }
    };
    assert_eq!(planned.window.base, base);
    assert_eq!(store.info().unwrap().compactions, 2);
}

#[test]
fn a_purge_that_failed_goes_on_in_steps_in_the_same_process() {
    let (blocks, head, _) = generated(24, 71);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.batches.chunk = NonZeroUsize::MIN;
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    rig.hot.fail_nth_where(1, ErrorKind::Unavailable, |call| matches!(call, Call::Delete(_)));
    run.step().unwrap_err();
    drop(run);
    assert_eq!(store.status().report.phase, Phase::Idle, "nothing is under way, though the filter is on");
    let mut run = store.begin().unwrap();
    assert!(run.resumes() && store.status().resumed);
    while !matches!(run.step().unwrap(), Step::FinishedEarlier(1)) {}
    finish(run);
    assert_eq!(store.info().unwrap().compactions, 2);
}
