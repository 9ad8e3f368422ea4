//! Pacing: shares, rests, limits, and that a run finishes whatever the latencies.

use std::num::NonZeroU64;
use std::time::Duration;

use splitstore_domain::pacing::{Heard, Latencies, Pacer, Worked};
use splitstore_domain::{PaceLimits, Pacing};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// A run of steps of equal length on a clock of its own, and what it came to.
struct Run {
    pacer: Pacer,
    now: Duration,
    worked: Duration,
}

impl Run {
    fn new(limits: PaceLimits) -> Self {
        let now = Duration::from_secs(7);
        Self { pacer: Pacer::new(Pacing::Paced(limits), now), now, worked: Duration::ZERO }
    }

    /// One step, its rest, and reads that took so long beside either.
    fn step(&mut self, time: Duration, bytes: u64, reads: Option<(Duration, Duration)>) {
        self.now += time;
        self.worked += time;
        let mut heard = Heard::default();
        let mut idle = Heard::default();
        idle.resting.add(us(1));
        if let Some((working, resting)) = reads {
            for _ in 0..50 {
                heard.working.add(working);
                heard.resting.add(resting);
            }
        }
        self.pacer.adapt(&mut [idle, heard], self.now);
        self.now += self.pacer.after(Worked { time, bytes }, self.now);
    }

    fn took(&self) -> Duration {
        self.now.saturating_sub(Duration::from_secs(7))
    }

    fn percent(&self) -> u8 {
        self.pacer.now().percent
    }
}

#[test]
fn a_fast_run_never_rests() {
    let mut pacer = Pacer::new(Pacing::Fast, Duration::ZERO);
    let step = Worked { time: ms(900), bytes: 1 << 30 };
    assert_eq!(pacer.after(step, ms(900)), Duration::ZERO);
    assert_eq!((pacer.now().percent, pacer.now().bytes_per_second), (100, None));
}

#[test]
fn a_run_that_nobody_reads_beside_comes_to_nine_tenths_of_its_time() {
    let mut run = Run::new(PaceLimits::default());
    assert_eq!(run.percent(), 50, "it begins with half");
    for _ in 0..2_000 {
        run.step(ms(10), 0, None);
    }
    assert_eq!(run.percent(), PaceLimits::MOST_PERCENT);
    let share = run.worked.as_secs_f64() / run.took().as_secs_f64();
    assert!((0.85..0.91).contains(&share), "it worked {share} of its time");
}

#[test]
fn a_run_that_slows_reads_down_falls_to_its_least_share_and_not_below() {
    for least in [1, 10, 25] {
        let mut run = Run::new(PaceLimits::default().at_least_percent(least));
        for _ in 0..500 {
            run.step(ms(10), 0, Some((ms(5), us(100))));
        }
        assert_eq!(run.percent(), least);
        let bound = run.worked.mul_f64(100.0 / f64::from(least));
        assert!(
            run.took() <= bound + ms(1),
            "{:?} of work took {:?}, {bound:?} at most",
            run.worked,
            run.took()
        );
    }
}

#[test]
fn a_node_that_is_always_slow_does_not_slow_its_run_down() {
    let mut run = Run::new(PaceLimits::default());
    for _ in 0..500 {
        run.step(ms(10), 0, Some((ms(80), ms(60))));
    }
    assert_eq!(run.percent(), PaceLimits::MOST_PERCENT);
}

#[test]
fn reads_that_are_fast_in_any_case_slow_nothing_down() {
    let mut run = Run::new(PaceLimits::default());
    for _ in 0..200 {
        run.step(ms(10), 0, Some((us(40), us(3))));
    }
    assert_eq!(run.percent(), PaceLimits::MOST_PERCENT);
}

#[test]
fn a_run_recovers_its_share_when_reads_are_fast_again() {
    let mut run = Run::new(PaceLimits::default());
    for _ in 0..300 {
        run.step(ms(10), 0, Some((ms(5), us(100))));
    }
    assert_eq!(run.percent(), 10);
    for _ in 0..2_000 {
        run.step(ms(10), 0, Some((us(120), us(100))));
    }
    assert_eq!(run.percent(), PaceLimits::MOST_PERCENT);
}

