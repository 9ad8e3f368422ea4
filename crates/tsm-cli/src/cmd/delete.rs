//! `tsm delete`: tombstones for the files that hold what goes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use tsm::{Limits, TimeRange, Tombstone, TsmReader, shown, tombstone};

use crate::args::Delete;
use crate::exit::Outcome;
use crate::folder::exclusive;
use crate::output::Output;
use crate::paths::{same_folder, tsm_files};
use crate::text::unescaped;

/// Keys that a message lists.
const LISTED: usize = 20;

pub(crate) fn run(delete: &Delete, output: Output) -> Result<Outcome> {
    let range = delete.times.range()?;
    let keys: Vec<Vec<u8>> = delete.keys.iter().map(|key| unescaped(key)).collect();
    let (mut text, mut rows, mut locks) = (String::new(), Vec::new(), BTreeMap::new());
    let mut damage = delete.damage.damage();
    for file in tsm_files(&delete.paths)? {
        // A compaction that began before would lose the delete with the file that it removes.
        let folder = same_folder(std::slice::from_ref(&file))?;
        if let Entry::Vacant(vacant) = locks.entry(folder) {
            let lock = exclusive(vacant.key())?;
            vacant.insert(lock);
        }
        let held = held(&file, &keys, &delete.patterns, range).and_then(|held| {
            let tombstones: Vec<_> = held.iter().map(|key| Tombstone::new(key, range)).collect();
            if !delete.dry_run && !tombstones.is_empty() {
                tombstone::add(&file, &tombstones, Limits::default())?;
            }
            Ok(held)
        });
        let held = damage.pass(held.with_context(|| format!("delete from {}", file.display())))?;
        let Some(held) = held.filter(|held| !held.is_empty()) else { continue };
        describe(&mut text, &file, &held)?;
        let names: Vec<_> = held.iter().map(|key| key.escape_ascii().to_string()).collect();
        rows.push(json!({ "file": file.display().to_string(), "keys": held.len(), "names": names }));
    }
    match (rows.len(), delete.dry_run) {
        (0, _) => writeln!(text, "no file holds any of that")?,
        (count, true) => writeln!(text, "{count} files would get tombstones for it")?,
        (count, false) => writeln!(text, "{count} files have tombstones for it now")?,
    }
    let dry_run = delete.dry_run;
    output.result(text, &json!({ "files": rows, "dry_run": dry_run, "damaged": damage.said() }))?;
    Ok(damage.outcome())
}

/// The keys of a file that are meant and have blocks in the range.
fn held(file: &Path, keys: &[Vec<u8>], patterns: &[glob::Pattern], range: TimeRange) -> Result<Vec<Vec<u8>>> {
    let reader = TsmReader::open(file)?;
    let mut held = Vec::new();
    if patterns.is_empty() {
        for key in keys {
            let record = reader.find(key)?;
            let overlaps =
                |record: tsm::Record| record.entries.iter().any(|entry| entry.times.overlaps(range));
            if record.is_some_and(overlaps) {
                held.push(key.clone());
            }
        }
        return Ok(held);
    }
    let mut cursor = reader.cursor();
    while cursor.advance()? {
        let key = cursor.key();
        let shown = key.escape_ascii().to_string();
        let meant =
            patterns.iter().any(|pattern| pattern.matches(&shown)) || keys.iter().any(|one| one == key);
        if meant && cursor.entries().iter().any(|entry| entry.times.overlaps(range)) {
            held.push(key.to_vec());
        }
    }
    Ok(held)
}

fn describe(text: &mut String, file: &Path, keys: &[Vec<u8>]) -> Result<()> {
    writeln!(text, "{}: {} keys", file.display(), keys.len())?;
    for key in keys.iter().take(LISTED) {
        writeln!(text, "  {}", shown(key))?;
    }
    if keys.len() > LISTED {
        writeln!(text, "  and {} more", keys.len() - LISTED)?;
    }
    Ok(())
}
