//! `init`: makes a store.

use anyhow::Result;
use serde_json::json;
use splitstore::folder::{FolderSettings, HotEngine, Marking, PaceMode, PaceSettings, StoreFolder};

use super::shape;
use crate::args::{Cli, InitArgs};
use crate::exit::Outcome;
use crate::opened;
use crate::output::Output;

pub(crate) fn run(cli: &Cli, args: &InitArgs, output: Output) -> Result<Outcome> {
    let path = opened::path(cli)?;
    let settings = FolderSettings {
        hot: args.hot,
        marks: args.marks,
        marking: args.marking,
        link_index: args.link_index,
        marking_memory_mib: args.marking_memory_mib,
        purge: args.purge,
        pace: PaceSettings { mode: args.pace, io_limit: args.io_limit },
        windows: args.windows.settings(),
        ..FolderSettings::default()
    };
    StoreFolder::create(path, &settings)?;
    let FolderSettings { hot, cold, marks, marking, purge, pace, windows, .. } = settings;
    let mut text =
        format!("made a store at {}: hot tier {hot}, cold tier {cold}, marks {marks}", path.display());
    for note in of_no_use(&settings) {
        text += "\nnote: ";
        text += &note;
    }
    let json = json!({
        "store": path.display().to_string(),
        "hot": hot.name(),
        "cold": cold.name(),
        "marks": marks.name(),
        "marking": marking.name(),
        "purge": purge.name(),
        "pace": { "mode": pace.mode.name(), "io_limit": pace.io_limit },
        "notes": of_no_use(&settings),
        "windows": shape::settings(&windows),
    });
    output.result(text, &json)?;
    Ok(Outcome::Done)
}

/// Settings that are taken and do nothing beside the others.
fn of_no_use(settings: &FolderSettings) -> Vec<String> {
    let FolderSettings { hot, marking, link_index, pace, .. } = settings;
    let mut notes = Vec::new();
    let asked = if *link_index { "link_index = true" } else { "marking = \"links\"" };
    if *hot == HotEngine::Fjall && (*link_index || *marking == Marking::Links) {
        notes.push(format!("{asked} is of no use: {hot} cannot keep a link index"));
    } else if *link_index && matches!(marking, Marking::Walk | Marking::Scan) {
        notes.push(format!("{asked} costs puts and is of no use: marking = \"{marking}\" does not read it"));
    }
    if pace.mode == PaceMode::Fast && pace.io_limit.is_some() {
        notes.push("io_limit is of no use: mode = \"fast\" has no limit".to_owned());
    }
    notes
}
