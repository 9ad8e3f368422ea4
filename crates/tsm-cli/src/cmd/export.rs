//! `tsm export`: all points as line protocol.

use anyhow::Result;
use tsm::line::{KeyLines, write_points};
use tsm::{ValuesRef, shown};

use crate::args::Export;
use crate::content::for_each;
use crate::exit::Outcome;
use crate::output::{Output, print};
use crate::paths::tsm_files;

pub(crate) fn run(export: &Export, output: Output) -> Result<Outcome> {
    let files = tsm_files(&export.paths)?;
    let range = export.times.range();
    let (mut without_field, mut unsayable) = (0_u64, 0_usize);
    print(|out| {
        for_each(&files, |key, points| {
            if !shown(key).contains(&export.key) {
                return Ok(());
            }
            let from = points.times.partition_point(|time| *time < range.min);
            let to = points.times.partition_point(|time| *time <= range.max);
            if let ValuesRef::Float(values) = points.values {
                unsayable += values[from..to.max(from)].iter().filter(|value| !value.is_finite()).count();
            }
            let Some(lines) = KeyLines::of(key) else {
                without_field += 1;
                return Ok(());
            };
            Ok(write_points(out, &lines, points.slice(from..to.max(from)))?)
        })
    })?;
    if unsayable > 0 {
        output
            .note(format_args!("{unsayable} points are comments: line protocol has no NaN and no infinity"));
    }
    if without_field > 0 {
        output.note(format_args!(
            "{without_field} blocks left out: their keys have no field, so no line can hold them"
        ));
    }
    Ok(if without_field == 0 && unsayable == 0 { Outcome::Done } else { Outcome::Wrong })
}
