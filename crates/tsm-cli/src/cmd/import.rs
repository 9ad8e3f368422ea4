//! `tsm import`: line protocol through the cache into level-1 files.
//!
//! ```text
//!   text -> looked at whole -> again, line by line -> cache --full--> snapshot: one file for each split
//! ```

mod snapshot;
mod source;

use std::collections::HashMap;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use segment_compaction::SegmentId;
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
use snapshot::Snapshots;
use source::Text;

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
        rate: import.rate,
        seal: import.seal.seal(),
        observer: std::sync::Arc::new(segment_compaction::NoObserver),
    };
    let folder = Folder::open(&import.into, opening)?;
    let mut text = Text::open(import, output)?;
    // A bad line must leave nothing behind: the whole text is looked at before anything is written.
    if !import.unchecked {
        check(&mut text)?;
        text.rewind()?;
    }
    let mut taken = Taken::default();
    let outcome = take_all(&folder, import, &mut text, &mut taken);
    let written: Vec<_> = taken.files.iter().map(ToString::to_string).collect();
    outcome.with_context(|| match written.as_slice() {
        [] => "nothing was written".to_string(),
        some => format!("these files were written before, and stay: {}", some.join(", ")),
    })?;
    let said = format!("{} points of {} lines in {} files", taken.points, taken.lines, written.len());
    output.result(said, &json!({ "lines": taken.lines, "points": taken.points, "files": written }))?;
    Ok(Outcome::Done)
}

fn take_all(folder: &Folder, import: &Import, text: &mut Text, taken: &mut Taken) -> Result<()> {
    let cache = Cache::new(import.memory << 20);
    let mut snapshots = Snapshots::new(folder);
    text.each_line("import", |line| {
        let time = line.time.map_or_else(now, Ok)?;
        taken.lines += 1;
        for (key, value) in &line.fields {
            match write(&cache, key, time, value) {
                Err(CacheError::Full { .. }) if cache.keys() > 0 => {
                    snapshots.take(&cache, &mut taken.files)?;
                    write(&cache, key, time, value)?;
                }
                outcome => outcome?,
            }
            taken.points += 1;
        }
        Ok(())
    })?;
    snapshots.take(&cache, &mut taken.files)
}

/// Every line, and that no key has two types. Keys are told apart by 128 bits of a hash.
fn check(text: &mut Text) -> Result<()> {
    let mut kinds: HashMap<u128, BlockType> = HashMap::new();
    text.each_line("check", |line| {
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

/// A line as points; `None` where it says nothing.
fn parsed(line: &[u8]) -> Result<Option<ParsedLine>> {
    Ok(parse(line)?)
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

/// The time of a line that has none.
fn now() -> Result<i64> {
    let since = clock::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    match i64::try_from(since) {
        Ok(now) => Ok(now),
        Err(_) => bail!("the clock is beyond the year 2262"),
    }
}
