//! A plan of exactly what somebody names.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Ask, Group, Held, Hold, Plan, Planner, Taken};
use crate::format::MergeMode;
use crate::generation::{Generation, SegmentId};
use crate::listing::{GenerationStats, Listing};

/// Why segments cannot be compacted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unplannable {
    /// None were named.
    #[error("no segment is named")]
    Nothing,
    /// It is not there.
    #[error("segment {0} is not there")]
    Unknown(SegmentId),
    /// Its generation was not named as a whole.
    #[error("segment {0} is of a generation that is named, but is not named itself")]
    Partial(SegmentId),
    /// Older data would move behind newer.
    #[error("generation {0} lies between those named: older data would move behind newer")]
    NotAdjacent(Generation),
    /// It may not be touched.
    #[error("generation {0} is {1}")]
    Held(Generation, Hold),
}

impl Planner {
    /// One group of exactly these segments.
    pub fn given(&self, listing: &Listing, held: &Held, segments: &[SegmentId]) -> Result<Plan, Unplannable> {
        let named: BTreeSet<_> = segments.iter().copied().collect();
        let known: BTreeSet<_> = listing.segments().map(|(id, _)| *id).collect();
        if let Some(unknown) = named.difference(&known).next() {
            return Err(Unplannable::Unknown(*unknown));
        }
        let (Some(first), Some(last)) = (named.first(), named.last()) else {
            return Err(Unplannable::Nothing);
        };
        let within =
            |stats: &&GenerationStats| (first.generation..=last.generation).contains(&stats.generation());
        let run: Vec<_> = listing.generations().iter().filter(within).cloned().collect();
        for stats in &run {
            check(stats, held, &named)?;
        }
        Ok(Plan {
            ask: Ask::All,
            groups: vec![Group::new(&run, MergeMode::Full, Taken::Forced)],
            left: Vec::new(),
        })
    }
}

fn check(stats: &GenerationStats, held: &Held, named: &BTreeSet<SegmentId>) -> Result<(), Unplannable> {
    let missing: Vec<_> =
        stats.segments().iter().map(|(id, _)| *id).filter(|id| !named.contains(id)).collect();
    match (missing.first(), held.get(&stats.generation())) {
        (Some(_), _) if missing.len() == stats.segments().len() => {
            Err(Unplannable::NotAdjacent(stats.generation()))
        }
        (Some(id), _) => Err(Unplannable::Partial(*id)),
        (None, Some(hold)) => Err(Unplannable::Held(stats.generation(), *hold)),
        (None, None) => Ok(()),
    }
}
