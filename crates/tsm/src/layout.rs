//! Where the bytes of a TSM file are.
//!
//! ```text
//!   0            5                                    index_at                        len-8        len
//!   +-------+----+---------------------------------- -+------------------------------+------------+
//!   | magic | v. | blocks, back to back               | index records, keys ascending| index_at   |
//!   | u32   | u8 | { crc32 u32, block } * n            | { key, kind, entries } * k   | u64        |
//!   +-------+----+-------------------------------------+------------------------------+------------+
//!
//!   block                                              index record
//!   +------+---------+---------------+---------+      +---------+-----+------+-------+------------+
//!   | kind | uvarint | timestamp     | value   |      | key len | key | kind | count | entry      |
//!   | u8   | length  | section       | section |      | u16     |     | u8   | u16   | 28 * count |
//!   +------+---------+---------------+---------+      +---------+-----+------+-------+------------+
//!
//!   entry:  min time i64 | max time i64 | offset i64 | size u32      (offset of the crc; size includes it)
//! ```
//! Integers are big-endian: the format is `InfluxDB`'s, unlike every other file in this workspace.
//! The CRC-32 (IEEE) covers the block only. Nothing covers the index: see `verify.rs` for what that means.

/// The first four bytes of a TSM file.
pub const MAGIC: u32 = 0x16D1_16D1;
/// The one version there is.
pub const VERSION: u8 = 1;
/// Bytes before the first block: magic and version.
pub const HEADER_LEN: u64 = 5;
/// Bytes after the index: where it starts.
pub const FOOTER_LEN: u64 = 8;
/// Bytes of the checksum before each block.
pub const CRC_LEN: usize = 4;
/// Bytes of one index entry.
pub const ENTRY_LEN: usize = 3 * size_of::<u64>() + size_of::<u32>();
/// Bytes of an index record beside its key and entries: key length, kind, count.
pub const RECORD_LEN: usize = 2 * size_of::<u16>() + size_of::<u8>();
/// The longest key: its length is a `u16`.
pub const KEY_LEN_MAX: usize = u16::MAX as usize;
/// The most blocks of one key in one file: their count is a `u16`.
pub const BLOCKS_PER_KEY_MAX: usize = u16::MAX as usize;
/// `InfluxDB` starts a new file when one has grown beyond this: 2 GiB.
pub const FILE_LEN_MAX: u64 = 1 << 31;
/// Points in a block, unless told otherwise.
pub const POINTS_PER_BLOCK: usize = 1000;
/// What parts the series from the field in a key.
pub const FIELD_SEPARATOR: &[u8] = b"#!~#";

/// Offsets inside an index entry.
pub(crate) mod entry {
    pub(crate) const MIN: usize = 0;
    pub(crate) const MAX: usize = MIN + size_of::<i64>();
    pub(crate) const OFFSET: usize = MAX + size_of::<i64>();
    pub(crate) const SIZE: usize = OFFSET + size_of::<i64>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_entry_fill_it() {
        assert_eq!((entry::MAX, entry::OFFSET, entry::SIZE, entry::SIZE + 4), (8, 16, 24, ENTRY_LEN));
        assert_eq!((HEADER_LEN, FOOTER_LEN, RECORD_LEN), (5, 8, 5));
    }
}
