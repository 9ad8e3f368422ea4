//! Blocks that were missing below references: skipped, awaited, or the end of the run, as the operator chose.
//!
//! A reference may point at what is being written at this moment, or at a receipt that the node never had. The
//! waits are the clock's, so a simulator decides how long they are.

use std::time::Duration;

use cid::Cid;
use splitstore_domain::links::LinkError;
use splitstore_ports::Visit;

use crate::components::MissingReferences;
use crate::error::{Error, Result};
use crate::protection::reference_to;
use crate::walk::{Missing, Sink};

/// What was missing, and how often it is still looked for.
pub(super) struct Awaited {
    policy: MissingReferences,
    missing: Vec<Cid>,
    tries: u32,
    until: Option<Duration>,
}

/// What to do when nothing but missing blocks is left.
pub(super) enum Next {
    /// Look for these again.
    Look(Vec<Visit>),
    /// Nothing before the clock says so.
    Wait(Duration),
    /// Go on without these.
    GiveUp(Vec<Cid>),
}

impl Awaited {
    pub(super) const fn new(policy: MissingReferences) -> Self {
        Self { policy, missing: Vec::new(), tries: 0, until: None }
    }

    pub(super) fn next(&mut self, now: Duration) -> Next {
        let MissingReferences::Wait { tries, delay } = self.policy else { return self.give_up() };
        if self.missing.is_empty() || self.tries == tries {
            return self.give_up();
        }
        let until = *self.until.get_or_insert_with(|| now.saturating_add(delay));
        if now < until {
            return Next::Wait(until);
        }
        self.until = None;
        self.tries += 1;
        Next::Look(self.missing.drain(..).filter_map(|cid| reference_to(&cid)).collect())
    }

    fn give_up(&mut self) -> Next {
        Next::GiveUp(std::mem::take(&mut self.missing))
    }
}

impl Sink for Awaited {
    fn missing(&mut self, missing: &Missing) -> Result<()> {
        let Missing { cid, root, .. } = *missing;
        if self.policy == MissingReferences::Fail {
            return Err(Error::MissingLive { cid, root, header: None });
        }
        self.missing.push(cid);
        Ok(())
    }

    fn malformed(&mut self, _cid: Cid, _source: LinkError) -> Result<()> {
        // Anybody can put such a block. Nobody can follow links in it, so it is kept as a leaf.
        Ok(())
    }
}
