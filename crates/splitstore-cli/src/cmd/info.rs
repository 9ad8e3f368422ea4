//! `info`: what the store is and where it stands.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};
use splitstore::Info;
use splitstore::domain::ByteCount;
use splitstore::folder::{FolderSettings, LAYOUT, Marking, PaceMode, StoreFolder};

use super::shape;
use crate::args::{Cli, WindowArgs};
use crate::exit::Outcome;
use crate::opened;
use crate::output::Output;

pub(crate) fn run(cli: &Cli, windows: WindowArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open_with(cli, windows)?;
    let info = folder.store().info()?;
    output.result(text(&folder, &info)?, &json(&folder, &info))?;
    Ok(Outcome::Done)
}

fn text(folder: &StoreFolder, info: &Info) -> Result<String, std::fmt::Error> {
    let FolderSettings { hot, cold, marks, purge, pace, windows, .. } = folder.settings();
    let mut text = String::new();
    writeln!(text, "store        {} (layout {LAYOUT})", folder.path().display())?;
    writeln!(text, "hot          {hot}, {}", size(info.sizes.hot))?;
    writeln!(text, "cold         {cold}, {}", size(info.sizes.cold))?;
    writeln!(text, "marks        {marks}")?;
    writeln!(text, "marking      {}", marking_line(folder))?;
    writeln!(text, "link index   {}", link_index(folder))?;
    writeln!(text, "purge        {purge}")?;
    match pace.io_limit.filter(|_| pace.mode == PaceMode::Paced) {
        Some(limit) => {
            writeln!(text, "pace         {}, {} a second at most", pace.mode, ByteCount(limit.get()))?;
        }
        None => writeln!(text, "pace         {}", pace.mode)?,
    }
    writeln!(text, "cold policy  {}", windows.cold_policy)?;
    writeln!(
        text,
        "windows      finality {} epochs; threshold {}, boundary {}, message retention {} finalities",
        windows.finality_epochs,
        windows.threshold_finalities,
        windows.boundary_finalities,
        windows.message_retention_finalities
    )?;
    match (&info.head, folder.lost_head()) {
        (Some(head), _) => writeln!(text, "head         height {}, tipset {}", head.height, head.key)?,
        (None, Some(lost)) => writeln!(text, "head         lost: {:#}", anyhow::Error::from(lost.clone()))?,
        (None, None) => writeln!(text, "head         none yet")?,
    }
    match info.base {
        Some(base) => writeln!(text, "base         height {base}")?,
        None => writeln!(text, "base         none yet")?,
    }
    write!(text, "compactions  {}", info.compactions)?;
    damage(&mut text, info)?;
    Ok(text)
}

/// What the disk has done to hot; nothing of a sound one.
fn damage(text: &mut String, info: &Info) -> std::fmt::Result {
    if info.salvaged > 0 {
        write!(
            text,
            "\nsalvaged     {} blocks read out of damaged pages: `repair` the store",
            info.salvaged
        )?;
    }
    for log in &info.damaged_logs {
        write!(
            text,
            "\ndamaged log  {}: what it held behind the damage is gone, see `verify`",
            log.display()
        )?;
    }
    Ok(())
}

fn marking_line(folder: &StoreFolder) -> String {
    let FolderSettings { marking, marking_memory_mib, .. } = folder.settings();
    let limit = marking_memory_mib.map(|mib| format!(", {mib} MiB of memory at most"));
    format!("{marking}{}", limit.unwrap_or_default())
}

/// Whether one is asked for, and whether that is of use.
fn link_index(folder: &StoreFolder) -> String {
    let FolderSettings { hot, marking, link_index, .. } = folder.settings();
    let can = folder.hot().link_notes().is_some() && folder.hot().block_scan().is_some();
    match marking {
        _ if !link_index && *marking != Marking::Links => "off".to_owned(),
        _ if !can => format!("none: {hot} cannot keep one"),
        Marking::Links | Marking::Auto => "on".to_owned(),
        Marking::Walk | Marking::Scan => format!("on, but marking by {marking} does not read it"),
    }
}

fn size(size: Option<ByteCount>) -> String {
    size.map_or_else(|| "size unknown".to_owned(), |size| size.to_string())
}

fn json(folder: &StoreFolder, info: &Info) -> Value {
    let settings = folder.settings();
    json!({
        "store": folder.path().display().to_string(),
        "layout": LAYOUT,
        "hot": settings.hot.name(),
        "cold": settings.cold.name(),
        "marks": settings.marks.name(),
        "marking": settings.marking.name(),
        "link_index": settings.link_index || settings.marking == Marking::Links,
        "marking_memory_mib": settings.marking_memory_mib,
        "purge": settings.purge.name(),
        "pace": { "mode": settings.pace.mode.name(), "io_limit": settings.pace.io_limit },
        "windows": shape::settings(&settings.windows),
        "sizes": shape::sizes(&info.sizes),
        "salvaged": info.salvaged,
        "damaged_logs": info.damaged_logs.iter().map(|log| log.display().to_string()).collect::<Vec<_>>(),
        "head": info.head.as_ref().map(shape::tipset),
        "lost_head": folder.lost_head().map(|lost| shape::key(&lost.key)),
        "base": info.base.map(splitstore::domain::Epoch::height),
        "compactions": info.compactions,
        "phase": info.phase.phase.name(),
    })
}
