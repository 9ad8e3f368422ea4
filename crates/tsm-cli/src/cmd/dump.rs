//! `tsm dump`: the index of a file, block by block, or its points.

use std::io::Write;

use anyhow::Result;
use serde_json::json;
use tsm::{BlockType, Column, Decoder, Entry, Points, TsmReader, ValuesRef, shown};

use crate::args::Dump;
use crate::exit::Outcome;
use crate::output::{Output, print};
use crate::values;

pub(crate) fn run(dump: &Dump, output: Output) -> Result<Outcome> {
    let reader = TsmReader::open(&dump.file)?;
    print(|out| match output {
        Output::Text => text(&reader, dump, out),
        Output::Json => as_json(&reader, dump, out),
    })?;
    Ok(Outcome::Done)
}

/// Calls for each block of the keys that are asked for.
fn for_each(
    reader: &TsmReader,
    dump: &Dump,
    mut show: impl FnMut(&[u8], BlockType, &Entry, &Column) -> Result<()>,
) -> Result<()> {
    let (mut cursor, mut buffer, mut decoder) = (reader.cursor(), Vec::new(), Decoder::default());
    let mut column = Column::empty(BlockType::Float);
    while cursor.advance()? {
        if !shown(cursor.key()).contains(&dump.key) {
            continue;
        }
        for entry in cursor.entries() {
            let kind = cursor.kind()?;
            let block = reader.read_block(cursor.key(), kind, entry, &mut buffer)?;
            decoder.decode(&block.parse()?, &mut column)?;
            show(cursor.key(), kind, entry, &column)?;
        }
    }
    Ok(())
}

fn text(reader: &TsmReader, dump: &Dump, out: &mut dyn Write) -> Result<()> {
    let summary = reader.summary();
    let (keys, blocks, times) = (summary.keys, summary.blocks, summary.times);
    writeln!(
        out,
        "{}: {} bytes, {keys} keys, {blocks} blocks, times {times}",
        dump.file.display(),
        summary.file_bytes
    )?;
    for_each(reader, dump, |key, kind, entry, column| {
        let (points, times) = (column.len(), entry.times);
        writeln!(out, "{} {kind} @{}+{} {points} points, {times}", shown(key), entry.offset, entry.size)?;
        if dump.points { rows(column.points(), out) } else { Ok(()) }
    })
}

fn rows(points: Points<'_>, out: &mut dyn Write) -> Result<()> {
    for (index, time) in points.times.iter().enumerate() {
        match points.values {
            ValuesRef::Float(values) => writeln!(out, "  {time} {}", values[index])?,
            ValuesRef::Integer(values) => writeln!(out, "  {time} {}", values[index])?,
            ValuesRef::Unsigned(values) => writeln!(out, "  {time} {}", values[index])?,
            ValuesRef::Boolean(values) => writeln!(out, "  {time} {}", values[index])?,
            ValuesRef::String(values) => {
                let value = values.iter().nth(index).unwrap_or_default();
                writeln!(out, "  {time} \"{}\"", value.escape_ascii())?;
            }
        }
    }
    Ok(())
}

/// One object, written as it is read: a file may be larger than memory.
fn as_json(reader: &TsmReader, dump: &Dump, out: &mut dyn Write) -> Result<()> {
    let summary = reader.summary();
    let (file, bytes) = (json!(dump.file.display().to_string()), summary.file_bytes);
    write!(out, "{{\"file\":{file},\"bytes\":{bytes},\"keys\":{},\"blocks\":[", summary.keys)?;
    let mut comma = "";
    for_each(reader, dump, |key, kind, entry, column| {
        let mut block = json!({
            "key": key.escape_ascii().to_string(),
            "type": kind.to_string(),
            "offset": entry.offset,
            "size": entry.size,
            "min": entry.times.min,
            "max": entry.times.max,
            "points": column.len(),
        });
        if dump.points {
            block["times"] = json!(column.times());
            block["values"] = values::as_json(column.values().slice(0..column.len()));
        }
        write!(out, "{comma}{block}")?;
        comma = ",";
        Ok(())
    })?;
    Ok(writeln!(out, "]}}")?)
}
