//! Groups of level 4, four generations at a time, for a folder that is still written to.
//!
//! ```text
//!   level    4  4  2  4 | 4M | 4  4  4  4  4 | 1  1
//!            [-- group -]  ^   [-- group -]  ^   ^ after the last level 4: left to the level plans
//!                          maxed: ends a window  too few
//! ```
//! The end is looked for from the newest side, so that a low level in between is no barrier. As compactions run, the
//! oldest generations grow: at the first one (before any tombstone) that is less than half as large as the one before
//! it, a new window begins, so that large ones are not rewritten for the sake of small ones.

use super::draft::{Draft, runs};
use super::group::highest;
use super::{Ask, Plan, Why};
use crate::format::MergeMode;
use crate::generation::Level;
use crate::listing::GenerationStats;

pub(super) fn plan(mut draft: Draft<'_>) -> Plan {
    let limit = draft.settings.segment_bytes_max;
    for run in draft.runs.clone() {
        let end = run.iter().rposition(|stats| stats.level() == Level::FOUR).map_or(0, |last| last + 1);
        for stats in &run[end..] {
            draft.leave(std::slice::from_ref(stats), Why::OtherLevel(stats.level()));
        }
        let (large, small) = run[..end].split_at(shrinks_at(&run[..end]));
        for part in [large, small] {
            part.iter().filter(|stats| stats.is_maxed(limit)).for_each(|stats| draft.leave_maxed(stats));
            for window in runs(part, |stats| !stats.is_maxed(limit)) {
                plan_window(&mut draft, window);
            }
        }
    }
    draft.finish(Ask::Steps)
}

fn plan_window(draft: &mut Draft<'_>, window: &[GenerationStats]) {
    let need = draft.settings.generations(Level::FOUR);
    for step in window.chunks(need) {
        match highest(step) {
            Level::FOUR => draft.take_if_enough(step, need, MergeMode::Full),
            lower => draft.leave(step, Why::OtherLevel(lower)),
        }
    }
}

/// Where the first generation stands that is less than half as large as the one before; 0 if a tombstone is
/// before it or there is none.
fn shrinks_at(all: &[GenerationStats]) -> usize {
    let clean = all.iter().position(GenerationStats::is_tombstoned).unwrap_or(all.len());
    let pairs = all[..clean].windows(2);
    let shrinks = |pair: &[GenerationStats]| pair[1].bytes().saturating_mul(2) < pair[0].bytes();
    pairs.map(shrinks).position(|shrinks| shrinks).map_or(0, |at| at + 1)
}

impl Draft<'_> {
    pub(super) fn leave_maxed(&mut self, stats: &GenerationStats) {
        self.leave(std::slice::from_ref(stats), Why::Maxed);
    }
}
