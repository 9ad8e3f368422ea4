//! A second reader, in Python and by itself (`fixtures/tsm_reader.py`), reads the same. Run where there is a
//! `python3`; in CI there must be one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use tsm::{
    BlockType, Column, IndexSeal, Limits, Strings, TimeRange, Tombstone, Tombstones, TsmReader, Values,
};
use tsm::{Merge, MergeInput, MergeMode, MergeOptions, TsmWriter, WriterOptions, tombstone};

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

/// The file that a merge of these makes.
fn merged(files: &[Vec<u8>], mode: MergeMode, points_per_block: usize) -> Vec<u8> {
    let input = |bytes: &Vec<u8>| MergeInput {
        reader: data::open("input.tsm", bytes.clone()),
        deletions: Tombstones::default(),
    };
    let options = MergeOptions { mode, points_per_block, ..MergeOptions::default() };
    let mut merge = Merge::new(files.iter().map(input), options).unwrap();
    let mut writer = TsmWriter::new(Vec::new(), "merged.tsm", WriterOptions::default());
    while let Some(block) = merge.next_block().unwrap() {
        let _ = writer.write_block(block.key, block.times, block.block).unwrap();
    }
    writer.finish().unwrap().unwrap().sink
}

/// What the other reader prints of a file, in order of its lines.
fn sorted_lines(bytes: &[u8]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("000000001-000000001.tsm");
    fs::write(&path, bytes).unwrap();
    let mut lines: Vec<String> = printed(&path)?.lines().map(String::from).collect();
    lines.sort();
    Some(lines)
}

#[test]
fn python_reads_of_a_merge_what_it_reads_of_its_inputs() {
    let (Some(a), Some(b)) = (data::real("merge_a.tsm"), data::real("merge_b.tsm")) else { return };
    // The two have no time in common.
    let (Some(mut expected), Some(more)) = (sorted_lines(&a), sorted_lines(&b)) else { return };
    expected.extend(more);
    expected.sort();
    let files = [a, b];
    for (mode, size) in [(MergeMode::Full, 1000), (MergeMode::Fast, 1000), (MergeMode::Full, 3)] {
        assert!(sorted_lines(&merged(&files, mode, size)) == Some(expected.clone()), "{mode:?} {size}");
    }
}

#[test]
fn python_reads_the_newest_value_of_an_overwritten_real_file() {
    let Some(old) = data::real("000000000000005-000000002.tsm") else { return };
    let reader = data::open("old.tsm", old.clone());
    let mut newer = Content::new();
    for (key, blocks) in content(&reader).into_iter().step_by(9) {
        let block = &blocks[0];
        let again = block.times().iter().step_by(4).copied().collect::<Vec<_>>();
        if let Values::Float(values) = block.values() {
            let values = values.iter().step_by(4).map(|value| value + 1.0).collect();
            newer.insert(key, vec![column(&again, Values::Float(values))]);
        }
    }
    let newer = file(&newer);
    let (Some(old_lines), Some(new_lines)) = (sorted_lines(&old), sorted_lines(&newer)) else { return };
    // A line is key, type, time, value: the newer one takes the place of that with the same key and time.
    let place = |line: &str| line.rsplit_once(' ').unwrap().0.to_string();
    let mut expected: BTreeMap<String, String> =
        old_lines.into_iter().map(|line| (place(&line), line)).collect();
    expected.extend(new_lines.into_iter().map(|line| (place(&line), line)));
    let mut expected: Vec<String> = expected.into_values().collect();
    expected.sort();
    assert!(sorted_lines(&merged(&[old, newer], MergeMode::Full, 1000)) == Some(expected));
}
