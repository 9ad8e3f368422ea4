//! Disks that forget what was not synced: one SIGKILL is then one power cut for a whole store.
//!
//! ```text
//!   RocksDB     forgetful_env   unsynced data in the process' memory                 gone with the process
//!   redb        HeldBackend     unsynced pages in memory; a share of sectors early   gone with the process
//!   own files   LedgerFiles     written at once, and noted in a ledger               settled after the kill
//!
//!   child   open .. load .. compaction ..            SIGKILL
//!   parent                                              settle(ledger)   open again, check, go on
//! ```
//! Not played: names in RocksDB's folder, the making of a redb file (it is made under another name and linked),
//! drives that lie about a sync.
//!
//! Start at [`forgetful_env`], [`HeldBackend`] and [`LedgerFiles`].

mod dice;
pub use dice::Dice;
mod env;
pub use env::forgetful_env;
mod files;
pub use files::LedgerFiles;
mod held;
pub use held::HeldBackend;
mod ledger;
mod settle;
pub use settle::{Settled, settle};
