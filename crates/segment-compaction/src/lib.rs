//! Levelled compaction of immutable segment files, in any format.
//!
//! Writes arrive as small immutable files. Compaction merges neighbours into larger ones, so that reads look into
//! few files and deleted data goes away. This crate decides *what* to merge, *when*, and replaces files so that no
//! crash loses anything; a [`SegmentFormat`] says *how* two files become one.
//!
//! ```text
//!   snapshots ->  1-1 2-1 3-1 4-1 5-1 6-1 7-1 8-1          eight of level 1
//!                  \___________________________/
//!                              8-2        16-2        24-2        32-2     four of level 2
//!                               \__________________________________/
//!                                              32-3   ...                  and so on to level 4
//! ```
//! Invariants:
//! - a group is a run of *adjacent* generations with all their segments, so the newest write still wins;
//! - an output sorts after all its inputs and before the next generation, and no generation drops a level;
//! - an input is removed only after its replacement is synced, verified, renamed, and that name is synced.

mod generation;
pub use generation::{Generation, Level, SegmentId, Sequence};
mod naming;
pub use naming::{FileKind, Naming, TEMPORARY};
mod stats;
pub use stats::{Fill, SegmentStats, Tombstones};
mod segment;
pub use segment::Segment;

mod listing;
pub use listing::{GenerationStats, Listing, Twice};
mod plan;
pub use plan::{
    Ask, FullyCompacted, Group, Held, Hold, LeftOut, NotYet, Plan, Planner, PlannerSettings, SettingsError,
    Taken, Unplannable, Why,
};
mod lock;
pub use lock::{GroupLock, InUse, Lease};

mod format;
pub use format::{MergeMode, Merger, Room, SegmentFormat, SegmentWriter};
mod output;
pub use output::Output;

mod folder;
pub use folder::{SegmentFolder, Survey};
mod compactor;
mod install;
mod write;
pub use compactor::{Compactor, Report, Tools};
mod backoff;
pub use backoff::{Backoff, BackoffSettings, Sentence};
mod schedule;
pub use schedule::{Lane, next_lane};
pub mod conformance;
mod engine;
pub use engine::{Engine, Turn};

mod files;
pub use files::{FileEntry, FileSystem, FileWrite, Scratch};
mod read_at;
pub use read_at::ReadAt;
mod os_files;
pub use os_files::OsFiles;
mod memory;
pub use memory::MemoryFiles;
mod clock;
pub use clock::{Clock, ManualClock, SystemClock};
mod interrupt;
pub use interrupt::{Cancel, Cancelled, Closed, Disabled, Door, Permit};
mod observer;
pub use observer::{Event, NoObserver, Observer};
mod throttle;
pub use throttle::Throttle;
mod error;
pub use error::{CompactError, FormatError, FormatErrorKind, Source};

/// The README's example, held to what the crate does.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
