//! `has CID`: whether a block is in either tier.

use anyhow::Result;
use serde_json::json;
use splitstore::ports::BlockRead;

use crate::args::{CidArgs, Cli};
use crate::exit::{NotFound, Outcome};
use crate::opened;
use crate::output::Output;

pub(crate) fn run(cli: &Cli, args: &CidArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open(cli)?;
    let cid = args.cid;
    if !folder.store().has(&cid)? {
        return Err(NotFound(cid).into());
    }
    output.result(format_args!("found: {cid}"), &json!({ "cid": cid.to_string(), "has": true }))?;
    Ok(Outcome::Done)
}
