//! `tsm report`: what a folder holds, file by file and together.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use serde_json::{Value, json};
use tsm::name::FileName;
use tsm::{Limits, TimeRange, Tombstones, TsmReader};

use crate::args::Report;
use crate::damage::Damage;
use crate::exit::Outcome;
use crate::output::{Output, bytes};
use crate::paths::tsm_files;
use crate::progress;

/// Highest level there is.
const LEVELS: u32 = 4;

/// Points of a full block.
const FULL: u64 = tsm::layout::POINTS_PER_BLOCK as u64;

/// One file, or all of them.
#[derive(Debug, Clone, Default)]
struct Row {
    name: String,
    level: Option<u32>,
    bytes: u64,
    index_bytes: u64,
    keys: u64,
    blocks: u64,
    full: u64,
    points: u64,
    /// Points under a tombstone.
    deleted: u64,
    /// Blocks that overlap a block of the same key in an older file.
    overlapping: u64,
}

pub(crate) fn run(report: &Report, output: Output) -> Result<Outcome> {
    let files = tsm_files(&report.files.paths)?;
    let mut damage = report.damage.damage();
    let rows = rows(&files, &mut damage, output)?;
    let all = rows.iter().fold(Row { name: "all".into(), ..Row::default() }, Row::add);
    let json = json!({
        "files": rows.iter().map(Row::json).collect::<Vec<_>>(),
        "all": all.json(),
        "levels": levels(&rows),
        "damaged": damage.said(),
    });
    let mut text = table(&rows, &all)?;
    if !damage.said().is_empty() {
        writeln!(text, "not counted: {} damaged files, see `tsm verify`", damage.said().len())?;
    }
    output.result(text, &json)?;
    Ok(damage.outcome())
}

/// A row for each file that is whole.
fn rows(files: &[PathBuf], damage: &mut Damage, output: Output) -> Result<Vec<Row>> {
    let mut readers = Vec::new();
    for file in files {
        let opened = TsmReader::open(file).map_err(Error::from);
        readers.extend(damage.pass(opened)?.map(|reader| (file, reader)));
    }
    let bar = progress::bar(output, readers.iter().map(|(_, reader)| reader.summary().file_bytes).sum());
    let (mut rows, mut older) = (Vec::new(), Vec::new());
    for (file, reader) in readers {
        bar.set_message(file.display().to_string());
        rows.extend(damage.pass(Row::of(file, &reader, &older))?);
        bar.inc(reader.summary().file_bytes);
        older.push(reader);
    }
    bar.finish_and_clear();
    Ok(rows)
}

impl Row {
    fn of(file: &Path, reader: &TsmReader, older: &[TsmReader]) -> Result<Self> {
        let summary = reader.summary();
        let mut row = Self {
            name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            level: FileName::parse(file).ok().map(|name| name.sequence.clamp(1, LEVELS)),
            bytes: summary.file_bytes,
            index_bytes: summary.index_bytes,
            keys: summary.keys,
            ..Self::default()
        };
        row.read(reader, older, &Tombstones::load(file, Limits::default())?)?;
        Ok(row)
    }

    fn read(&mut self, reader: &TsmReader, older: &[TsmReader], deleted: &Tombstones) -> Result<()> {
        let (mut cursor, mut buffer, mut times) = (reader.cursor(), Vec::new(), Vec::new());
        while cursor.advance()? {
            let before = spans(older, cursor.key())?;
            let ranges = deleted.ranges(cursor.key());
            for entry in cursor.entries() {
                let block = reader.read_block(cursor.key(), cursor.kind()?, entry, &mut buffer)?.parse()?;
                let points = block.count()?;
                self.blocks += 1;
                self.full += u64::from(points >= FULL);
                self.points += points;
                self.overlapping += u64::from(before.iter().any(|span| span.overlaps(entry.times)));
                if ranges.iter().any(|range| range.overlaps(entry.times)) {
                    times.clear();
                    tsm::encoding::timestamps::decode(block.times, reader.limits().points, &mut times)?;
                    let gone = times.iter().filter(|time| ranges.iter().any(|range| range.contains(**time)));
                    self.deleted += gone.count() as u64;
                }
            }
        }
        Ok(())
    }

    fn add(mut self, other: &Self) -> Self {
        self.bytes += other.bytes;
        self.index_bytes += other.index_bytes;
        self.keys += other.keys;
        self.blocks += other.blocks;
        self.full += other.full;
        self.points += other.points;
        self.deleted += other.deleted;
        self.overlapping += other.overlapping;
        self
    }

    fn per_point(&self) -> f64 {
        self.bytes as f64 / self.points.max(1) as f64
    }

    fn fill(&self) -> f64 {
        self.points as f64 / self.blocks.max(1) as f64
    }

    fn json(&self) -> Value {
        json!({
            "file": self.name,
            "level": self.level,
            "bytes": self.bytes,
            "index_bytes": self.index_bytes,
            "keys": self.keys,
            "blocks": self.blocks,
            "full_blocks": self.full,
            "points": self.points,
            "bytes_per_point": self.per_point(),
            "points_per_block": self.fill(),
            "deleted_points": self.deleted,
            "overlapping_blocks": self.overlapping,
        })
    }
}

/// Times of a key's blocks in these files.
fn spans(files: &[TsmReader], key: &[u8]) -> Result<Vec<TimeRange>> {
    let mut spans = Vec::new();
    for file in files {
        spans
            .extend(file.find(key)?.iter().flat_map(|record| record.entries.iter().map(|entry| entry.times)));
    }
    Ok(spans)
}

fn levels(rows: &[Row]) -> Value {
    let level = |level| {
        let (files, bytes) = rows
            .iter()
            .filter(|row| row.level == Some(level))
            .fold((0_u64, 0), |(files, bytes), row| (files + 1, bytes + row.bytes));
        json!({ "level": level, "files": files, "bytes": bytes })
    };
    (1..=LEVELS).map(level).collect()
}

fn table(rows: &[Row], all: &Row) -> Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "{:<34} {:>5} {:>11} {:>8} {:>8} {:>11} {:>7} {:>6} {:>6} {:>8}",
        "file", "level", "size", "keys", "blocks", "points", "B/point", "fill", "over", "deleted"
    )?;
    for row in rows.iter().chain([all]) {
        let share = |part: u64, whole: u64| format!("{:.0} %", 100.0 * part as f64 / whole.max(1) as f64);
        writeln!(
            text,
            "{:<34} {:>5} {:>11} {:>8} {:>8} {:>11} {:>7.2} {:>6.0} {:>6} {:>8}",
            row.name,
            row.level.map_or_else(String::new, |level| level.to_string()),
            bytes(row.bytes),
            row.keys,
            row.blocks,
            row.points,
            row.per_point(),
            row.fill(),
            share(row.overlapping, row.blocks),
            share(row.deleted, row.points),
        )?;
    }
    writeln!(text, "fill: points per block, {FULL} is full; over: blocks that overlap an older file's")?;
    Ok(text)
}
