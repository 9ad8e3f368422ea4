//! Roots that the chain does not reach but the node relies on, such as the message pool.

use cid::Cid;
use splitstore_ports::Result;

/// Names blocks to keep.
///
/// **Contract.** Called once at the start of every run, on the run's thread; every CID handed to `keep` stays
/// with all that is below it and there. It MAY read and write the store. An error ends the run before it
/// marks anything.
///
/// **Bound.** All protectors are asked in one step of the run, which nobody breaks off: one that does not return keeps
/// the run in prepare. Readers and writers do not wait for it; `close` waits for `Options::close_within` and then says
/// so; cancel, pause and holds take hold when it has returned.
pub trait Protector: Send + Sync {
    /// Calls `keep` for each root.
    fn protect(&self, keep: &mut dyn FnMut(&Cid)) -> Result<()>;
}

impl<F: Fn(&mut dyn FnMut(&Cid)) -> Result<()> + Send + Sync> Protector for F {
    fn protect(&self, keep: &mut dyn FnMut(&Cid)) -> Result<()> {
        self(keep)
    }
}
