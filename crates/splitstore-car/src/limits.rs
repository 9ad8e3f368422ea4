//! How much an archive may ask of its reader.
//!
//! Memory held by a reader is at most `section_bytes_max` (or `header_bytes_max`) while the bytes really
//! arrive, the zstd window of `2^zstd_window_log_max` bytes, and about 300 KiB of fixed buffers.

/// Bounds on what is read. A plain struct: change what you must, keep the rest with `..Limits::default()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest header in bytes. Default 1 MiB (go-car: 32 MiB).
    pub header_bytes_max: u64,
    /// Longest section (CID and data) in bytes. Default 8 MiB, as in go-car.
    pub section_bytes_max: u64,
    /// Most roots in the header. Default 16384.
    pub roots_max: u64,
    /// Most bytes that may come out of zstd; `None`, the default, for no bound.
    pub decompressed_bytes_max: Option<u64>,
    /// Most bytes out of zstd per byte in, applied once [`Limits::RATIO_GRACE_BYTES`] came out.
    /// Default 1000; chains compress 3 to 4 fold, a bomb reaches 30000.
    pub zstd_ratio_max: u64,
    /// Largest zstd window as a power of two, 10 to 31 (anything else is an error on opening).
    /// Default 27 (128 MiB), that of the `zstd` tool.
    pub zstd_window_log_max: u32,
}

impl Limits {
    /// Bytes out of zstd below which the ratio is not looked at: 64 MiB.
    pub const RATIO_GRACE_BYTES: u64 = 64 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes_max: 1 << 20,
            section_bytes_max: 8 << 20,
            roots_max: 1 << 14,
            decompressed_bytes_max: None,
            zstd_ratio_max: 1000,
            zstd_window_log_max: 27,
        }
    }
}
