//! The memory adapters against the contract, and what they add to it.

mod broken;
mod contract;
mod crashes;
mod decorators;
mod files;
mod fuse;
