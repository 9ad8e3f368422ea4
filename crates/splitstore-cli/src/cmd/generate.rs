//! `generate FILE`: a seeded chain in Filecoin's shape, as a `CARv1`.

use anyhow::Result;
use serde_json::json;
use splitstore::domain::ByteCount;
use splitstore_fixtures::write_car;

use crate::args::{Cli, GenerateArgs};
use crate::exit::Outcome;
use crate::output::Output;

pub(crate) fn run(cli: &Cli, args: &GenerateArgs, output: Output) -> Result<Outcome> {
    let spec = args.chain.spec();
    let made = write_car(&spec, &args.file)?;
    if cli.store.is_some() {
        output.note("generate writes an archive and uses no store: --store is not looked at");
    }
    let file = args.file.display().to_string();
    let text = format!(
        "generated {} epochs in {} blocks, {}, to {file}\n{} tipsets and {} forks beside them, seed {}",
        made.head_height,
        made.blocks,
        ByteCount(made.bytes),
        made.tipsets,
        made.forks,
        spec.seed,
    );
    let json = json!({
        "file": file,
        "head_height": made.head_height,
        "head": made.head.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "blocks": made.blocks,
        "bytes": made.bytes,
        "tipsets": made.tipsets,
        "forks": made.forks,
        "seed": spec.seed,
    });
    output.result(text, &json)?;
    Ok(Outcome::Done)
}
