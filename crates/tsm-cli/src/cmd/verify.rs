//! `tsm verify`: everything that can be wrong with files, told.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use tsm::verify::{Finding, Report, watch_file};
use tsm::{BlockType, IndexCursor, Limits, Tombstones, shown};

use crate::args::Files;
use crate::exit::Outcome;
use crate::output::{Output, bytes};
use crate::paths::tsm_files;
use crate::progress;

pub(crate) fn run(files: &Files, output: Output) -> Result<Outcome> {
    let files = tsm_files(&files.paths)?;
    let bar =
        progress::bar(output, files.iter().filter_map(|file| file.metadata().ok()).map(|m| m.len()).sum());
    let (mut text, mut rows, mut wrong) = (String::new(), Vec::new(), 0_u64);
    for file in &files {
        bar.set_message(file.display().to_string());
        let mut report = watch_file(file, &mut |bytes| {
            bar.inc(bytes);
            Ok(())
        })?;
        // Whoever reads the file reads them too.
        if let Err(error) = Tombstones::load(file, Limits::default()) {
            let tsm::Error::Damaged { at, fault } = error else { return Err(error.into()) };
            report.found += 1;
            report.findings.push(Finding { at, fault });
        }
        wrong += report.found;
        describe(&mut text, &file.display().to_string(), &report)?;
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "class": format!("{:?}", finding.class()).to_lowercase(),
                    "key": finding.at.key.as_deref().map(|key| key.escape_ascii().to_string()),
                    "offset": finding.at.offset,
                    "fault": finding.fault.to_string(),
                })
            })
            .collect();
        rows.push(json!({
            "file": file.display().to_string(),
            "keys": report.keys,
            "blocks": report.blocks,
            "points": report.points,
            "bare_key_bytes": report.bare_key_bytes,
            "found": report.found,
            "findings": findings,
        }));
    }
    bar.finish_and_clear();
    let conflicts = conflicts(&files);
    wrong += conflicts.len() as u64;
    for conflict in &conflicts {
        writeln!(text, "{conflict}")?;
    }
    output.result(text, &json!({ "files": rows, "conflicts": conflicts, "found": wrong }))?;
    Ok(if wrong == 0 { Outcome::Done } else { Outcome::Wrong })
}

/// Keys that have one type in one file and another in the next: they cannot be merged. What is damaged is told
/// already; of a file alone there is nothing to ask.
fn conflicts(files: &[PathBuf]) -> Vec<String> {
    if files.len() < 2 {
        return Vec::new();
    }
    let mut open: Vec<_> = files
        .iter()
        .filter_map(|file| Some((file, IndexCursor::open(file).ok()?)))
        .filter_map(|(file, mut cursor)| cursor.advance().is_ok_and(|found| found).then_some((file, cursor)))
        .collect();
    let mut conflicts = Vec::new();
    while let Some(least) = open.iter().map(|(_, cursor)| cursor.key().to_vec()).min() {
        let mut first: Option<(&PathBuf, BlockType)> = None;
        open.retain_mut(|(file, cursor)| {
            if cursor.key() != least {
                return true;
            }
            match (first, cursor.kind()) {
                (None, Ok(kind)) => first = Some((file, kind)),
                (Some((other, other_kind)), Ok(kind)) if kind != other_kind => conflicts.push(format!(
                    "key `{}` is of type {other_kind} in {}, but of type {kind} in {}",
                    shown(&least),
                    other.display(),
                    file.display()
                )),
                _ => {}
            }
            cursor.advance().is_ok_and(|found| found)
        });
    }
    conflicts
}

fn describe(text: &mut String, file: &str, report: &Report) -> Result<()> {
    let Report { keys, blocks, points, found, .. } = report;
    let size = bytes(report.file_bytes);
    let verdict = if report.is_clean() { "whole".into() } else { format!("{found} findings") };
    let seal = if report.bare_key_bytes == 0 { "" } else { ", not sealed" };
    writeln!(text, "{file}: {verdict}; {keys} keys, {blocks} blocks, {points} points, {size}{seal}")?;
    for finding in &report.findings {
        writeln!(text, "  {finding}")?;
    }
    let untold = found - report.findings.len() as u64;
    if untold > 0 {
        writeln!(text, "  and {untold} more")?;
    }
    Ok(())
}
