//! Work on many parts by some threads; what comes of them, in the order of the parts.

use parking_lot::Mutex;

/// Each part goes to the next thread that is free, and is dropped when it is done.
pub(super) fn spread<P: Send, D: Send>(
    parts: Vec<P>,
    threads: usize,
    work: impl Fn(P) -> D + Sync,
) -> Vec<D> {
    let threads = threads.min(parts.len());
    let parts = Mutex::new(parts.into_iter().enumerate());
    let take = || {
        let mut done = Vec::new();
        loop {
            let next = parts.lock().next();
            let Some((place, part)) = next else { return done };
            done.push((place, work(part)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            done.extend(other.join().expect("a part of a graph does not panic"));
        }
        done
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_parts_is_in_their_order_on_any_number_of_threads() {
        for threads in [0, 1, 2, 7] {
            let doubled = spread((0..100).collect(), threads, |part| part * 2);
            assert_eq!(doubled, (0..100).map(|part| part * 2).collect::<Vec<_>>());
        }
        assert!(spread(Vec::<u8>::new(), 2, |part| part).is_empty());
    }
}
