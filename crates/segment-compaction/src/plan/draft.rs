//! A plan in the making: the listing cut into runs that may be planned, and what was decided so far.

use std::collections::BTreeMap;

use super::group::highest;
use super::{Ask, Group, Held, LeftOut, Plan, PlannerSettings, Taken, Why};
use crate::format::MergeMode;
use crate::generation::{Generation, Level};
use crate::listing::{GenerationStats, Listing};

pub(super) struct Draft<'a> {
    pub(super) settings: &'a PlannerSettings,
    pub(super) listing: &'a Listing,
    /// Adjacent generations none of which is held, oldest first.
    pub(super) runs: Vec<&'a [GenerationStats]>,
    groups: Vec<Group>,
    left: BTreeMap<Generation, Why>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(settings: &'a PlannerSettings, listing: &'a Listing, held: &Held) -> Self {
        let hold = |stats: &GenerationStats| held.get(&stats.generation()).copied();
        let all = listing.generations();
        let held = all.iter().filter_map(|stats| Some((stats.generation(), Why::Held(hold(stats)?))));
        let left = held.collect();
        let runs = runs(all, |stats| hold(stats).is_none());
        Self { settings, listing, runs, groups: Vec::new(), left }
    }

    /// Takes adjacent generations as one group.
    pub(super) fn take(&mut self, generations: &[GenerationStats], mode: MergeMode, reason: Taken) {
        for stats in generations {
            self.left.remove(&stats.generation());
        }
        self.groups.push(Group::new(generations, mode, reason));
    }

    /// Leaves generations out. The first reason stands.
    pub(super) fn leave(&mut self, generations: &[GenerationStats], why: Why) {
        for stats in generations {
            self.left.entry(stats.generation()).or_insert(why);
        }
    }

    /// Leaves generations out, whatever was said of them before.
    pub(super) fn leave_after_all(&mut self, generations: &[GenerationStats], why: Why) {
        self.left.extend(generations.iter().map(|stats| (stats.generation(), why)));
    }

    /// Takes a window if it is enough, or has tombstones; otherwise leaves it.
    pub(super) fn take_if_enough(&mut self, window: &[GenerationStats], need: usize, mode: MergeMode) {
        let level = highest(window);
        if window.len() >= need {
            self.take(window, mode, Taken::Enough(level));
        } else if tombstoned(window) {
            self.take(window, mode, Taken::Tombstoned);
        } else {
            self.leave_after_all(window, Why::TooFew { level, have: window.len(), need });
        }
    }

    pub(super) fn finish(self, ask: Ask) -> Plan {
        let mut groups = self.groups;
        groups.sort_by_key(Group::span);
        let left = self.left.into_iter().map(|(generation, why)| LeftOut { generation, why }).collect();
        Plan { ask, groups, left }
    }
}

/// The longest stretches of generations that all pass.
pub(super) fn runs(
    all: &[GenerationStats],
    pass: impl Fn(&GenerationStats) -> bool,
) -> Vec<&[GenerationStats]> {
    all.split(|stats| !pass(stats)).filter(|run| !run.is_empty()).collect()
}

pub(super) fn tombstoned(generations: &[GenerationStats]) -> bool {
    generations.iter().any(GenerationStats::is_tombstoned)
}

/// A run cut by level. A generation right before a higher one joins what is before it, whatever its level; else it
/// joins what is of its own level.
pub(super) fn by_level(run: &[GenerationStats]) -> Vec<&[GenerationStats]> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, stats) in run.iter().enumerate().skip(1) {
        let before_higher = run.get(at + 1).is_some_and(|next| next.level() > stats.level());
        if !before_higher && highest(&run[start..at]) != stats.level() {
            parts.push(&run[start..at]);
            start = at;
        }
    }
    if start < run.len() {
        parts.push(&run[start..]);
    }
    parts
}

pub(super) fn mode(level: Level) -> MergeMode {
    if level == Level::THREE { MergeMode::Fast } else { MergeMode::Full }
}
