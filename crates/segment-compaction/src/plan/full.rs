//! Everything at once: when a folder is cold, when it is forced, or in earnest all of it.
//!
//! ```text
//!   1 2 | 3M | 4 5 6      a maxed generation in between ends a group: merging around it would move old data
//!   [-]        [---]      behind newer data
//! ```

use std::time::Duration;

use super::draft::{Draft, runs, tombstoned};
use super::{Ask, Plan, Taken, Why};
use crate::format::MergeMode;
use crate::generation::Level;
use crate::listing::GenerationStats;

pub(super) fn when_cold(mut draft: Draft<'_>, idle: Duration) -> Plan {
    let ask = Ask::FullWhenCold { idle };
    if !draft.settings.is_cold(idle) {
        draft.leave(draft.listing.generations(), Why::NotCold);
        return draft.finish(ask);
    }
    gaining(&mut draft, Taken::Cold(idle));
    draft.finish(ask)
}

pub(super) fn forced(mut draft: Draft<'_>) -> Plan {
    gaining(&mut draft, Taken::Forced);
    draft.finish(Ask::ForcedFull)
}

pub(super) fn all(mut draft: Draft<'_>) -> Plan {
    for run in draft.runs.clone() {
        draft.take(run, MergeMode::Full, Taken::Forced);
    }
    draft.finish(Ask::All)
}

/// Takes what gains by it. With two generations that is both.
fn gaining(draft: &mut Draft<'_>, reason: Taken) {
    let limit = draft.settings.segment_bytes_max;
    let all = draft.listing.generations();
    let low = |at: usize| all.get(at + 1).is_some_and(|next| next.level() < Level::FOUR);
    let spared: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(at, stats)| all.len() > 2 && stats.is_maxed(limit) && !low(*at))
        .map(|(_, stats)| stats.generation())
        .collect();
    for run in draft.runs.clone() {
        let is_spared = |stats: &GenerationStats| spared.contains(&stats.generation());
        run.iter().filter(|stats| is_spared(stats)).for_each(|stats| draft.leave_maxed(stats));
        for part in runs(run, |stats| !is_spared(stats)) {
            match part.len() {
                1 if tombstoned(part) => draft.take(part, MergeMode::Full, Taken::Tombstoned),
                1 => draft.leave(part, Why::Alone),
                _ => draft.take(part, MergeMode::Full, reason),
            }
        }
    }
}
