//! Groups of one level.
//!
//! ```text
//!   level   1 1 1 1 1 1 1 1 1 1 2 2 2 2 2 2        cut by level, then into windows of 8 (level 1) or 4
//!           [------ 8 -----]|   |                  a short window is left out,
//!                           [--- 4 ---][3...       or joins the higher level right after it
//! ```
//! Where a short window of a low level stands in front of a higher one, no younger sibling can ever come to it: new
//! generations are the newest. It joins the next group instead of being stranded, or rewritten alone.
//! The cut does not depend on the level that is asked for, so the plans of two levels are disjoint.

use super::draft::{Draft, by_level, mode, tombstoned};
use super::group::highest;
use super::{Ask, Plan, Why};
use crate::generation::Level;
use crate::listing::GenerationStats;

pub(super) fn plan(mut draft: Draft<'_>, asked: Level) -> Plan {
    for run in draft.runs.clone() {
        let parts = by_level(run);
        let mut carried = 0;
        let mut at = 0;
        for (index, part) in parts.iter().enumerate() {
            at += part.len();
            let window = &run[at - part.len() - carried..at];
            let next = parts.get(index + 1).map(|next| highest(next));
            carried = plan_part(&mut draft, window, next, asked);
        }
    }
    draft.finish(Ask::Level(asked))
}

/// Decides about one part; the number of its last generations that join the next part.
fn plan_part(draft: &mut Draft<'_>, part: &[GenerationStats], next: Option<Level>, asked: Level) -> usize {
    let level = highest(part);
    let need = draft.settings.generations(level);
    for window in part.chunks(need) {
        let short = window.len() < need && !tombstoned(window);
        match next.filter(|next| short && *next > level) {
            Some(higher) => {
                // Unless it is taken there, which is yet to be seen.
                draft.leave_after_all(window, Why::InFrontOf(higher));
                return window.len();
            }
            None if level == asked && level != Level::FOUR => draft.take_if_enough(window, need, mode(level)),
            None => draft.leave(window, Why::OtherLevel(level)),
        }
    }
    0
}
