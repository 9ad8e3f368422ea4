//! What a reader grants to bytes it has not checked yet.

/// Bounds of what one block may take in memory, whatever its bytes claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Points of a block. `InfluxDB` has written up to 100,000.
    pub points: usize,
    /// Bytes of a block as it is stored.
    pub block_bytes: usize,
    /// Bytes of a block's strings and their lengths, uncompressed.
    pub string_bytes: usize,
    /// Bytes of the keys of a tombstone file, with 16 for each entry.
    pub tombstone_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { points: 1 << 20, block_bytes: 1 << 28, string_bytes: 1 << 28, tombstone_bytes: 1 << 28 }
    }
}
