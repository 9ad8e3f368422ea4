//! The crate as its users see it.

#[path = "../../examples/lines/format.rs"]
mod lines;

mod cases;
mod plans;
mod scene;
