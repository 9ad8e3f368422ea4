//! Lets a run rest between its steps, and hears from readers and writers how they fare meanwhile.
//!
//! ```text
//!   run       begin .. step | rest | step | rest .. end
//!   others    1 in 64, while a run is paced: how long the look or the put took, and whether a step was under way
//! ```
//! The arithmetic is [`splitstore_domain::pacing`]'s. Who is not sampled, and all while no run is paced, pay one relaxed
//! load of a flag; which blocks are sampled their own digests say (of a batch its first one's), so that nobody counts. Rests are for
//! whoever steps the run to take ([`crate::Step::Resting`]), where a wish of the operator ends them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::pacing::{Heard, PaceNow, Pacer as Policy, Pacing, Worked};
use splitstore_ports::Clock;

/// Of so many operations one is timed.
const SAMPLED: u8 = 64;

/// The pace of the run under way, if there is one.
pub(crate) struct Pacer {
    pacing: Pacing,
    /// Others tell how they fare.
    listening: AtomicBool,
    /// A step is under way.
    working: AtomicBool,
    heard: Mutex<[Heard; Kind::COUNT]>,
    policy: Mutex<Option<Policy>>,
}

/// What is timed.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Of one block; a view until its callback begins, which may take what it likes.
    Read,
    /// Of many at once, with what is done to each.
    Batch,
    Put,
}

impl Kind {
    const COUNT: usize = 3;
}

/// An operation that is timed.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    kind: Kind,
    began: Duration,
    beside_work: bool,
}

/// Tells when it ends.
pub(crate) struct Timed<'a> {
    pacer: &'a Pacer,
    clock: &'a dyn Clock,
    sample: Sample,
}

/// The run is paced while this lives.
pub(crate) struct Paced<'a>(&'a Pacer);

impl Pacer {
    pub(crate) fn new(pacing: Pacing) -> Self {
        let (listening, working) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { pacing, listening, working, heard: Mutex::default(), policy: Mutex::default() }
    }

    /// A run begins.
    pub(crate) fn begin(&self, now: Duration) -> Paced<'_> {
        *self.policy.lock() = Some(Policy::new(self.pacing, now));
        *self.heard.lock() = Default::default();
        self.listening.store(self.pacing != Pacing::Fast, Ordering::Relaxed);
        Paced(self)
    }

    /// A step begins.
    pub(crate) fn works(&self) {
        self.working.store(true, Ordering::Relaxed);
    }

    /// The step has ended: how long to rest.
    pub(crate) fn rests(&self, step: Worked, now: Duration) -> Duration {
        self.working.store(false, Ordering::Relaxed);
        let mut policy = self.policy.lock();
        let Some(policy) = policy.as_mut() else { return Duration::ZERO };
        policy.adapt(&mut *self.heard.lock(), now);
        policy.after(step, now)
    }

    /// The present pace; none without a run.
    pub(crate) fn now(&self) -> Option<PaceNow> {
        self.policy.lock().as_ref().map(Policy::now)
    }

    /// An operation on this block begins: whether it is to be timed.
    pub(crate) fn sample(&self, kind: Kind, cid: &Cid, clock: &dyn Clock) -> Option<Sample> {
        if !self.listening.load(Ordering::Relaxed) || !is_sampled(cid) {
            return None;
        }
        let beside_work = self.working.load(Ordering::Relaxed);
        Some(Sample { kind, began: clock.elapsed(), beside_work })
    }

    /// The same, for one that ends with what is returned; of many blocks this is the first.
    pub(crate) fn timed<'a>(
        &'a self,
        kind: Kind,
        first: Option<&Cid>,
        clock: &'a dyn Clock,
    ) -> Option<Timed<'a>> {
        let sample = self.sample(kind, first?, clock)?;
        Some(Timed { pacer: self, clock, sample })
    }

    /// Whether a paced run rests now.
    pub(crate) fn is_resting(&self) -> bool {
        self.listening.load(Ordering::Relaxed) && !self.working.load(Ordering::Relaxed)
    }

    /// The operation has ended.
    pub(crate) fn hear(&self, sample: Option<Sample>, clock: &dyn Clock) {
        let Some(Sample { kind, began, beside_work }) = sample else { return };
        let took = clock.elapsed().saturating_sub(began);
        // Whoever comes while another tells is one sample less.
        let Some(mut heard) = self.heard.try_lock() else { return };
        let heard = &mut heard[kind as usize];
        if beside_work || self.working.load(Ordering::Relaxed) {
            heard.working.add(took);
        } else {
            heard.resting.add(took);
        }
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.pacer.hear(Some(self.sample), self.clock);
    }
}

