//! `get CID`: a block's bytes as they are; with `--json` in hex.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;
use serde_json::json;

use crate::args::{CidArgs, Cli};
use crate::exit::{NotFound, Outcome};
use crate::opened;
use crate::output::{Output, print};

pub(crate) fn run(cli: &Cli, args: &CidArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open(cli)?;
    let data = folder.store().get(&args.cid)?.ok_or(NotFound(args.cid))?;
    match output {
        Output::Text => print(|out| Ok(out.write_all(&data)?))?,
        Output::Json => {
            let json = json!({ "cid": args.cid.to_string(), "size": data.len(), "hex": hex(&data) });
            output.result("", &json)?;
        }
    }
    Ok(Outcome::Done)
}

fn hex(data: &[u8]) -> String {
    data.iter().fold(String::with_capacity(2 * data.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
