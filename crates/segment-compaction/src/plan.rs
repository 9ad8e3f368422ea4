//! The planner: from a listing to groups of adjacent generations, each with its reason. Pure.
//!
//! ```text
//!   listing + held ->  runs        the listing, cut where a generation is held (in use, quarantined)
//!                      windows     cut further by level or size, as the ask says
//!                      group | left out, each with the reason
//! ```
//! Invariants, whatever the ask: a group is a run of adjacent generations with all their segments; groups are
//! disjoint, none is empty, none holds what is held. Nothing is looked up or remembered: the same input gives the
//! same plan.

mod ask;
pub use ask::{Ask, PlannerSettings, SettingsError};
mod group;
pub use group::{Group, Held, Hold, LeftOut, Plan, Taken, Why};
mod display;
mod draft;
mod full;
mod given;
pub use given::Unplannable;
mod level;
mod optimize;
mod steps;
mod verdict;
pub use verdict::{FullyCompacted, NotYet};

use std::time::Duration;

use crate::listing::Listing;
use draft::Draft;

/// Plans by its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planner {
    settings: PlannerSettings,
}

impl Planner {
    /// A planner with these settings.
    pub fn new(settings: PlannerSettings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { settings })
    }

    /// Its settings.
    pub fn settings(&self) -> &PlannerSettings {
        &self.settings
    }

    /// What to compact.
    pub fn plan(&self, listing: &Listing, held: &Held, ask: Ask) -> Plan {
        let draft = Draft::new(&self.settings, listing, held);
        match ask {
            Ask::Level(level) => level::plan(draft, level),
            Ask::Steps => steps::plan(draft),
            Ask::FullWhenCold { idle } => full::when_cold(draft, idle),
            Ask::ForcedFull => full::forced(draft),
            Ask::Optimize { idle } => optimize::plan(draft, idle),
            Ask::All => full::all(draft),
        }
    }

    /// What becomes of the oldest data: everything once the folder is cold, steps of level 4 before.
    pub fn full_or_steps(&self, listing: &Listing, held: &Held, idle: Duration) -> Plan {
        let cold = self.settings.is_cold(idle) && listing.generations().len() > 1;
        self.plan(listing, held, if cold { Ask::FullWhenCold { idle } } else { Ask::Steps })
    }
}
