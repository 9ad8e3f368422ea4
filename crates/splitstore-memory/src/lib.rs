//! Reference adapters in memory, stricter than reality, and decorators that fail, record and crash.
//!
//! | adapter | port | what a crash takes |
//! |---|---|---|
//! | [`MemoryStore`] | hot store | calls after the last `sync` |
//! | [`MemoryCold`] | cold store | the same; checks data when it is read |
//! | [`MemoryMeta`] | meta store | nothing: durable when set |
//! | [`MemoryFiles`] | file system | data not synced, names not synced, or either alone |
//! | [`MemoryClock`] | clock | - |
//!
//! A [`Fuse`] shared by stores, cells and files plays a process that dies after any number of effects.
//!
//! [`Failing`] and [`Recording`] wrap any store; idle they are the store they wrap, which the conformance suite
//! checks.

mod store;
pub use store::MemoryStore;
mod cold;
pub use cold::MemoryCold;
mod cursor;
mod image;
mod meta;
pub use meta::MemoryMeta;
mod files;
pub use files::{Kept, MemoryFiles};
mod clock;
mod tree;
pub use clock::MemoryClock;
mod call;
pub use call::Call;
mod hooked;
pub use hooked::{Hook, Hooked};
mod fuse;
pub use fuse::Fuse;
mod failing;
pub use failing::{Failing, Failures};
mod recording;
pub use recording::{Record, Recording};
