//! Real stores under load: killed at any moment and checked, or run for long and measured.
//!
//! ```text
//!   crash    parent --plans a kill--> child: open, check what the last kill left, load .. SIGKILL
//!              ^--- lines on a pipe ----'         '-- acknowledgement log, outside the store
//!   powercut the same on disks that forget what was not synced: a kill is a power cut
//!   rot      one flipped bit in a tier's files, then every block is read
//!   soak     the same load without kills; laws checked between runs, latency per phase in histograms
//!   figures  readers and a writer at full speed beside one compaction of a large store
//!
//!   load     node: puts a seeded chain tipset by tipset, moves the head, which starts compactions
//!            machine: asks `has` of a subtree and, told yes, writes only a parent on top of it
//!            readers: read what is live
//! ```
//! One [`Life`] is one store: a seed and a number give its chain, cold policy, mark set and windows. All that
//! the checks know comes from the log and from the seed; the store is asked nothing about itself.
//!
//! Start at [`crash::run`] and [`soak::run`].

mod ack;
pub use ack::{Ack, AckLog, Acknowledged, Survives};
pub use splitstore_faultfs::Dice;
mod disk;
pub use disk::Disk;
mod life;
pub use life::{Life, Load};
mod histogram;
pub use histogram::Histogram;
mod line;
pub use line::{Line, Resumed};
mod chain;
pub use chain::Chain;
mod check;
pub use check::{Verdict, check};
pub mod child;
pub mod crash;
mod dag;
pub mod figures;
mod in_hand;
mod kill;
mod latency;
mod live;
mod load;
pub use load::Forks;
mod machine;
mod node;
mod queue;
mod reader;
pub mod rot;
mod segments;
pub use segments::{Segment, Table};
pub mod soak;
mod stage;
mod steal;
pub use steal::Steal;
mod tally;
mod waits;
mod watch;
pub use dag::{parent, subtree};
pub use kill::{Kill, Plans};
pub use latency::{Latencies, Op};
pub use stage::Stage;
pub use tally::Tally;
pub use waits::{Wait, Waits};
pub use watch::{Says, Watch};
