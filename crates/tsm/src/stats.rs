//! Statistics files (`.tss`): how many bytes of blocks each measurement has. 2.0 alpha only, and only a hint:
//! they can always be counted again from the file they lie beside.
//!
//! ```text
//!   "TSS1" | version u8 = 1 | crc32 u32 of all that follows | svarint n | { svarint length, name, svarint bytes } * n
//! ```
//! svarint is a zigzag LEB128. Names ascend.

use std::collections::BTreeMap;

use crate::Fault;
use crate::encoding::{put_varint, take_varint};

const MAGIC: &[u8; 4] = b"TSS1";
const VERSION: u8 = 1;

/// Bytes of blocks, checksums included, by measurement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    bytes: BTreeMap<Vec<u8>, u64>,
}

impl Stats {
    /// Counts a block of `key`.
    pub fn add(&mut self, key: &[u8], bytes: u64) {
        if let Some(total) = plain_measurement(key).and_then(|name| self.bytes.get_mut(name)) {
            *total += bytes;
        } else {
            *self.bytes.entry(measurement(key)).or_default() += bytes;
        }
    }

    /// Bytes of each measurement, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], u64)> {
        self.bytes.iter().map(|(name, bytes)| (name.as_slice(), *bytes))
    }

    /// The first measurement of which the two count different bytes: its name, bytes here, bytes there.
    pub fn difference<'s>(&'s self, other: &'s Self) -> Option<(&'s [u8], u64, u64)> {
        let names = self.bytes.keys().chain(other.bytes.keys());
        let both = |name: &Vec<u8>| [self, other].map(|stats| stats.bytes.get(name).copied().unwrap_or(0));
        let mut differing = names.map(|name| (name, both(name))).filter(|(_, [here, there])| here != there);
        differing.next().map(|(name, [here, there])| (name.as_slice(), here, there))
    }

    /// The bytes of a statistics file.
    pub fn encode(&self) -> Vec<u8> {
        let mut rows = Vec::new();
        put_svarint(self.bytes.len() as u64, &mut rows);
        for (name, bytes) in &self.bytes {
            put_svarint(name.len() as u64, &mut rows);
            rows.extend_from_slice(name);
            put_svarint(*bytes, &mut rows);
        }
        let mut out = [MAGIC.as_slice(), &[VERSION], &crc32fast::hash(&rows).to_be_bytes()].concat();
        out.append(&mut rows);
        out
    }

    /// Reads a statistics file. `InfluxDB` ignores the checksum; here it must be right.
    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let broken = |what| Fault::Stats { what };
        let rest = bytes.strip_prefix(MAGIC).ok_or(broken("it does not start with TSS1"))?;
        let (version, rest) = rest.split_first().ok_or(broken("the bytes end in the header"))?;
        if *version != VERSION {
            return Err(Fault::Version { found: *version });
        }
        let (crc, rows) = rest.split_first_chunk().ok_or(broken("the bytes end in the header"))?;
        let (stored, computed) = (u32::from_be_bytes(*crc), crc32fast::hash(rows));
        if stored != computed {
            return Err(broken("the checksum is wrong"));
        }
        rows_of(rows)
    }
}

fn rows_of(rows: &[u8]) -> Result<Stats, Fault> {
    let mut stats = Stats::default();
    let (count, mut rest) = take_svarint(rows)?;
    for _ in 0..count {
        let (len, after) = take_svarint(rest)?;
        let parts = usize::try_from(len).ok().and_then(|len| after.split_at_checked(len));
        let (name, after) = parts.ok_or(Fault::Stats { what: "the bytes end in a name" })?;
        let (bytes, after) = take_svarint(after)?;
        if stats.bytes.last_key_value().is_some_and(|(last, _)| last.as_slice() >= name) {
            return Err(Fault::Stats { what: "the names do not ascend" });
        }
        stats.bytes.insert(name.to_vec(), bytes);
        rest = after;
    }
    if rest.is_empty() { Ok(stats) } else { Err(Fault::Surplus { what: "statistics" }) }
}

/// The measurement of a key: up to the first comma or space that no backslash escapes, unescaped.
pub fn measurement(key: &[u8]) -> Vec<u8> {
    let mut name = Vec::new();
    let mut bytes = key.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b',' | b' ', _) => break,
            (b'\\', Some(escaped @ (b',' | b' ' | b'\\'))) => {
                name.push(*escaped);
                bytes.next();
            }
            _ => name.push(byte),
        }
    }
    name
}

/// The measurement where nothing is escaped, borrowed.
fn plain_measurement(key: &[u8]) -> Option<&[u8]> {
    let end = key.iter().position(|byte| matches!(byte, b',' | b' ' | b'\\')).unwrap_or(key.len());
    (key.get(end) != Some(&b'\\')).then_some(&key[..end])
}

/// Counts are never negative, so zigzag only doubles them.
fn put_svarint(value: u64, out: &mut Vec<u8>) {
    put_varint(value << 1, out);
}

fn take_svarint(bytes: &[u8]) -> Result<(u64, &[u8]), Fault> {
    let (value, rest) = take_varint(bytes, "a number of statistics")?;
    if value & 1 == 0 { Ok((value >> 1, rest)) } else { Err(Fault::Stats { what: "a number is negative" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_ends_at_the_first_comma_or_space_that_is_not_escaped() {
        for (key, name) in [
            (&b"cpu,host=A#!~#v"[..], &b"cpu"[..]),
            (b"a\\,b\\ c\\\\,t=1", b"a,b c\\"),
            (b"cpu value", b"cpu"),
            (b"only", b"only"),
            (b"end\\", b"end\\"),
            (b"", b""),
        ] {
            assert_eq!(measurement(key), name);
            assert!(plain_measurement(key).is_none_or(|plain| plain == name));
        }
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let mut stats = Stats::default();
        stats.add(b"cpu,a=b#!~#v", 7);
        stats.add(b"cpu,a=c#!~#v", 8);
        stats.add(b"mem,a=c#!~#v", 300);
        let bytes = stats.encode();
        assert_eq!(Stats::decode(&bytes), Ok(stats.clone()));
        assert_eq!(stats.iter().collect::<Vec<_>>(), [(&b"cpu"[..], 15), (b"mem", 300)]);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Stats::decode(&damaged).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(Stats::decode(&bytes[..len]).is_err(), "{len} bytes");
        }
    }
}