#[test]
fn without_reads_in_its_rests_the_share_stays_where_it_is() {
    let mut pacer = Pacer::new(Pacing::default(), Duration::ZERO);
    let mut heard = [Heard::default()];
    (0..100).for_each(|_| heard[0].working.add(ms(9)));
    for window in 1..20 {
        pacer.adapt(&mut heard, ms(300 * window));
    }
    assert_eq!(pacer.now().percent, 50);
}

/// A slow one of either kind is enough, and few of one kind are no reason to take more from the other.
#[test]
fn a_run_yields_to_whichever_kind_of_operation_suffers() {
    let fare = |beside_work: Duration, count: u32| {
        let mut heard = Heard::default();
        (0..count).for_each(|_| heard.working.add(beside_work));
        (0..count).for_each(|_| heard.resting.add(us(100)));
        heard
    };
    let (well, badly, unknown) = (fare(us(100), 50), fare(ms(5), 50), fare(ms(5), 3));
    let cases = [
        ([&well, &badly], 33),
        ([&badly, &well], 33),
        ([&unknown, &badly], 33),
        ([&unknown, &well], 50),
        ([&well, &well], 55),
    ];
    for (kinds, percent) in cases {
        let mut pacer = Pacer::new(Pacing::default(), Duration::ZERO);
        pacer.adapt(&mut kinds.map(Clone::clone), ms(300));
        assert_eq!(pacer.now().percent, percent);
    }
}

#[test]
fn over_any_length_of_time_no_more_bytes_pass_than_the_limit_allows() {
    let limit = 10_000_000;
    for (time, bytes) in [(ms(1), 300_000), (ms(50), 40_000_000), (us(10), 1)] {
        let mut run = Run::new(PaceLimits::default().bytes_per_second(NonZeroU64::new(limit)));
        let steps = 400;
        for _ in 0..steps {
            run.step(time, bytes, None);
        }
        // A tenth of a second's worth may pass at once.
        let allowed = run.took().as_secs_f64() * limit as f64 + limit as f64 / 10.0;
        let passed = (steps * bytes) as f64;
        assert!(passed <= allowed * 1.01 + 1.0, "{passed} bytes in {:?}", run.took());
        assert!(time < ms(1) || passed > allowed * 0.9, "only {passed} bytes in {:?}", run.took());
    }
}

#[test]
fn long_steps_are_rested_from_as_long_as_short_ones() {
    for time in [ms(50), ms(500), ms(10_000)] {
        let mut run = Run::new(PaceLimits::default());
        // Down to the least share, whatever that takes, then so many steps at it.
        while run.percent() > 10 {
            run.step(time, 0, Some((ms(20), ms(1))));
        }
        let (worked, took) = (run.worked, run.took());
        for _ in 0..20 {
            run.step(time, 0, Some((ms(20), ms(1))));
        }
        let percent =
            100.0 * run.worked.saturating_sub(worked).div_duration_f64(run.took().saturating_sub(took));
        assert!((9.9..11.0).contains(&percent), "steps of {time:?}: {percent}");
    }
}

#[test]
fn a_rest_that_was_cut_short_is_made_up_for() {
    let limits = PaceLimits::default().bytes_per_second(NonZeroU64::new(1_000_000));
    let mut pacer = Pacer::new(Pacing::Paced(limits), Duration::ZERO);
    let step = Worked { time: ms(10), bytes: 1_100_000 };
    assert_eq!(pacer.after(step, ms(10)), ms(1_000));
    // Somebody woke the run at once.
    assert_eq!(pacer.after(step, ms(20)), ms(2_090));
    assert_eq!(pacer.after(Worked::default(), ms(2_110)), Duration::ZERO);
    assert_eq!(pacer.now().rested, ms(2_090));
}

#[test]
fn quantiles_are_right_to_a_quarter() {
    let mut latencies = Latencies::default();
    assert_eq!(latencies.quantile(500), Duration::ZERO);
    (1..=1_000).for_each(|n| latencies.add(us(n)));
    for (permille, exact) in [(1, 1), (500, 500), (950, 950), (1_000, 1_000)] {
        let told = latencies.quantile(permille);
        assert!(told >= us(exact) && told <= us(exact).mul_f64(1.26), "{permille}: {told:?}");
    }
    latencies.add(Duration::MAX);
    latencies.add(Duration::ZERO);
    assert_eq!(latencies.count(), 1_002);
    latencies.fade();
    assert!(latencies.count() < 502);
}
