//! The views that are open: what they look at, where they were taken, since when.
//!
//! A view runs foreign code while the engine pins the block's memory. It may last, and it may read again. It is
//! listed here so that a run can take what it looks at as a reference instead of waiting for it to end.

use std::panic::Location;
use std::time::Duration;

use cid::Cid;

use crate::protection::Stage;
use crate::sync::{AtomicU64, Mutex, Ordering, SHARDS};

/// The list, spread over locks that hardly ever meet.
#[derive(Default)]
pub(crate) struct Views {
    next: AtomicU64,
    shards: [Mutex<Vec<View>>; SHARDS],
}

struct View {
    number: u64,
    cid: Cid,
    at: &'static Location<'static>,
    since: Duration,
}

/// Takes its view off the list when dropped.
#[must_use]
pub(crate) struct OpenView<'a> {
    shard: &'a Mutex<Vec<View>>,
    number: u64,
}

impl Views {
    /// Lists a view. The stage is asked under the shard's lock, which a change of stage takes: a view is either
    /// listed before the change, or sees it.
    pub(crate) fn open(
        &self,
        cid: &Cid,
        at: &'static Location<'static>,
        since: Duration,
        stage: impl FnOnce() -> Stage,
    ) -> (OpenView<'_>, Stage) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let shard = &self.shards[usize::try_from(number % SHARDS as u64).unwrap_or(0)];
        let mut views = shard.lock();
        views.push(View { number, cid: *cid, at, since });
        (OpenView { shard, number }, stage())
    }

    /// Changes the stage while no view opens; what is open at that moment.
    pub(crate) fn change(&self, set: impl FnOnce()) -> Vec<Cid> {
        let shards: Vec<_> = self.shards.iter().map(Mutex::lock).collect();
        set();
        shards.iter().flat_map(|views| views.iter().map(|view| view.cid)).collect()
    }

    /// Where views were taken that are older than `bound`, and how old they are.
    pub(crate) fn older_than(
        &self,
        bound: Duration,
        now: Duration,
    ) -> Vec<(&'static Location<'static>, Duration)> {
        let mut old = Vec::new();
        for shard in &self.shards {
            let ages =
                shard.lock().iter().map(|view| (view.at, now.saturating_sub(view.since))).collect::<Vec<_>>();
            old.extend(ages.into_iter().filter(|(_, age)| *age > bound));
        }
        old
    }
}

impl Drop for OpenView<'_> {
    fn drop(&mut self) {
        let mut views = self.shard.lock();
        if let Some(index) = views.iter().position(|view| view.number == self.number) {
            views.swap_remove(index);
        }
    }
}
