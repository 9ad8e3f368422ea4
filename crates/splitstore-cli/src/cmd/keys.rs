//! `keys --tier hot|cold`: one multihash in lower-case hex a line, ascending; lines in bounded memory.

use std::io::Write;

use anyhow::Result;
use serde_json::json;
use splitstore::ports::{KeyEntry, KeyScan};

use crate::args::{Cli, KeysArgs, TierName};
use crate::exit::Outcome;
use crate::opened;
use crate::output::{Output, print};

const BATCH: usize = 4096;

pub(crate) fn run(cli: &Cli, args: &KeysArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open(cli)?;
    match args.tier {
        TierName::Hot => show(folder.hot(), "hot", output)?,
        TierName::Cold => show(folder.cold(), "cold", output)?,
    }
    Ok(Outcome::Done)
}

fn show<T: KeyScan + ?Sized>(tier: &T, name: &str, output: Output) -> Result<()> {
    if output == Output::Text {
        return print(|out| each_key(tier, &mut |entry| Ok(writeln!(out, "{}", entry.key)?)));
    }
    // One object or none: if the scan fails on the way, the error is the one.
    let mut keys = Vec::new();
    each_key(tier, &mut |entry| {
        keys.push(entry.key.to_string());
        Ok(())
    })?;
    output.result("", &json!({ "tier": name, "keys": keys }))
}

fn each_key<T: KeyScan + ?Sized>(tier: &T, visit: &mut dyn FnMut(&KeyEntry) -> Result<()>) -> Result<()> {
    let mut cursor = tier.keys()?;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        cursor.next_batch(&mut batch, BATCH)?;
        if batch.is_empty() {
            return Ok(());
        }
        batch.iter().try_for_each(&mut *visit)?;
    }
}
