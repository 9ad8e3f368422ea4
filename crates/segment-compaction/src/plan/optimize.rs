//! Level 4 as a whole, when nothing else is left to do; once cold also single generations that were split too finely.

use std::slice;
use std::time::Duration;

use super::draft::{Draft, by_level, runs, tombstoned};
use super::group::highest;
use super::{Ask, Plan, Taken, Why};
use crate::format::MergeMode;
use crate::generation::Level;
use crate::listing::GenerationStats;

/// A generation of more segments than this, all maxed, was optimized before.
const SEGMENTS_OPTIMIZED: usize = 2;

pub(super) fn plan(mut draft: Draft<'_>, idle: Duration) -> Plan {
    let limit = draft.settings.segment_bytes_max;
    let done = |stats: &GenerationStats| stats.segments().len() > SEGMENTS_OPTIMIZED && stats.is_maxed(limit);
    for run in draft.runs.clone() {
        for stats in run.iter().filter(|stats| done(stats)) {
            plan_alone(&mut draft, stats, idle, Why::Maxed);
        }
        for part in runs(run, |stats| !done(stats)).into_iter().flat_map(by_level) {
            plan_part(&mut draft, part, idle);
        }
    }
    draft.finish(Ask::Optimize { idle })
}

fn plan_part(draft: &mut Draft<'_>, part: &[GenerationStats], idle: Duration) {
    let level = highest(part);
    let need = draft.settings.generations(Level::FOUR);
    if level == Level::FOUR && (part.len() >= need || tombstoned(part)) {
        return draft.take_if_enough(part, need, MergeMode::Full);
    }
    let too_few = Why::TooFew { level, have: part.len(), need };
    let why = if level == Level::FOUR { too_few } else { Why::OtherLevel(level) };
    for stats in part {
        plan_alone(draft, stats, idle, why);
    }
}

fn plan_alone(draft: &mut Draft<'_>, stats: &GenerationStats, idle: Duration, why: Why) {
    let alone = slice::from_ref(stats);
    match stats.is_joinable(draft.settings.segment_bytes_max) {
        true if draft.settings.is_cold(idle) => {
            draft.take(alone, MergeMode::Full, Taken::Joinable(stats.segments().len()));
        }
        true => draft.leave(alone, Why::NotCold),
        false => draft.leave(alone, why),
    }
}
