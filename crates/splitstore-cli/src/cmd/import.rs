//! `import FILE`: an archive into the hot tier.

use std::fmt::Write;
use std::ops::ControlFlow;

use anyhow::Result;
use serde_json::{Value, json};
use splitstore::domain::ByteCount;
use splitstore::domain::trigger::Decision;
use splitstore::import::{Imported, OtherChain, Progress, import_car_with};

use super::shape;
use crate::args::{Cli, ImportArgs};
use crate::exit::Outcome;
use crate::interrupt::Interrupt;
use crate::opened;
use crate::output::Output;
use crate::progress::ImportProgress;

pub(crate) fn run(cli: &Cli, args: &ImportArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open(cli)?;
    let began = folder.clock().elapsed();
    let mut progress = ImportProgress::new(output, began);
    let other = if args.replace_chain { OtherChain::Replace } else { OtherChain::Refuse };
    let interrupt = Interrupt::listen(output, || {})?;
    let mut show = |at: &Progress| {
        progress.at(at, folder.clock().elapsed());
        if interrupt.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let imported = import_car_with(&folder, &args.file, other, &mut show);
    progress.finish();
    let imported = imported?;
    let seconds = folder.clock().elapsed().saturating_sub(began).as_secs_f64();
    folder.close()?;
    output.result(text(&imported, seconds), &json(&imported, seconds))?;
    Ok(Outcome::Done)
}

fn text(imported: &Imported, seconds: f64) -> String {
    let Imported { blocks, bytes, already_there, not_stored, roots, head, stays, decision } = imported;
    let mut text = format!("imported {blocks} blocks, {} in {seconds:.2} s", ByteCount(*bytes));
    if *already_there > 0 {
        let _ = write!(text, ", {already_there} of them were there");
    }
    if *not_stored > 0 {
        let _ = write!(text, ", {not_stored} of them lie in their CIDs");
    }
    match (stays, head) {
        (Some(own), Some(head)) => {
            let _ = write!(
                text,
                "\nhead: stays at height {}, as the archive ends at {}; --replace-chain would move it back",
                own.height, head.height
            );
        }
        (_, Some(head)) => {
            let _ = write!(text, "\nhead: height {}, tipset {}", head.height, head.key);
        }
        (_, None) => {
            let _ = write!(
                text,
                "\nno chain: its {} roots are no block headers, so the head stays as it was",
                roots.len()
            );
        }
    }
    if let Some(Decision::Compact(window)) = decision {
        let _ = write!(text, "\ncompaction is due ({window}): run `compact`");
    }
    text
}

fn json(imported: &Imported, seconds: f64) -> Value {
    json!({
        "blocks": imported.blocks,
        "bytes": imported.bytes,
        "already_there": imported.already_there,
        "not_stored": imported.not_stored,
        "roots": imported.roots.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "head": imported.head.as_ref().map(shape::tipset),
        "stays": imported.stays.as_ref().map(shape::tipset),
        "compaction_due": matches!(imported.decision, Some(Decision::Compact(_))),
        "seconds": seconds,
    })
}
