//! `tsm compact`: what the planner says, everything, or what is named. An input is removed only after its
//! replacement is durable and was read back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use segment_compaction::{Ask, FormatError, Group, Level, Listing, Report, SegmentId, Survey};
use serde_json::json;
use tsm::name::FileName;

use crate::args::Compact;
use crate::content::Content;
use crate::exit::{Broken, Outcome, told};
use crate::folder::{Access, Folder, Opening};
use crate::output::{Output, bytes};
use crate::paths::{in_folder, look_over, same_folder, tsm_files};
use crate::progress::Shown;

/// What is asked for.
enum Wanted {
    /// What the planner finds, until it finds nothing.
    Planned,
    /// All of the folder.
    All,
    /// These.
    Given(Vec<SegmentId>),
}

pub(crate) fn run(compact: &Compact, output: Output) -> Result<Outcome> {
    let (path, wanted) = wanted(compact)?;
    let opening = Opening {
        access: if compact.dry_run { Access::Look } else { Access::Change },
        points_per_block: usize::try_from(compact.points)?,
        rate: compact.rate,
        seal: compact.seal.seal(),
        observer: Arc::new(Shown::new(output)),
    };
    let folder = Folder::open(&path, opening)?;
    if !matches!(wanted, Wanted::Given(_)) {
        look_over(&path, output)?;
    }
    if compact.dry_run {
        return dry_run(&folder, &wanted, output);
    }
    let before = compact.verify.then(|| content(&path)).transpose()?;
    let (reports, trouble) = all(&folder, &wanted)?;
    let compared = match before {
        Some(before) => Some(same(before, content(&path)?)?),
        None => None,
    };
    if reports.is_empty() && matches!(wanted, Wanted::Planned) {
        output.note("`tsm plan` says why; --all merges everything into one generation");
    }
    tell(&reports, compared, &trouble, output)?;
    Ok(if trouble.is_empty() { Outcome::Done } else { Outcome::Wrong })
}

fn wanted(compact: &Compact) -> Result<(PathBuf, Wanted)> {
    if let [only] = compact.paths.as_slice()
        && Path::new(only).is_dir()
    {
        return Ok((only.into(), if compact.all { Wanted::All } else { Wanted::Planned }));
    }
    ensure!(!compact.all, "--all takes one folder");
    let files = tsm_files(&compact.paths)?;
    let id = |file: &PathBuf| -> Result<SegmentId> {
        let FileName { generation, sequence } = FileName::parse(file)?;
        Ok(SegmentId::new(generation, sequence))
    };
    let ids = files.iter().map(id).collect::<Result<_>>()?;
    Ok((same_folder(&files)?, Wanted::Given(ids)))
}

/// The groups to do now; for planned work those of the first level that has any.
fn groups(folder: &Folder, wanted: &Wanted, trouble: &mut Vec<String>) -> Result<Vec<Group>> {
    let survey = folder.compactor.folder().survey(folder.compactor.format())?;
    let (planner, listing, held) = (&folder.planner, &survey.listing, survey.held());
    let damaged = damaged(&survey);
    if let (Wanted::All, Some(damaged)) = (wanted, &damaged) {
        return Err(Broken(format!("not everything can be merged: {damaged}; see `tsm repair`")).into());
    }
    trouble.extend(
        damaged.map(|damaged| format!("left alone: {damaged}")).filter(|said| !trouble.contains(said)),
    );
    Ok(match wanted {
        Wanted::Given(ids) => planner.given(listing, &held, ids)?.groups,
        Wanted::All if is_one_packed(listing) => Vec::new(),
        Wanted::All => planner.plan(listing, &held, Ask::All).groups,
        Wanted::Planned => {
            let levels = [Level::ONE, Level::TWO, Level::THREE].map(Ask::Level);
            // No server writes to it: the folder is as cold as it will get, but only asked to step up.
            let asks = levels.into_iter().chain([Ask::Steps, Ask::Optimize { idle: Duration::ZERO }]);
            let mut plans = asks.map(|ask| planner.plan(listing, &held, ask).groups);
            plans.find(|groups| !groups.is_empty()).unwrap_or_default()
        }
    })
}

