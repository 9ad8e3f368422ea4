//! Why something cannot be written: it does not fit the format.

use thiserror::Error;

use crate::BlockType;

/// What a writer or an encoder refuses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The length of a key is a `u16`.
    #[error("the key has {len} bytes, more than 65535")]
    KeyTooLong {
        /// Its length.
        len: usize,
    },
    /// Keys come in ascending order.
    #[error("the key comes after `{previous}`, which is greater")]
    KeyOrder {
        /// The key before, escaped.
        previous: String,
    },
    /// The count of blocks is a `u16`.
    #[error("the key has 65535 blocks in this file already")]
    TooManyBlocks,
    /// All blocks of a key have one type.
    #[error("a block of type {block} under a key of type {key}")]
    MixedTypes {
        /// The type of the blocks before.
        key: BlockType,
        /// The type of this block.
        block: BlockType,
    },
    /// Blocks of a key ascend and do not overlap.
    #[error("a block that starts at {min} after one that ends at {previous}")]
    BlockOrder {
        /// Start of this block.
        min: i64,
        /// End of the block before.
        previous: i64,
    },
    /// A block's times are the wrong way round.
    #[error("a block from {min} to {max}")]
    TimesReversed {
        /// Its first time.
        min: i64,
        /// Its last time.
        max: i64,
    },
    /// A block without points.
    #[error("a block without points")]
    NoPoints,
    /// A block whose bytes do not even name a type.
    #[error("bytes that are no block")]
    NotABlock,
    /// A block is larger than an entry can say.
    #[error("a block of {bytes} bytes, more than 4294967291")]
    BlockTooLarge {
        /// Its length without the checksum.
        bytes: usize,
    },
    /// There must be as many values as timestamps.
    #[error("{times} timestamps but {values} values")]
    CountMismatch {
        /// Timestamps.
        times: usize,
        /// Values.
        values: usize,
    },
    /// The format has no NaN: one of its patterns ends a block.
    #[error("value {index} is a NaN (bits {bits:016x})")]
    Nan {
        /// Which value.
        index: usize,
        /// Its bits.
        bits: u64,
    },
    /// A block's strings together are too large for snappy.
    #[error("strings of {bytes} bytes in one block, more than {limit}")]
    StringsTooLarge {
        /// Their size with lengths.
        bytes: u64,
        /// What snappy takes.
        limit: u64,
    },
}
