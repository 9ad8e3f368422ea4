//! The token bucket.

use std::sync::Arc;
use std::time::Duration;

use segment_compaction::{Cancel, Cancelled, Clock, Door, ManualClock, Throttle};

fn secs(span: Duration) -> f64 {
    span.as_secs_f64()
}

#[test]
fn a_rate_of_zero_is_no_limit() {
    let clock = Arc::new(ManualClock::new());
    let throttle = Throttle::new(0, 100, clock.clone());
    throttle.take(u64::MAX, &Cancel::never()).unwrap();
    assert_eq!(clock.now(), Duration::ZERO);
}

#[test]
fn a_burst_is_free_and_the_rest_takes_its_time() {
    let clock = Arc::new(ManualClock::new());
    let throttle = Throttle::new(1000, 500, clock.clone());
    throttle.take(500, &Cancel::never()).unwrap();
    assert_eq!(clock.now(), Duration::ZERO);
    for _ in 0..40 {
        throttle.take(100, &Cancel::never()).unwrap();
    }
    assert!((3.99..4.1).contains(&secs(clock.now())), "{:?}", clock.now());
}

/// Defect 16: a write larger than the burst failed after it was written.
#[test]
fn a_write_larger_than_the_burst_is_taken_in_pieces() {
    let clock = Arc::new(ManualClock::new());
    let throttle = Throttle::new(1000, 10, clock.clone());
    throttle.take(5010, &Cancel::never()).unwrap();
    assert!((4.99..5.2).contains(&secs(clock.now())), "{:?}", clock.now());
}

#[test]
fn many_share_one_rate() {
    let clock = Arc::new(ManualClock::new());
    let throttle = Throttle::new(1000, 1000, clock.clone());
    let other = throttle.clone();
    for _ in 0..10 {
        throttle.take(200, &Cancel::never()).unwrap();
        other.take(200, &Cancel::never()).unwrap();
    }
    assert!((2.99..3.1).contains(&secs(clock.now())), "{:?}", clock.now());
}

#[test]
fn a_cancel_interrupts_waiting() {
    /// Cancels while it is waited on.
    struct Closing(ManualClock, Door);
    impl Clock for Closing {
        fn now(&self) -> Duration {
            self.0.now()
        }
        fn wait(&self, span: Duration) {
            self.0.wait(span);
            if self.0.now() > Duration::from_secs(1) {
                self.1.interrupt();
            }
        }
    }
    let door = Door::new("compactions");
    let permit = door.enter().unwrap();
    let clock = Arc::new(Closing(ManualClock::new(), door));
    let throttle = Throttle::new(1, 1, clock.clone());
    assert_eq!(throttle.take(1_000_000, permit.cancel()), Err(Cancelled));
    assert!(secs(clock.now()) < 1.1, "it waited on for {:?}", clock.now());
}
