//! Runs one scenario in every interleaving, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loom::thread::JoinHandle;

/// Times that a thread loses the processor while it could go on, at most. Switches at a lock that is held, or at
/// the end of a thread, are free and all explored. `MODEL_PREEMPTIONS` sets another bound.
const PREEMPTIONS: usize = 3;
/// Steps of one interleaving, far more than any has.
const STEPS: usize = 50_000;
/// Words of stack of a thread; loom's own 32 KiB are too few for a run.
const STACK: usize = 128 << 10;

/// How the race of a scenario ended.
#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    No,
    Yes,
}

impl From<bool> for Outcome {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What the interleavings came to.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<[AtomicU64; 2]>);

impl Count {
    /// One more that came to this.
    pub(crate) fn saw(&self, outcome: impl Into<Outcome>) {
        self.0[outcome.into() as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize].load(Ordering::Relaxed)
    }
}

/// Explores `scenario`; both outcomes that it reports must occur.
pub(crate) fn explore(name: &'static str, scenario: impl Fn(&Count) + Send + Sync + 'static) {
    let count = Count::default();
    let progress = Progress { name, done: Arc::default() };
    let mut model = loom::model::Builder::new();
    let bound = std::env::var("MODEL_PREEMPTIONS").ok().and_then(|bound| bound.parse().ok());
    model.preemption_bound = Some(bound.unwrap_or(PREEMPTIONS));
    model.max_branches = STEPS;
    let (scenario, seen) = (Arc::new(scenario), count.clone());
    let done = progress.done.clone();
    model.check(move || {
        done.fetch_add(1, Ordering::Relaxed);
        let (scenario, seen) = (scenario.clone(), seen.clone());
        // A thread of its own: the first one has loom's small stack.
        let thread = spawn(move || scenario(&seen));
        thread.join().expect("a panic ends the exploration before this");
    });
    let (yes, no) = (count.of(Outcome::Yes), count.of(Outcome::No));
    println!("{name}: {} interleavings, {yes} yes, {no} no", progress.done.load(Ordering::Relaxed));
    assert!(yes > 0 && no > 0, "{name}: only one outcome was seen ({yes} yes, {no} no)");
}

/// A thread of the scenario.
pub(crate) fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    loom::thread::Builder::new().stack_size(STACK).spawn(work).expect("loom takes another thread")
}

/// Says after how many interleavings a scenario failed.
struct Progress {
    name: &'static str,
    done: Arc<AtomicU64>,
}

impl Drop for Progress {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{} fails after {} interleavings", self.name, self.done.load(Ordering::Relaxed));
        }
    }
}
