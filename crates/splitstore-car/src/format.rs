//! Which of the archive forms was found.

/// Version of the CAR around the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Header and sections.
    V1,
    /// Pragma, header, an inner `CARv1`, perhaps an index.
    V2,
}

/// What lies around the CAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Nothing.
    None,
    /// zstd frames, one or many, skippable ones between or after them allowed.
    Zstd,
}

/// The form of an archive, told from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Version of the CAR.
    pub version: Version,
    /// Compression around it.
    pub compression: Compression,
}
