//! `tsm import`: line protocol through the cache into level-1 files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use segment_compaction::{NoObserver, SegmentId, Sequence};
use serde_json::json;
use tsm::layout::POINTS_PER_BLOCK;
use tsm::line::{FieldValue, ParsedLine, parse};
use tsm::{BlockType, Cache, CacheError, Points, Strings, Values, shown};
use xxhash_rust::xxh3::xxh3_128;

use crate::args::Import;
use crate::clock;
use crate::exit::Outcome;
use crate::folder::{Access, Folder, Opening};
use crate::output::Output;

/// What was taken in.
#[derive(Debug, Default)]
struct Taken {
    lines: u64,
    points: u64,
    files: Vec<SegmentId>,
}

pub(crate) fn run(import: &Import, output: Output) -> Result<Outcome> {
    std::fs::create_dir_all(&import.into).with_context(|| format!("make {}", import.into.display()))?;
    let opening = Opening {
        access: Access::Change,
        points_per_block: POINTS_PER_BLOCK,
        rate: 0,
        observer: Arc::new(NoObserver),
    };
    let folder = Folder::open(&import.into, opening)?;
    // A bad line must leave nothing behind: the whole text is looked at before anything is written.
    if import.file != Path::new("-") {
        check(import)?;
    }
    let cache = Cache::new(import.memory << 20);
    let mut taken = Taken::default();
    each_line(import, |line| take(&folder, &cache, &line, &mut taken))?;
    snapshot(&folder, &cache, &mut taken)?;
    let names: Vec<_> = taken.files.iter().map(ToString::to_string).collect();
    let text = format!("{} points of {} lines in {} files", taken.points, taken.lines, names.len());
    output.result(text, &json!({ "lines": taken.lines, "points": taken.points, "files": names }))?;
    Ok(Outcome::Done)
}

/// Every line, and that no key has two types. Keys are told apart by 128 bits of a hash.
fn check(import: &Import) -> Result<()> {
    let mut kinds: HashMap<u128, BlockType> = HashMap::new();
    each_line(import, |line| {
        for (key, value) in &line.fields {
            let kind = kind(value);
            let known = *kinds.entry(xxh3_128(key)).or_insert(kind);
            ensure!(known == kind, "key `{}` is of type {kind} here, but of type {known} before", shown(key));
        }
        Ok(())
    })
}

fn kind(value: &FieldValue) -> BlockType {
    match value {
        FieldValue::Float(_) => BlockType::Float,
        FieldValue::Integer(_) => BlockType::Integer,
        FieldValue::Boolean(_) => BlockType::Boolean,
        FieldValue::String(_) => BlockType::String,
        FieldValue::Unsigned(_) => BlockType::Unsigned,
    }
}

/// Reads all lines; an error names file and line.
fn each_line(import: &Import, mut take: impl FnMut(ParsedLine) -> Result<()>) -> Result<()> {
    let mut text: Box<dyn BufRead> = if import.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&import.file).with_context(|| format!("open {}", import.file.display()))?;
        Box::new(BufReader::with_capacity(1 << 20, file))
    };
    let (mut line, mut number) = (Vec::new(), 0_u64);
    let place = |number: u64| format!("{}, line {number}", import.file.display());
    loop {
        line.clear();
        number += 1;
        if read_line(&mut text, &mut line).with_context(|| format!("read {}", place(number)))? == 0 {
            return Ok(());
        }
        if let Some(parsed) = parse(&line).with_context(|| place(number))? {
            take(parsed).with_context(|| place(number))?;
        }
    }
}

/// One line; a line break inside a string belongs to the string.
fn read_line(text: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut read = 0;
    loop {
        let more = text.read_until(b'\n', line)?;
        read += more;
        if more == 0 || !in_string(line) {
            line.truncate(line.strip_suffix(b"\n").unwrap_or(line).len());
            return Ok(read);
        }
    }
}

/// Whether a string is open at the end.
fn in_string(line: &[u8]) -> bool {
    if line.first() == Some(&b'#') {
        return false;
    }
    // Before the fields a quote is a letter like others.
    let fields = fields_at(line);
    let (mut open, mut at) = (false, fields);
    while at < line.len() {
        match line[at] {
            b'\\' => at += 1,
            b'"' if open || at > 0 && line[at - 1] == b'=' => open = !open,
            _ => {}
        }
        at += 1;
    }
    open
}

/// Where the fields of a line begin: behind the first space that no backslash stands before.
fn fields_at(line: &[u8]) -> usize {
    let mut at = 0;
    while at < line.len() && line[at] != b' ' {
        at += if line[at] == b'\\' { 2 } else { 1 };
    }
    at
}

fn take(folder: &Folder, cache: &Cache, line: &ParsedLine, taken: &mut Taken) -> Result<()> {
    let time = line.time.map_or_else(now, Ok)?;
    taken.lines += 1;
    for (key, value) in &line.fields {
        match write(cache, key, time, value) {
            Err(CacheError::Full { .. }) if cache.keys() > 0 => {
                snapshot(folder, cache, taken)?;
                write(cache, key, time, value)?;
            }
            outcome => outcome?,
        }
        taken.points += 1;
    }
    Ok(())
}

fn write(cache: &Cache, key: &[u8], time: i64, value: &FieldValue) -> Result<(), CacheError> {
    let values = match value {
        FieldValue::Float(value) => Values::Float(vec![*value]),
        FieldValue::Integer(value) => Values::Integer(vec![*value]),
        FieldValue::Boolean(value) => Values::Boolean(vec![*value]),
        FieldValue::Unsigned(value) => Values::Unsigned(vec![*value]),
        FieldValue::String(value) => Values::String([value].into_iter().collect::<Strings>()),
    };
    cache.write(key, Points { times: &[time], values: values.slice(0..1) })
}

/// Everything in the cache into new files, durable when this returns.
fn snapshot(folder: &Folder, cache: &Cache, taken: &mut Taken) -> Result<()> {
    if cache.keys() == 0 {
        return Ok(());
    }
    let snapshot = cache.snapshot()?;
    for split in snapshot.splits(1) {
        let generation = folder.compactor.folder().next_generation()?;
        let lease = folder.lock.acquire_segments(&[SegmentId { generation, sequence: Sequence::FIRST }])?;
        taken.files.extend(folder.compactor.snapshot(split, &lease)?.outputs);
    }
    snapshot.clear();
    Ok(())
}

/// The time of a line that has none.
fn now() -> Result<i64> {
    let since = clock::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    match i64::try_from(since) {
        Ok(now) => Ok(now),
        Err(_) => bail!("the clock is beyond the year 2262"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_inside_a_string_belongs_to_it() {
        let mut text: &[u8] = b"m s=\"a\nb \\\" c\n\" 1\nm f=1 2\n# it's \"odd\nm f=2 3";
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            if read_line(&mut text, &mut line).unwrap() == 0 {
                break;
            }
            lines.push(String::from_utf8(line).unwrap());
        }
        assert_eq!(lines, ["m s=\"a\nb \\\" c\n\" 1", "m f=1 2", "# it's \"odd", "m f=2 3"]);
    }
}