impl Drop for Paced<'_> {
    fn drop(&mut self) {
        self.0.listening.store(false, Ordering::Relaxed);
        self.0.working.store(false, Ordering::Relaxed);
        *self.0.policy.lock() = None;
    }
}

/// Digests are evenly spread.
fn is_sampled(cid: &Cid) -> bool {
    cid.hash().digest().last().is_some_and(|byte| byte.is_multiple_of(SAMPLED))
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    use cid::multihash::Multihash;
    use splitstore_memory::MemoryClock;

    use super::*;

    fn block(last: u8) -> Cid {
        Cid::new_v1(0x55, Multihash::wrap(0x12, &[last; 32]).expect("32 bytes fit"))
    }

    /// A second of a run in steps of 10 ms, with reads or puts of a block beside each step and in each rest.
    fn percent_after(
        pacing: Pacing,
        (kind, last): (Kind, u8),
        beside_work: Duration,
        in_rests: Duration,
    ) -> Option<u8> {
        let (clock, pacer) = (MemoryClock::new(), Pacer::new(pacing));
        let _paced = pacer.begin(clock.elapsed());
        let cid = block(last);
        let operate = |took: Duration| match kind {
            Kind::Read => {
                let sample = pacer.sample(Kind::Read, &cid, &clock);
                clock.advance(took);
                pacer.hear(sample, &clock);
            }
            Kind::Batch | Kind::Put => {
                let _timed = pacer.timed(kind, Some(&cid), &clock);
                clock.advance(took);
            }
        };
        for _ in 0..100 {
            let began = clock.elapsed();
            pacer.works();
            operate(beside_work);
            clock.advance(Duration::from_millis(10));
            let step = Worked { time: clock.elapsed().saturating_sub(began), bytes: 0 };
            let rest = pacer.rests(step, clock.elapsed());
            operate(in_rests);
            clock.advance(rest);
        }
        pacer.now().map(|now| now.percent)
    }

    const SLOW: Duration = Duration::from_millis(8);
    const QUICK: Duration = Duration::from_millis(1);

    #[test]
    fn a_run_yields_to_reads_batches_and_puts_that_are_slow_beside_its_work_and_quick_in_its_rests() {
        for kind in [Kind::Read, Kind::Batch, Kind::Put] {
            assert_eq!(percent_after(Pacing::default(), (kind, 64), SLOW, QUICK), Some(10));
            assert_eq!(percent_after(Pacing::default(), (kind, 64), SLOW, SLOW), Some(90));
            assert_eq!(percent_after(Pacing::Fast, (kind, 64), SLOW, QUICK), Some(100));
        }
    }

    #[test]
    fn one_operation_in_64_is_timed_and_none_while_no_run_is_paced() {
        let (clock, pacer) = (MemoryClock::new(), Pacer::new(Pacing::default()));
        let timed =
            || (0..=255).filter(|last| pacer.sample(Kind::Read, &block(*last), &clock).is_some()).count();
        assert_eq!(timed(), 0);
        let paced = pacer.begin(clock.elapsed());
        assert_eq!(timed(), 4);
        drop(paced);
        assert_eq!((timed(), pacer.now()), (0, None));
        // What is not timed is not heard.
        assert_eq!(percent_after(Pacing::default(), (Kind::Put, 1), SLOW, QUICK), Some(90));
    }
}
