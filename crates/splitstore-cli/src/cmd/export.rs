//! `export FILE`: the chain from a tipset downwards, as a `CARv1`.

use anyhow::Result;
use serde_json::json;
use splitstore::domain::{ByteCount, Epoch, TipsetKey};
use splitstore::export::{ExportPlan, export_car};

use super::shape;
use crate::args::{Cli, ExportArgs};
use crate::exit::Outcome;
use crate::opened;
use crate::output::Output;

/// Blocks between two lines of progress.
const LINE_EVERY: u64 = 100_000;

pub(crate) fn run(cli: &Cli, args: &ExportArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open(cli)?;
    let tipset = (!args.tipset.is_empty()).then(|| TipsetKey::new(args.tipset.clone()));
    let plan = ExportPlan { tipset, down_to: Epoch::new(args.down_to) };
    let export = export_car(&folder, &plan, &args.file, &mut |blocks| {
        if blocks % LINE_EVERY == 0 {
            output.note(format_args!("exported {blocks} blocks"));
        }
    })?;
    let file = args.file.display().to_string();
    let text = format!(
        "exported {} blocks, {} to {file}\nfrom height {}, tipset {}, down to {}\n\
         {} references lead to blocks the store does not hold",
        export.exported.blocks,
        ByteCount(export.file_bytes),
        export.tipset.height,
        export.tipset.key,
        args.down_to,
        export.exported.missing,
    );
    let json = json!({
        "file": file,
        "blocks": export.exported.blocks,
        "bytes": export.exported.bytes,
        "file_bytes": export.file_bytes,
        "missing": export.exported.missing,
        "from": shape::tipset(&export.tipset),
        "down_to": args.down_to,
    });
    output.result(text, &json)?;
    Ok(Outcome::Done)
}
