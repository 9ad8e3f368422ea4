//! A second reader, in Python and by itself (`fixtures/tsm_reader.py`), reads the same. Run where there is a
//! `python3`; in CI there must be one.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use tsm::{
    BlockType, Column, IndexSeal, Limits, Strings, TimeRange, Tombstone, Tombstones, TsmReader, Values,
};
use tsm::{WriterOptions, tombstone};

use crate::data;
use crate::sample::{Content, column, content, file, file_with, ramp};

/// What the other reader prints; `None` (said on the terminal) where there is no Python.
fn printed(path: &Path) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tsm_reader.py");
    let Ok(output) = Command::new("python3").arg(script).arg(path).output() else {
        assert!(!std::env::var("CI").is_ok_and(|value| value == "true"), "no python3 in CI");
        println!("skipped: no python3");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// The same lines, from what ours reads.
fn expected(content: &Content, deleted: &Tombstones) -> String {
    let mut out = String::new();
    for (key, blocks) in content {
        let ranges = deleted.ranges(key);
        for block in blocks {
            let mut block = block.clone();
            for range in &ranges {
                block.remove_times(*range);
            }
            lines(key, &block, &mut out);
        }
    }
    out
}

fn lines(key: &[u8], block: &Column, out: &mut String) {
    let key = hex(key);
    for (at, time) in block.times().iter().enumerate() {
        let value = match block.values() {
            Values::Float(all) => format!("{:016x}", all[at].to_bits()),
            Values::Integer(all) => all[at].to_string(),
            Values::Unsigned(all) => all[at].to_string(),
            Values::Boolean(all) => all[at].to_string(),
            Values::String(all) => hex(all.get(at)),
        };
        writeln!(out, "{key} {} {time} {value}", block.kind()).unwrap();
    }
}

fn check(bytes: &[u8], deletes: &[Tombstone]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("000000001-000000001.tsm");
    fs::write(&path, bytes).unwrap();
    if !deletes.is_empty() {
        tombstone::add(&path, deletes, Limits::default()).unwrap();
    }
    let Some(printed) = printed(&path) else { return };
    let deleted = Tombstones::load(&path, Limits::default()).unwrap();
    let ours = content(&TsmReader::open(&path).unwrap());
    assert!(printed == expected(&ours, &deleted));
}

/// Every type in every encoding: raw, packed and run-length.
fn of_every_encoding() -> Content {
    let mut all: Content = BlockType::ALL
        .into_iter()
        .map(|kind| {
            (format!("ramp#!~#{kind}").into_bytes(), vec![ramp(kind, -7, 1000), ramp(kind, 1 << 60, 1)])
        })
        .collect();
    let times: Vec<i64> = (0..300).map(|at| at * at * 1000).collect();
    let far = [i64::MIN, -1, i64::MAX];
    let words = |at: usize| ["", "caf\u{e9}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\0"][at % 4];
    for (name, column) in [
        ("float", column(&times, Values::Float((0..300).map(|at| f64::from(at).sqrt()).collect()))),
        ("infinite", column(&far, Values::Float(vec![f64::INFINITY, -0.0, f64::NEG_INFINITY]))),
        (
            "integer",
            column(&times, Values::Integer(times.iter().map(|time| time.wrapping_mul(977)).collect())),
        ),
        ("minus", column(&times, Values::Integer((0..300).map(|at| -at).collect()))),
        ("raw", column(&far, Values::Integer(vec![i64::MAX, i64::MIN, 5]))),
        ("string", column(&times, Values::String((0..300).map(words).collect::<Strings>()))),
        ("unsigned", column(&far, Values::Unsigned(vec![0, u64::MAX, 1 << 63]))),
    ] {
        all.insert(format!("other#!~#{name}").into_bytes(), vec![column]);
    }
    all
}

#[test]
fn python_reads_what_we_write() {
    check(&file(&of_every_encoding()), &[]);
    check(
        &file_with(&of_every_encoding(), WriterOptions { seal: IndexSeal::Crc, ..WriterOptions::default() }),
        &[],
    );
}

#[test]
fn python_applies_the_same_tombstones() {
    let deletes = [
        Tombstone::new(b"ramp#!~#float", TimeRange::new(0, 9_000_000_000)),
        Tombstone::new(b"other#!~#minus", TimeRange::new(1000, 4000)),
        Tombstone::new(b"other#!~#raw", TimeRange::ALL),
        Tombstone { scope: tombstone::Scope::Prefix, ..Tombstone::new(b"ramp", TimeRange::new(-7, -7)) },
    ];
    check(&file(&of_every_encoding()), &deletes);
}

#[test]
fn python_reads_the_same_of_real_files() {
    for name in data::REAL {
        let Some(bytes) = data::real(name) else { return };
        check(&bytes, &[]);
    }
}
