//! What is measured against what.

pub(crate) mod phases;
pub(crate) mod put;
pub(crate) mod reads;
pub(crate) mod sets;
