//! The format of lines, held to the port's contract.

use std::collections::BTreeMap;

use segment_compaction::conformance::Sample;
use segment_compaction::{FormatError, Segment};

use crate::lines::{self, Lines, Sheet};

struct LinesSample;

impl Sample for LinesSample {
    type Format = Lines;

    fn format(&self) -> Lines {
        Lines { lines_max: 1000 }
    }

    fn write(&self, writer: &mut Sheet, key: u16, value: u16) -> Result<(), FormatError> {
        writer.line(&format!("{key:05}"), &value.to_string())
    }

    fn content(&self, segments: &[Segment]) -> Result<BTreeMap<u16, u16>, FormatError> {
        let all = lines::content(segments)?.into_iter();
        Ok(all.map(|(key, value)| (key.parse().unwrap(), value.parse().unwrap())).collect())
    }

    fn delete(&self, segment: &Segment, key: u16) -> Result<(), FormatError> {
        lines::delete(segment, &format!("{key:05}"))
    }
}

segment_compaction::segment_format!(lines_format, || LinesSample);
