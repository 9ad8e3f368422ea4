//! The crate as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../examples/lines/format.rs"]
mod lines;

mod cases;
mod crashes;
mod driver;
mod liars;
mod plans;
mod properties;
mod real;
mod sample;
mod scene;
mod simulation;
mod throttling;
mod together;
mod yard;
