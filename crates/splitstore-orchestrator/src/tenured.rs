//! Headers that are final: no run walks below one of them again.
//!
//! ```text
//!   genesis ............................. boundary ...... head
//!   |=============== tenured =============|    window     |
//!                                      X <-- a walk from the head ends at X: it is tenured, and has no roots
//! ```
//! A compaction has to know of every header down to genesis that it is live, and of every tipset key. Walking them
//! costs what the chain is long, and finds the same each time. So a run that commits writes down what its walk has
//! passed below its boundary (`tenured/file.rs`), and the next walk ends where it meets that.
//!
//! # Why nothing is lost
//!
//! - What is tenured is live in every run that uses it, whether the walk comes by or not. Nothing of it is ever
//!   collected on the strength of not having been met.
//! - It is *closed*: with a header it has the headers that are its parents, down to genesis, and the objects of their
//!   tipset keys. A walk passes a header before its parents, and is whole when it ends; only whole walks are written,
//!   with an end mark behind each. A file that lacks its end has the batches before it, which are closed, too.
//! - A walk ends at a tenured header only if that has no roots under this run's window and policy. Roots depend on
//!   heights: then no header below it has any, but genesis, which is walked each time. So a longer retention or
//!   another policy walks as deep as it has to; under `messages`, where every header has roots, all of it.
//! - A walk that does not meet its highest tipset whole is of another chain: another was imported, or a reorganisation
//!   went deeper. It ends where it meets the tenured one, if at all, and that is forgotten when the run commits, with
//!   what is no part of the chain any more: the next run walks to genesis.
//! - A file that is not there, is damaged, or is of a newer version is as none: the whole chain is walked, and the
//!   file written anew. A run that recovery finishes adds nothing; the next one does.
//!
//! Keys are remembered whole (`tenured/keys.rs`), 32 bytes each, in memory while the store is open.

mod file;
mod keys;
mod passed;

use std::sync::Arc;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::{BlockKey, Epoch, Phase};
use splitstore_ports::{ErrorKind, Event, Reading, Visit};

use crate::error::{Error, Result};
use crate::graph::Bitmap;
use crate::sets::WalkSets;
use crate::store::Inner;

pub(crate) use passed::Passed;

use keys::Keys;

/// What is final.
pub(crate) struct Tenured {
    headers: Keys,
    /// Never opened: objects of tipset keys, and what genesis names as its parents.
    leaves: Keys,
    genesis: Vec<Cid>,
    top: Top,
}

/// The highest tipset of it: everything else is below that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Top {
    height: Epoch,
    headers: u64,
}

impl Tenured {
    /// Whether it has this header.
    pub(crate) fn has_header(&self, key: &BlockKey) -> bool {
        self.headers.has(key)
    }

    /// The headers of height 0.
    pub(crate) fn genesis(&self) -> &[Cid] {
        &self.genesis
    }

    /// Visits those of these keys that it has.
    pub(crate) fn visit(&self, keys: &[BlockKey], sets: &WalkSets) -> Result<()> {
        let mut visits = Vec::new();
        for key in keys {
            let visit = |reading| Visit { key: key.clone(), reading };
            if self.has_header(key) {
                visits.extend([visit(Reading::Header), visit(Reading::Dag)]);
            } else if self.leaves.has(key) {
                visits.push(visit(Reading::Opaque));
            }
        }
        if visits.is_empty() { Ok(()) } else { sets.visit(&visits, &mut Vec::new()) }
    }

    /// Marks all of it that a snapshot holds, before a walk: no walk goes into a header then that it meets as a block.
    /// That headers are headers is left out: the walk of the chain has to read some of them.
    pub(crate) fn mark(&self, bitmap: &Bitmap) {
        mark(&self.headers, bitmap, Reading::Dag);
        mark(&self.leaves, bitmap, Reading::Opaque);
    }

    /// Marks its headers as such, when the chain has been walked.
    pub(crate) fn mark_headers(&self, bitmap: &Bitmap) {
        mark(&self.headers, bitmap, Reading::Header);
    }
}

fn mark(keys: &Keys, bitmap: &Bitmap, reading: Reading) {
    keys.each(&mut |key| {
        if let Some(ordinal) = bitmap.index().find(key) {
            bitmap.visit(ordinal, reading);
        }
    });
}

/// Keeps what is final, in memory and on disk.
#[derive(Default)]
pub(crate) struct Keeper {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// None until it was looked for.
    found: Option<Found>,
    /// What the last walk passed, until its run commits.
    passed: Option<Passed>,
}

/// What there is on disk.
#[derive(Clone, Default)]
struct Found {
    tenured: Option<Arc<Tenured>>,
    /// Where the next batch goes; none, if it is to be written anew.
    end: Option<crate::records::End>,
}

impl Keeper {
    /// What is final, if that is known.
    pub(crate) fn get(&self, cx: &Inner) -> Result<Option<Arc<Tenured>>> {
        let mut kept = self.kept.lock();
        if let Some(found) = &kept.found {
            return Ok(found.tenured.clone());
        }
        let found = match file::read(cx) {
            Ok(found) => found,
            Err(error) if is_worthless(&error) => {
                let why = format!("{error}: the whole chain is walked");
                cx.observer.on_event(&Event::Failed(Phase::Mark, why));
                Found::default()
            }
            Err(error) => return Err(error),
        };
        Ok(kept.found.insert(found).tenured.clone())
    }

    /// Holds what a walk has passed until the run commits; a walk that does not get there is forgotten for the next.
    pub(crate) fn hold(&self, passed: Passed) {
        self.kept.lock().passed = Some(passed);
    }

    /// Writes down what was held. A failure costs the next run a walk, so it is told and nothing else.
    pub(crate) fn keep(&self, cx: &Inner) {
        let mut kept = self.kept.lock();
        let Some(passed) = kept.passed.take() else { return };
        let Some(found) = kept.found.take() else { return };
        match file::add(cx, &found, &passed) {
            Ok(found) => kept.found = Some(found),
            // What of it got out is read back when it is needed.
            Err(error) => {
                let why = format!("remember final headers: {error}");
                cx.observer.on_event(&Event::Failed(Phase::Commit, why));
            }
        }
    }
}

/// Whether a file that gives this error is as good as none.
fn is_worthless(error: &Error) -> bool {
    match error {
        Error::DamagedFile { .. } => true,
        Error::Port(port) => port.kind() == ErrorKind::TooNew,
        _ => false,
    }
}
