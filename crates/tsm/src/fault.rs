//! What can be wrong with the bytes of a file.

use std::sync::Arc;

use thiserror::Error;

use crate::BlockType;

/// Bytes that are not what the format says. The place is added by who knows it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes end too early.
    #[error("the bytes end inside {what}")]
    Truncated {
        /// What they end in.
        what: &'static str,
    },
    /// Bytes follow where nothing should.
    #[error("bytes follow after the end of {what}")]
    Surplus {
        /// What has ended.
        what: &'static str,
    },
    /// A length or count is no varint of at most 64 bits.
    #[error("{what} is not a varint")]
    Varint {
        /// What was read.
        what: &'static str,
    },
    /// The first byte of a section names no encoding of its type.
    #[error("{what}: no encoding has the byte 0x{byte:02x}")]
    UnknownEncoding {
        /// The section.
        what: &'static str,
        /// Its first byte.
        byte: u8,
    },
    /// No type of block has that number.
    #[error("no block type has the number {byte}")]
    UnknownType {
        /// The number.
        byte: u8,
    },
    /// Index and block disagree about the type.
    #[error("the block is of type {block}, the index says {index}")]
    TypeMismatch {
        /// What the index says.
        index: BlockType,
        /// What the block says.
        block: BlockType,
    },
    /// A key has one type in this file and another in a file that is to be merged with it: no file can hold both.
    #[error("the key is of type {kind} here, but of type {other} in {file}")]
    TypeConflict {
        /// Its type here.
        kind: BlockType,
        /// Its type there.
        other: BlockType,
        /// The other file.
        file: Arc<str>,
    },
    /// A block without points.
    #[error("the block holds no points")]
    NoPoints,
    /// Not as many values as timestamps.
    #[error("{times} timestamps, but {values} values")]
    CountMismatch {
        /// Timestamps.
        times: usize,
        /// Values, as far as they were counted.
        values: u64,
    },
    /// More than the caller allows.
    #[error("{found} {what}, more than the limit of {limit}")]
    OverLimit {
        /// What is too many, in the plural.
        what: &'static str,
        /// How many are claimed.
        found: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// A float uses a window of bits that cannot be.
    #[error("float {index} uses a window of bits that cannot be")]
    Window {
        /// Which float.
        index: usize,
    },
    /// Strings are not what snappy says.
    #[error("strings: {0}")]
    Snappy(#[from] snap::Error),
    /// The checksum of a block is wrong.
    #[error("the checksum of the block is {computed:08x}, not {stored:08x} as stored")]
    Checksum {
        /// In the file.
        stored: u32,
        /// Of the bytes.
        computed: u32,
    },
    /// Not a TSM file.
    #[error("it starts with {found:08x}: not a TSM file")]
    Magic {
        /// The first four bytes.
        found: u32,
    },
    /// A version that is not known.
    #[error("version {found} is not known")]
    Version {
        /// The version.
        found: u8,
    },
    /// Too short for header and footer.
    #[error("{len} bytes are too few for a TSM file")]
    TooShort {
        /// Its length.
        len: u64,
    },
    /// The footer points outside of the file.
    #[error("the footer says that the index starts at {found}")]
    IndexStart {
        /// Where.
        found: u64,
    },
    /// Keys of the index do not ascend.
    #[error("the key does not come after the key before, `{previous}`")]
    KeyOrder {
        /// The key before, escaped.
        previous: String,
    },
    /// A key without blocks.
    #[error("the key has no blocks")]
    NoEntries,
    /// An entry whose times are the wrong way round.
    #[error("an entry from {min} to {max}")]
    EntryTimes {
        /// Its first time.
        min: i64,
        /// Its last time.
        max: i64,
    },
    /// An entry that points outside of the blocks.
    #[error("an entry says that a block of {size} bytes is at {offset}")]
    EntryPlace {
        /// Where.
        offset: i64,
        /// Its size.
        size: u32,
    },
    /// Entries of a key are not in the order of their times.
    #[error("the block starts at {min}, before the one listed before it, at {previous}")]
    EntryOrder {
        /// Start of the block.
        min: i64,
        /// Start of the block before.
        previous: i64,
    },
    /// Blocks of a key overlap in time.
    #[error("the block starts at {min}, but one before it ends at {previous}")]
    Overlap {
        /// Start of the block.
        min: i64,
        /// Latest end of the blocks before.
        previous: i64,
    },
    /// Timestamps in a block do not ascend.
    #[error("timestamp {index} of the block does not come after the one before")]
    TimeOrder {
        /// Which timestamp.
        index: usize,
    },
    /// The index does not say which times a block holds.
    #[error("the index says times {index_min} to {index_max}, the block holds {min} to {max}")]
    IndexTimes {
        /// First time in the index.
        index_min: i64,
        /// Last time in the index.
        index_max: i64,
        /// First time decoded.
        min: i64,
        /// Last time decoded.
        max: i64,
    },
    /// Bytes between the header and the index that no entry names.
    #[error("{bytes} bytes belong to no block")]
    Unclaimed {
        /// How many.
        bytes: u64,
    },
    /// Two entries name the same bytes.
    #[error("another entry names some of the {size} bytes of the block too")]
    Shared {
        /// Bytes of the block.
        size: u32,
    },
    /// The checksum of a sealed index is wrong.
    #[error("the checksum of the index is {computed:08x}, not {stored:08x} as stored")]
    IndexChecksum {
        /// In the file.
        stored: u32,
        /// Of the bytes.
        computed: u32,
    },
    /// Bytes of the index that make no record.
    #[error("no record of the index stands here")]
    Record,
    /// A record of the index with one wrong field, which what stands around it tells.
    #[error("{what} is wrong in the index")]
    RecordField {
        /// Which field.
        what: &'static str,
    },
    /// A whole block that no record of the index names.
    #[error("a block that no key names")]
    Keyless,
    /// A key that is not of the form that `InfluxDB` writes, in a file where most are.
    #[error("the key is not one that InfluxDB writes: {what}")]
    KeyForm {
        /// What no key of `InfluxDB` has.
        what: &'static str,
    },
    /// The statistics beside a file count other bytes than its index.
    #[error("statistics: {said} bytes of measurement `{measurement}`, the index has {found}")]
    StatsMismatch {
        /// The measurement, escaped.
        measurement: String,
        /// Bytes in the statistics.
        said: u64,
        /// Bytes in the index.
        found: u64,
    },
    /// A tombstone file that is not one.
    #[error("tombstone: {what}")]
    Tombstone {
        /// What is wrong.
        what: &'static str,
    },
    /// gzip in a tombstone file is damaged.
    #[error("tombstone: gzip: {0}")]
    Gzip(String),
    /// A statistics file that is not one.
    #[error("statistics: {what}")]
    Stats {
        /// What is wrong.
        what: &'static str,
    },
}
