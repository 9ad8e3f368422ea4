//! The crate as its users see it.

#[path = "../../examples/lines/format.rs"]
mod lines;

mod cases;
mod crashes;
mod driver;
mod plans;
mod sample;
mod scene;
mod yard;
