//! What the benches measure: scenarios, each a split store beside the raw engine doing the same bytes.
//!
//! ```text
//!   Ground     generated chain -> base store (all blocks hot) -> compacted store (live hot, the rest cold)
//!   Scenario   one round: ours and raw, each once, in turns; fresh copies for what destroys
//!   Rounds     one round to warm up, then some that count
//!   Table      medians, and the median of the rounds' own ratios
//!   Hits       a hit in hot: the store, the engine, and the engine again
//! ```
//! Why in turns: the machine is shared. What disturbs a round disturbs both sides of it, so ratios inside one
//! round can be trusted further than rates.
//!
//! A copy of a RocksDB store is a checkpoint: hard links of tables that never change, so it costs no time and
//! leaves no dirty pages behind that the next measurement would wait for. The raw engine has the adapter's options;
//! a test compares the files in which both engines note them.
//!
//! Start at [`catalogue`]; against the algorithm of the original, on a chain of millions of blocks, see [`compare`].

mod size;
pub use size::Size;
mod ground;
pub use ground::Ground;
mod rounds;
pub use rounds::{ITEMS_PER_ITERATION, Rounds, Scenario, Work, catalogue};
mod pair;
pub use pair::{Pair, Side};
mod table;
pub use table::Table;
mod hits;
pub use hits::{Chunks, Hits, Reader};
pub mod compare;
mod scenario;

mod compose;
mod engine;
mod naive;
mod order;
mod probes;
mod process;
mod workload;
