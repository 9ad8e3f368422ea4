//! `compact [--dry-run]`: compacts now, whatever the trigger says.

use anyhow::Result;
use serde_json::json;

use super::shape;
use crate::args::{Cli, CompactArgs};
use crate::exit::Outcome;
use crate::opened;
use crate::output::Output;

pub(crate) fn run(cli: &Cli, args: &CompactArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open_with(cli, args.windows)?;
    if args.dry_run {
        let plan = folder.store().plan()?;
        output.result(&plan, &json!({ "dry_run": true, "plan": shape::plan(&plan) }))?;
    } else {
        let report = folder.store().compact()?;
        folder.close()?;
        output.result(&report, &shape::report(&report))?;
    }
    Ok(Outcome::Done)
}
