//! `tsm export`: all points as line protocol, or as JSON.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Result, ensure};
use serde_json::json;
use tsm::line::{KeyLines, KeyParts, write_points};
use tsm::{MergeInput, Points, TsmReader, ValuesRef, shown};

use crate::args::Export;
use crate::content::{for_each_whole, input};
use crate::damage::Damage;
use crate::exit::Outcome;
use crate::output::{Output, print};
use crate::paths::tsm_files;
use crate::progress;
use crate::text::Bucket;
use crate::values;

/// What no line can say.
#[derive(Debug, Default)]
struct LeftOut {
    /// Blocks whose keys have no field.
    without_field: u64,
    /// Infinities and NaN.
    unsayable: usize,
}

pub(crate) fn run(export: &Export, output: Output) -> Result<Outcome> {
    export.times.range()?;
    let files = tsm_files(&export.paths)?;
    let mut damage = export.damage.damage();
    let mut inputs = Vec::new();
    for file in &files {
        inputs.extend(damage.pass(input(file))?);
    }
    let bucket = one_bucket(&inputs, export, &mut damage)?;
    let mut left_out = LeftOut::default();
    print(|out| match output {
        Output::Text => as_lines(export, &inputs, &mut damage, &mut left_out, out),
        Output::Json => as_json(export, &inputs, &mut damage, out),
    })?;
    if let Some(bucket) = bucket {
        output.note(format_args!(
            "of bucket {bucket}, which line protocol cannot say: what is imported from this has none"
        ));
    }
    let LeftOut { without_field, unsayable } = left_out;
    if unsayable > 0 {
        output
            .note(format_args!("{unsayable} points are comments: line protocol has no NaN and no infinity"));
    }
    if without_field > 0 {
        output.note(format_args!(
            "{without_field} blocks left out: their keys have no field, so no line can hold them"
        ));
    }
    Ok(if without_field == 0 && unsayable == 0 { damage.outcome() } else { Outcome::Wrong })
}

/// Points of two buckets must not become those of one series. Gives the one bucket, if it is one.
fn one_bucket(inputs: &[MergeInput], export: &Export, damage: &mut Damage) -> Result<Option<Bucket>> {
    if let Some(chosen) = &export.bucket {
        return Ok(chosen.0.map(|owner| Bucket(Some(owner))));
    }
    let mut buckets = BTreeSet::new();
    for input in inputs {
        damage.pass(add_buckets(&input.reader, &mut buckets))?;
    }
    let all: Vec<_> = buckets.iter().map(|owner| Bucket(*owner).to_string()).collect();
    ensure!(
        all.len() < 2,
        "the files hold {} buckets: choose one by --bucket: {}",
        all.len(),
        all.join(", ")
    );
    Ok(buckets.into_iter().flatten().next().map(|owner| Bucket(Some(owner))))
}

fn add_buckets(reader: &TsmReader, buckets: &mut BTreeSet<Option<[u8; 16]>>) -> Result<()> {
    let owner = |key: &[u8]| KeyParts::of(key).and_then(|parts| parts.owner);
    let (first, last) = (owner(&reader.summary().first_key), owner(&reader.summary().last_key));
    buckets.insert(first);
    // Keys of one bucket stand together.
    if first.is_some() && first == last {
        return Ok(());
    }
    let mut cursor = reader.cursor();
    while cursor.advance()? {
        buckets.insert(owner(cursor.key()));
    }
    Ok(())
}

/// Calls for the points of each block that are asked for; there is one at least.
fn for_each(
    export: &Export,
    inputs: &[MergeInput],
    damage: &mut Damage,
    show: &mut dyn FnMut(&[u8], Points<'_>) -> Result<()>,
) -> Result<()> {
    let range = export.times.range()?;
    let bar = progress::bar(Output::Text, inputs.iter().map(|input| input.reader.summary().file_bytes).sum());
    bar.set_message("export");
    let outcome = for_each_whole(inputs, damage, &mut |key, points, bytes| {
        bar.inc(bytes);
        let owner = || KeyParts::of(key).and_then(|parts| parts.owner);
        if !shown(key).contains(&export.key) || export.bucket.is_some_and(|bucket| bucket.0 != owner()) {
            return Ok(());
        }
        let from = points.times.partition_point(|time| *time < range.min);
        let to = points.times.partition_point(|time| *time <= range.max);
        if from < to { show(key, points.slice(from..to)) } else { Ok(()) }
    });
    bar.finish_and_clear();
    outcome
}

fn as_lines(
    export: &Export,
    inputs: &[MergeInput],
    damage: &mut Damage,
    left_out: &mut LeftOut,
    out: &mut dyn Write,
) -> Result<()> {
    for_each(export, inputs, damage, &mut |key, points| {
        if let ValuesRef::Float(values) = points.values {
            left_out.unsayable += values.iter().filter(|value| !value.is_finite()).count();
        }
        let Some(lines) = KeyLines::of(key) else {
            left_out.without_field += 1;
            return Ok(());
        };
        Ok(write_points(out, &lines, points)?)
    })
}

/// One object, written as it is read.
fn as_json(export: &Export, inputs: &[MergeInput], damage: &mut Damage, out: &mut dyn Write) -> Result<()> {
    write!(out, "{{\"blocks\":[")?;
    let mut comma = "";
    for_each(export, inputs, damage, &mut |key, points| {
        let parts = KeyParts::of(key);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let block = json!({
            "key": key.escape_ascii().to_string(),
            "series": parts.as_ref().map(|parts| text(&parts.series)),
            "field": parts.as_ref().map(|parts| text(parts.field)),
            "type": points.values.kind().to_string(),
            "times": points.times,
            "values": values::as_json(points.values),
        });
        write!(out, "{comma}{block}")?;
        comma = ",";
        Ok(())
    })?;
    Ok(writeln!(out, "],\"damaged\":{}}}", json!(damage.said()))?)
}
