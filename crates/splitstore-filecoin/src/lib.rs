//! Filecoin's chain over a block store: headers, tipsets, heaviest tipset.
//!
//! ```text
//!   BlockRead --bytes--> BlockHeader::decode --> tipset (same height, same parents) --> FilecoinChain
//!                        cbor.rs, header.rs      tipset.rs, heaviest.rs                 chain.rs
//! ```
//! It reads headers and nothing below them: no messages, no state, no power table. So it takes a tipset's
//! weight from what its headers say of their *parents*; see [`heaviest_of`].
//!
//! Start at [`FilecoinChain`].

mod chain;
pub use chain::FilecoinChain;
mod heaviest;
pub use heaviest::heaviest_of;
mod ancestors;
mod header;
mod tipset;
pub use header::BlockHeader;
mod weight;
pub use weight::Weight;
mod key;
pub use key::key_cid;
mod cbor;
mod error;
pub use error::{HeaderError, HeaderFault, Kind};
