//! `repair`: a damaged hot tier written anew.

use std::fmt::Write;

use anyhow::Result;
use serde_json::json;
use splitstore::folder::{Repaired, StoreFolder};
use splitstore::ports::{ErrorKind, PortError};

use crate::args::Cli;
use crate::exit::Outcome;
use crate::opened;
use crate::output::Output;

/// Names of lost blocks that are printed; JSON has all.
const NAMED: usize = 100;

pub(crate) fn run(cli: &Cli, output: Output) -> Result<Outcome> {
    let repaired = StoreFolder::repair(opened::path(cli)?).map_err(|error| unopened(error.into()))?;
    let json = json!({
        "whole": repaired.is_whole(),
        "blocks": repaired.blocks,
        "bytes": repaired.bytes.0,
        "lost": repaired.lost.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "gaps": repaired.gaps,
        "cut": repaired.cut.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "kept": repaired.kept.display().to_string(),
    });
    output.result(text(&repaired), &json)?;
    repaired.told();
    Ok(if repaired.is_whole() { Outcome::Done } else { Outcome::Wrong })
}

/// Damage that keeps the store from being opened is none that a repair gets at.
fn unopened(error: anyhow::Error) -> anyhow::Error {
    let is_damage = |cause: &PortError| cause.kind() == ErrorKind::Corrupt;
    if !error.chain().any(|cause| cause.downcast_ref().is_some_and(is_damage)) {
        return error;
    }
    error.context(
        "the store does not open, which a repair has to; nothing was changed: put back a copy of all of it, or make a new one \
         and import the chain into that",
    )
}

fn text(repaired: &Repaired) -> String {
    let Repaired { blocks, bytes, lost, gaps, cut, kept, .. } = repaired;
    let kept = kept.display();
    let mut text = format!("copied {blocks} blocks, {bytes}, to a new hot tier");
    for key in lost.iter().take(NAMED) {
        let _ = write!(text, "\nlost: {key}");
    }
    if lost.len() > NAMED {
        let _ = write!(text, "\nand {} more", lost.len() - NAMED);
    }
    if *gaps > 0 {
        let _ = write!(text, "\nat {gaps} places nothing could be read, and what was there is not named");
    }
    for file in cut {
        let file = file.display();
        let _ = write!(
            text,
            "\n{file} is cut or damaged: what it held from there on is gone where no table has it"
        );
    }
    let _ = write!(text, "\nthe old one is {kept}: remove it when you need nothing more of it");
    if repaired.is_whole() {
        text.push_str("\nnothing was lost: all that the old one held is in the new one");
    } else {
        text.push_str(
            "\nrun `verify` to see which live blocks are missing; an import of the chain brings them back",
        );
    }
    text
}
