//! Adapters that break their contract, to see that the oracle notices.

/// What the adapters do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Hot says that it wrote, and every eighth time did not.
    LosesWrites,
    /// Hot writes other bytes.
    BendsBytes,
    /// Hot deletes one block more than it was told to.
    DeletesMore,
    /// Hot deletes nothing.
    DeletesNothing,
    /// Hot is not durable when it says so.
    HotSyncsNothing,
    /// Cold is not durable when it says so.
    ColdSyncsNothing,
}
