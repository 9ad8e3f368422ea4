//! `init`: makes a store.

use anyhow::Result;
use serde_json::json;
use splitstore::folder::{FolderSettings, StoreFolder};

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
        windows: args.windows.settings(),
        ..FolderSettings::default()
    };
    StoreFolder::create(path, &settings)?;
    let FolderSettings { hot, cold, marks, marking, windows, .. } = settings;
    let text = format!("made a store at {}: hot tier {hot}, cold tier {cold}, marks {marks}", path.display());
    let json = json!({
        "store": path.display().to_string(),
        "hot": hot.name(),
        "cold": cold.name(),
        "marks": marks.name(),
        "marking": marking.name(),
        "windows": shape::settings(&windows),
    });
    output.result(text, &json)?;
    Ok(Outcome::Done)
}
