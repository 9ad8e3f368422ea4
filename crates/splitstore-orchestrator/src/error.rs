//! Why the store could not do what was asked.

use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_domain::links::LinkError;
use splitstore_domain::{Epoch, Phase};
use splitstore_ports::PortError;
use thiserror::Error;

/// Result of the store's own operations. Reads and writes of blocks return [`PortError`] alone.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, and what was not done because of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A tier, a file or the chain failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A block that must be there is in neither tier. Nothing was deleted.
    #[error("live block {cid} is missing, reached from {root}{}", of_header(header.as_deref()))]
    MissingLive {
        /// The block.
        cid: Cid,
        /// The root of a header, or the header, that it was reached from.
        root: Cid,
        /// The header that names the root, where it is known.
        header: Option<Box<Cid>>,
    },
    /// A live block cannot be read, so its links are unknown. Nothing was deleted.
    #[error("live block {cid} cannot be scanned for links")]
    Malformed {
        /// The block.
        cid: Cid,
        /// Where and why.
        source: LinkError,
    },
    /// A block in hot does not hash to its key; it was not moved, and nothing was deleted.
    #[error("hot block {cid} is damaged")]
    Damaged {
        /// The block.
        cid: Cid,
        /// The check that failed.
        source: splitstore_domain::digest::DigestError,
    },
    /// Another run is active: one at a time.
    #[error("a compaction is already running")]
    Busy,
    /// `start` was not called yet, so there is no chain.
    #[error("the store has no chain yet: start it first")]
    NotStarted,
    /// The chain has no head yet.
    #[error("the chain has no head yet: import an archive or apply a tipset first")]
    NoHead,
    /// The chain has no tipset there.
    #[error("the chain has no tipset at or below height {height}")]
    NoTipset {
        /// The height that was asked for.
        height: Epoch,
    },
    /// The cold tier's disk cannot take what would move, or its next batch. Nothing was deleted.
    #[error("transfer needs {need} bytes free for the cold tier, {have} are: free space and compact again")]
    NoSpace {
        /// Bytes needed.
        need: u64,
        /// Bytes free.
        have: u64,
    },
    /// A file of ours is damaged. It was not used, and nothing was deleted on its strength.
    #[error("{}: {fault}; {}", path.display(), way_out(path))]
    DamagedFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The store is closing or closed, or the run was asked to stop.
    #[error("{}", stopped(*.0))]
    Stopped(Phase),
    /// `close` has waited for as long as it may, and the run is still in one step of this phase.
    #[error(
        "a run is still in a step of {0}: everything acknowledged is durable, and the run ends with this step; \
             close again to wait for that"
    )]
    StillRunning(Phase),
    /// A hold is on: the run ended before it sealed.
    #[error("stopped in {phase}, held by {hold}: nothing was deleted")]
    Held {
        /// The hold.
        hold: String,
        /// Where the run was.
        phase: Phase,
    },
}

/// What to do about a damaged file. The link index is worth a scan and no more; what else is read was sealed.
fn way_out(path: &Path) -> &'static str {
    if path.ends_with("links/pack") {
        "no block is lost, and a compaction builds it anew"
    } else {
        "restore it, or move the folder away and verify the store"
    }
}

fn stopped(phase: Phase) -> String {
    match phase {
        Phase::Idle => "the store is closed, or this run is over: nothing was begun".to_owned(),
        Phase::Prepare | Phase::Mark | Phase::Collect | Phase::Transfer => {
            format!("stopped in {phase}, before the seal: this run has deleted nothing")
        }
        Phase::Seal => "stopped in seal: this run has deleted nothing yet".to_owned(),
        Phase::Purge | Phase::Commit => {
            format!("stopped in {phase}: the next run, or the next open, finishes this one first")
        }
    }
}

fn of_header(header: Option<&Cid>) -> String {
    header.map(|header| format!(", which header {header} names")).unwrap_or_default()
}

/// An error with its causes. What a message has said of its cause already is not said again.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}
