//! The local file system behind the split store's file port, with the lock and the clock of this machine.
//!
//! [`OsFiles`] is the `FileSystem`, [`StoreLock`] keeps two processes out of one store, [`SystemClock`] is the
//! one place that asks the machine for the time.

mod os;
pub use os::OsFiles;
mod lock;
pub use lock::StoreLock;
mod clock;
pub use clock::SystemClock;
mod exchange;
pub use exchange::exchange;
