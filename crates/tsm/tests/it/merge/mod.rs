//! Merging, held against a model: a map of key and time, files overlaid in order.

mod cases;
mod damage;
mod files;
mod laws;
mod memory;
mod real;
