//! Settings of a redb file.

use splitstore_ports::domain::ByteCount;

/// Settings of a redb file; `default()` is 256 MiB of cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedbOptions {
    /// Memory for pages, read and written, in bytes.
    pub cache: ByteCount,
}

impl RedbOptions {
    /// The same settings with this much memory for pages.
    pub const fn with_cache(mut self, cache: ByteCount) -> Self {
        self.cache = cache;
        self
    }

    pub(crate) fn cache_bytes(self) -> usize {
        usize::try_from(self.cache.0).unwrap_or(usize::MAX)
    }
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self { cache: ByteCount(256 * 1024 * 1024) }
    }
}
