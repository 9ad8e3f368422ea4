//! Filecoin's chain: headers by the byte, drawn chains, real archives.

#![expect(clippy::unwrap_used, reason = "tests may unwrap, their shared parts too")]

mod chain;
mod contract;
mod draft;
mod drawing;
mod head;
mod header;
mod heaviest;
mod key;
mod real;
mod store;
mod weight;
