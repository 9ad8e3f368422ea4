//! The published clauses of the format port.

use std::collections::BTreeMap;

use segment_compaction::conformance::Sample;
use segment_compaction::{FormatError, Segment};
use tsm::{Column, TimeRange, TsmFormat, TsmSegmentWriter, Values};

use super::folder::{content, delete, format};

struct TsmSample;

/// Entry `n` is a point of key `n`.
fn key(number: u16) -> String {
    format!("m,n={number:05}#!~#f")
}

impl Sample for TsmSample {
    type Format = TsmFormat;

    fn format(&self) -> TsmFormat {
        format()
    }

    fn write(&self, writer: &mut TsmSegmentWriter, number: u16, value: u16) -> Result<(), FormatError> {
        let column = Column::new(vec![7], Values::Integer(vec![value.into()])).unwrap();
        writer.write_points(key(number).as_bytes(), column.points())
    }

    fn content(&self, segments: &[Segment]) -> Result<BTreeMap<u16, u16>, FormatError> {
        let number = |key: &str| key[4..9].parse().unwrap();
        Ok(content(segments)
            .into_iter()
            .map(|((key, _), value)| (number(&key), value.parse().unwrap()))
            .collect())
    }

    fn delete(&self, segment: &Segment, number: u16) -> Result<(), FormatError> {
        delete(segment, &key(number), TimeRange::ALL).map_err(FormatError::refused)
    }
}

segment_compaction::segment_format!(tsm_format, || TsmSample);
