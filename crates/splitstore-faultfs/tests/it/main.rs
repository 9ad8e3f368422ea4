//! Each disk against its contract, and against the one thing it is for: what was not synced is gone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod files;
mod pages;
mod rocks;
