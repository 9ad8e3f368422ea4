//! A paced run rests between its steps, on the clock port, and whoever wishes something of it ends the rest.

use std::num::NonZeroU64;
use std::time::Duration;

use splitstore_domain::{ColdPolicy, PaceLimits, Pacing, Phase};
use splitstore_orchestrator::{Error, Pace, SplitStore, Step};
use splitstore_ports::{Clock, ErrorKind};

use crate::rig::{Rig, generated};

/// A chain on a hot tier each call of which takes 3 ms.
fn slow_rig(pacing: Pacing) -> Rig {
    let (blocks, head, _) = generated(24, 31);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    rig.pacing = pacing;
    let clock = rig.clock.clone();
    rig.hot.fail_where(ErrorKind::Unavailable, move |_| {
        clock.advance(Duration::from_millis(3));
        false
    });
    rig
}

/// Steps a run to its end, with all the rests that it asks for: time at work, and at rest.
fn lived(rig: &Rig, store: &SplitStore) -> (Duration, Duration) {
    let mut run = store.begin().unwrap();
    let (mut worked, mut rested) = (Duration::ZERO, Duration::ZERO);
    loop {
        let began = rig.clock.elapsed();
        let step = run.step().unwrap();
        let now = rig.clock.elapsed();
        worked += now.saturating_sub(began);
        match step {
            Step::Resting(_, until) => {
                rested += until.saturating_sub(now);
                rig.clock.advance(until.saturating_sub(now));
            }
            Step::Finished(_) => return (worked, rested),
            _ => {}
        }
    }
}

#[test]
fn a_paced_run_rests_as_long_as_it_works_at_first_and_a_fast_one_not_at_all() {
    let rig = slow_rig(Pacing::default());
    let (store, _chain) = rig.open().unwrap();
    let (worked, rested) = lived(&rig, &store);
    // Half of its time, and more as nobody reads.
    assert!(rested > worked / 10 && rested <= worked, "{worked:?} of work, {rested:?} of rest");
    let rig = slow_rig(Pacing::Fast);
    let (store, _chain) = rig.open().unwrap();
    assert_eq!(lived(&rig, &store).1, Duration::ZERO);
}

#[test]
fn a_run_reads_and_writes_no_more_bytes_than_its_limit_allows() {
    let limit = 20_000;
    let rig = slow_rig(Pacing::Paced(PaceLimits::default().bytes_per_second(NonZeroU64::new(limit))));
    let (store, _chain) = rig.open().unwrap();
    let (worked, rested) = lived(&rig, &store);
    let fast = slow_rig(Pacing::Fast);
    let (store, _chain) = fast.open().unwrap();
    let report = store.compact().unwrap();
    let paced = report.phases.iter().filter(|phase| phase.phase < Phase::Commit);
    let bytes: u64 = paced.map(|phase| phase.bytes.0).sum();
    let least = Duration::from_secs_f64((bytes - limit / 10) as f64 / limit as f64);
    assert!(worked + rested >= least, "{bytes} bytes in {:?}, {least:?} at least", worked + rested);
}

#[test]
fn status_shows_the_pace_of_the_run_under_way() {
    let limit = NonZeroU64::new(1 << 30);
    let rig = slow_rig(Pacing::Paced(PaceLimits::default().bytes_per_second(limit)));
    let (store, _chain) = rig.open().unwrap();
    assert_eq!(store.status().pacing, None);
    let mut run = store.begin().unwrap();
    while !matches!(run.step().unwrap(), Step::Resting(..)) {}
    let pace = store.status().pacing.unwrap();
    assert_eq!((pace.percent, pace.bytes_per_second), (50, limit));
    // While it rests its time goes on, and whoever looks sees why nothing else does.
    let (long, before) = (Duration::from_secs(9), store.status());
    rig.clock.advance(long);
    let now = store.status();
    assert_eq!((before.pace, now.pace), (Pace::Resting, Pace::Resting));
    assert_eq!(now.report.duration.saturating_sub(before.report.duration), long);
    drop(run);
    assert_eq!(store.status().pace, Pace::Going);
    assert_eq!(store.status().pacing, None);
}

/// At a byte a second a run rests for hours: cancel and close do not wait for that.
#[test]
fn a_rest_ends_when_the_run_is_cancelled_or_the_store_closed() {
    for end in [SplitStore::cancel, |store: &SplitStore| store.close().unwrap()] {
        let crawl = PaceLimits::default().bytes_per_second(NonZeroU64::new(1));
        let rig = slow_rig(Pacing::Paced(crawl));
        let (store, _chain) = rig.open().unwrap();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| store.compact());
            while store.status().pacing.is_none() || store.status().report.bytes.0 == 0 {
                std::thread::yield_now();
            }
            end(&store);
            assert!(matches!(run.join().unwrap(), Err(Error::Stopped(_))));
        });
    }
}

/// A thread cannot step forward again, so the caller's own is left alone.
#[test]
fn a_paced_run_stands_back_on_a_thread_of_its_own_and_a_fast_one_does_not() {
    for (pacing, threads) in [(Pacing::default(), 1), (Pacing::Fast, 0)] {
        let rig = slow_rig(pacing);
        let (store, _chain) = rig.open().unwrap();
        store.compact().unwrap();
        let behind = rig.clock.behind();
        assert_eq!(behind.len(), threads);
        assert!(!behind.contains(&std::thread::current().id()));
    }
}
