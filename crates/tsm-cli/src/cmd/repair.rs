//! `tsm repair`: what can be saved of a damaged file, in a new one. The old one is only read.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tsm::{BlockOrder, Limits, Repaired, TsmWriter, WriterOptions};

use crate::args::Repair;
use crate::exit::Outcome;
use crate::output::Output;

pub(crate) fn run(repair: &Repair, output: Output) -> Result<Outcome> {
    let name = repair.file.file_name().context("the file has no name")?;
    ensure!(repair.file.is_file(), "{}: no such file", repair.file.display());
    fs::create_dir_all(&repair.output).with_context(|| format!("make {}", repair.output.display()))?;
    let target = repair.output.join(name);
    ensure!(!target.exists(), "{} is there already: give another --output", target.display());
    // A file without its tombstones would bring deleted points back, so they are looked at first.
    tsm::Tombstones::load(&repair.file, Limits::default())
        .context("the tombstones cannot be read: remove them to give their deletes up, and repair again")?;
    let temporary = target.with_extension("tsm.tmp");
    let sink = OpenOptions::new().write(true).create_new(true).open(&temporary);
    let sink = sink.with_context(|| format!("create {}", temporary.display()))?;
    let outcome = write(repair, &temporary, sink);
    let (report, saved) = outcome.inspect_err(|_| {
        // The first failure is the one to tell.
        let _ = fs::remove_file(&temporary);
    })?;
    if saved {
        copy_tombstones(&repair.file, &target)?;
        fs::rename(&temporary, &target).with_context(|| format!("name {}", target.display()))?;
        sync_folder(&repair.output)?;
    } else {
        fs::remove_file(&temporary).with_context(|| format!("remove {}", temporary.display()))?;
    }
    tell(&report, saved.then_some(target.as_path()), output)?;
    Ok(if report.lost == 0 && report.findings.len() as u64 == report.mended {
        Outcome::Done
    } else {
        Outcome::Wrong
    })
}

/// Whether anything was saved.
fn write(repair: &Repair, temporary: &Path, sink: File) -> Result<(Repaired, bool)> {
    let old = File::open(&repair.file).with_context(|| format!("open {}", repair.file.display()))?;
    let options =
        WriterOptions { order: BlockOrder::Any, seal: repair.seal.seal(), ..WriterOptions::default() };
    let writer = TsmWriter::new(sink, &temporary.to_string_lossy(), options);
    let stem = repair.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(folder) = &repair.quarantine {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    let mut quarantine = |finding: &tsm::verify::Finding, bytes: &[u8]| match &repair.quarantine {
        Some(folder) => {
            let offset = finding.at.offset.unwrap_or_default();
            fs::write(folder.join(format!("{stem}.{offset}.block")), bytes)
        }
        None => Ok(()),
    };
    let file = repair.file.to_string_lossy();
    let (report, finished) = tsm::repair(Arc::new(old), &file, Limits::default(), writer, &mut quarantine)?;
    Ok((report, finished.is_some()))
}

/// Deletes stay deletes: the new file has the same tombstones.
fn copy_tombstones(from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (tsm::tombstone::path_of(from), tsm::tombstone::path_of(to));
    if from.exists() {
        fs::copy(&from, &to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
        let copied = File::open(&to).and_then(|file| file.sync_all());
        copied.with_context(|| format!("sync {}", to.display()))?;
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("sync {}", folder.display()))
}

fn tell(report: &Repaired, target: Option<&Path>, output: Output) -> Result<()> {
    let Repaired { kept, mended, lost, keyless, findings } = report;
    let mut text = String::new();
    for finding in findings {
        writeln!(text, "  {finding}")?;
    }
    let without =
        if *keyless == 0 { String::new() } else { format!(", {keyless} of them whole, but without a key") };
    let summary = match target {
        Some(target) => {
            format!("{}: {kept} blocks kept, {mended} mended, {lost} given up{without}", target.display())
        }
        None => format!("nothing could be saved: {lost} blocks given up{without}"),
    };
    writeln!(text, "{summary}")?;
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    let file = target.map(|target| target.display().to_string());
    output.result(
        text,
        &json!({ "file": file, "kept": kept, "mended": mended, "lost": lost, "keyless": keyless, "findings": findings }),
    )
}
