//! `repair`: a damaged hot tier written anew.

use std::fmt::Write;

use anyhow::Result;
use serde_json::json;
use splitstore::folder::{Repaired, StoreFolder};

use crate::args::Cli;
use crate::exit::Outcome;
use crate::opened;
use crate::output::Output;

/// Names of lost blocks that are printed; JSON has all.
const NAMED: usize = 100;

pub(crate) fn run(cli: &Cli, output: Output) -> Result<Outcome> {
    let repaired = StoreFolder::repair(opened::path(cli)?)?;
    let json = json!({
        "whole": repaired.is_whole(),
        "blocks": repaired.blocks,
        "bytes": repaired.bytes.0,
        "lost": repaired.lost.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "gaps": repaired.gaps,
        "kept": repaired.kept.display().to_string(),
    });
    output.result(text(&repaired), &json)?;
    Ok(if repaired.is_whole() { Outcome::Done } else { Outcome::Wrong })
}

fn text(repaired: &Repaired) -> String {
    let Repaired { blocks, bytes, lost, gaps, kept, .. } = repaired;
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
