//! `tsm delete`: tombstones for the files that hold what goes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Result;
use serde_json::json;
use tsm::{Limits, Tombstone, TsmReader, tombstone};

use crate::args::Delete;
use crate::exit::Outcome;
use crate::folder::exclusive;
use crate::output::Output;
use crate::paths::{same_folder, tsm_files};

pub(crate) fn run(delete: &Delete, output: Output) -> Result<Outcome> {
    let range = delete.times.range();
    anyhow::ensure!(!range.is_empty(), "--start comes after --end");
    let keys: Vec<Vec<u8>> = delete.keys.iter().map(|key| unescaped(key)).collect();
    let (mut rows, mut locks) = (Vec::new(), BTreeMap::new());
    for file in tsm_files(&delete.paths)? {
        // A compaction that began before would lose the delete with the file that it removes.
        let folder = same_folder(std::slice::from_ref(&file))?;
        if let Entry::Vacant(vacant) = locks.entry(folder) {
            let lock = exclusive(vacant.key())?;
            vacant.insert(lock);
        }
        let reader = TsmReader::open(&file)?;
        let mut tombstones = Vec::new();
        for key in &keys {
            let record = reader.find(key)?;
            let holds =
                record.is_some_and(|record| record.entries.iter().any(|entry| entry.times.overlaps(range)));
            if holds {
                tombstones.push(Tombstone::new(key, range));
            }
        }
        if !tombstones.is_empty() {
            tombstone::add(&file, &tombstones, Limits::default())?;
            rows.push(json!({ "file": file.display().to_string(), "keys": tombstones.len() }));
        }
    }
    let text = match rows.len() {
        0 => "no file holds any of that".to_string(),
        count => format!("{count} files have tombstones for it now"),
    };
    output.result(text, &json!({ "files": rows }))?;
    Ok(Outcome::Done)
}

/// A key as `dump` shows it, as bytes. A backslash that begins no escape is one of the key's own.
fn unescaped(shown: &str) -> Vec<u8> {
    let (text, mut out, mut at) = (shown.as_bytes(), Vec::new(), 0);
    while at < text.len() {
        let (byte, len) = match &text[at..] {
            [b'\\', b'\\', ..] => (b'\\', 2),
            [b'\\', b'"', ..] => (b'"', 2),
            [b'\\', b'\'', ..] => (b'\'', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex(*high) << 4 | hex(*low), 4)
            }
            rest => (rest[0], 1),
        };
        out.push(byte);
        at += len;
    }
    out
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_as_it_is_shown_and_as_it_is() {
        for key in
            [&b"m#!~#f"[..], b"m\\ x,t=a\\,b#!~#f", b"\x05\xf6\x00\"',\n#!~#f", "m\u{e9}#!~#f".as_bytes()]
        {
            assert_eq!(unescaped(&key.escape_ascii().to_string()), key);
        }
        assert_eq!(unescaped("m\\ x,t=a\\,b#!~#f"), b"m\\ x,t=a\\,b#!~#f");
    }
}
