//! `compact [--dry-run]`: compacts now, whatever the trigger says. Ctrl-C ends a run that has not sealed; one that has
//! is finished, as half a purge helps nobody.

use anyhow::Result;
use serde_json::json;

use super::shape;
use crate::args::{Cli, CompactArgs};
use crate::exit::Outcome;
use crate::interrupt::Interrupt;
use crate::opened;
use crate::output::Output;

pub(crate) fn run(cli: &Cli, args: &CompactArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open_to_compact(cli, args.windows, args.pace)?;
    if let Some(lost) = folder.lost_head() {
        return Err(lost.clone().into());
    }
    if args.dry_run {
        let plan = folder.store().plan()?;
        output.result(&plan, &json!({ "dry_run": true, "plan": shape::plan(&plan) }))?;
    } else {
        let store = folder.store().clone();
        let interrupt = Interrupt::listen(output, move || store.cancel())?;
        let report = folder.store().compact()?;
        // It holds a clone of the store.
        drop(interrupt);
        let closed = folder.close();
        // The run has committed, whatever comes of closing.
        output.result(&report, &shape::report(&report))?;
        closed?;
    }
    Ok(Outcome::Done)
}