/// Whether all of a folder would become what it is: one file, nothing deleted, no more short blocks than keys.
fn is_one_packed(listing: &Listing) -> bool {
    let [only] = listing.generations() else { return false };
    let fill = only.fill();
    only.segments().len() == 1 && !only.is_tombstoned() && fill.blocks - fill.full_blocks <= fill.keys
}

/// Segments that cannot be read, and why.
fn damaged(survey: &Survey) -> Option<String> {
    let one = |(id, error): &(SegmentId, FormatError)| match std::error::Error::source(error) {
        Some(cause) => format!("{id}: {cause}"),
        None => format!("{id}: {error}"),
    };
    let all: Vec<_> = survey.damaged.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// What was done, and what could not be. One group that fails keeps no other from being done.
fn all(folder: &Folder, wanted: &Wanted) -> Result<(Vec<Report>, Vec<String>)> {
    let (mut reports, mut trouble, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let mut groups = groups(folder, wanted, &mut trouble)?;
        groups.retain(|group| !failed.contains(&group.segments));
        for group in &groups {
            let lease = folder.lock.acquire(group)?;
            match folder.compactor.compact(group, &lease) {
                Ok(report) => reports.push(report),
                Err(error) if matches!(wanted, Wanted::Planned) => {
                    trouble.push(format!("not done: {}", told(&anyhow::Error::from(error))));
                    failed.push(group.segments.clone());
                }
                Err(error) => return Err(error.into()),
            }
        }
        if groups.is_empty() || !matches!(wanted, Wanted::Planned) {
            return Ok((reports, trouble));
        }
    }
}

fn dry_run(folder: &Folder, wanted: &Wanted, output: Output) -> Result<Outcome> {
    let mut trouble = Vec::new();
    let groups = groups(folder, wanted, &mut trouble)?;
    let line =
        |group: &Group| format!("{} files, {}: {}", group.segments.len(), bytes(group.bytes), group.reason);
    let mut text: Vec<String> = groups.iter().map(line).collect();
    let largest = groups.iter().map(|group| group.bytes).max().unwrap_or_default();
    text.push(match groups.len() {
        0 => "nothing to do".into(),
        _ => format!("needs {} of free space beside the inputs", bytes(largest)),
    });
    text.extend(trouble.iter().cloned());
    let rows: Vec<_> = groups
        .iter()
        .map(|group| {
            let segments: Vec<_> = group.segments.iter().map(ToString::to_string).collect();
            json!({ "segments": segments, "bytes": group.bytes, "reason": group.reason.to_string() })
        })
        .collect();
    output
        .result(text.join("\n"), &json!({ "groups": rows, "space_needed": largest, "trouble": trouble }))?;
    Ok(if trouble.is_empty() { Outcome::Done } else { Outcome::Wrong })
}

fn content(path: &Path) -> Result<Content> {
    let files = in_folder(path)?;
    Content::of(&files).with_context(|| format!("read all of {}", path.display()))
}

fn same(before: Content, after: Content) -> Result<Content> {
    if before == after {
        return Ok(after);
    }
    let (had, has) = (before.points, after.points);
    Err(Broken(format!("the content is not what it was: {had} points before, {has} after")).into())
}

fn tell(reports: &[Report], compared: Option<Content>, trouble: &[String], output: Output) -> Result<()> {
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let (from, to) = (sum(|report| report.bytes_in), sum(|report| report.bytes_out));
    let mut text = match reports.len() {
        0 => "nothing to do".to_string(),
        count => format!("{count} compactions, {} -> {}", bytes(from), bytes(to)),
    };
    if let Some(Content { points, keys, .. }) = compared {
        text = format!("{text}; the same {points} points of {keys} keys before and after");
    }
    for said in trouble {
        text = format!("{text}\n{said}");
    }
    let names = |ids: &[SegmentId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows: Vec<_> = reports
        .iter()
        .map(|report| {
            json!({
                "inputs": names(&report.inputs),
                "outputs": names(&report.outputs),
                "bytes_in": report.bytes_in,
                "bytes_out": report.bytes_out,
                "seconds": report.took.as_secs_f64(),
            })
        })
        .collect();
    let compared = compared.map(|content| json!({ "keys": content.keys, "points": content.points }));
    output.result(text, &json!({ "compactions": rows, "compared": compared, "trouble": trouble }))
}
