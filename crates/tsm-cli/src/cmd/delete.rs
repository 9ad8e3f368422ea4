//! `tsm delete`: tombstones for the files that hold what goes.

use anyhow::Result;
use serde_json::json;
use tsm::{Limits, Tombstone, TsmReader, tombstone};

use crate::args::Delete;
use crate::exit::Outcome;
use crate::output::Output;
use crate::paths::tsm_files;

pub(crate) fn run(delete: &Delete, output: Output) -> Result<Outcome> {
    let range = delete.times.range();
    anyhow::ensure!(!range.is_empty(), "--start comes after --end");
    let mut rows = Vec::new();
    for file in tsm_files(&delete.paths)? {
        let reader = TsmReader::open(&file)?;
        let mut tombstones = Vec::new();
        for key in &delete.keys {
            let record = reader.find(key.as_bytes())?;
            let holds =
                record.is_some_and(|record| record.entries.iter().any(|entry| entry.times.overlaps(range)));
            if holds {
                tombstones.push(Tombstone::new(key.as_bytes(), range));
            }
        }
        if !tombstones.is_empty() {
            tombstone::add(&file, &tombstones, Limits::default())?;
            rows.push(json!({ "file": file.display().to_string(), "keys": tombstones.len() }));
        }
    }
    let text = match rows.len() {
        0 => "no file holds any of that".to_string(),
        count => format!("{count} files have tombstones for it now"),
    };
    let found = !rows.is_empty();
    output.result(text, &json!({ "files": rows }))?;
    Ok(if found { Outcome::Done } else { Outcome::Wrong })
}
