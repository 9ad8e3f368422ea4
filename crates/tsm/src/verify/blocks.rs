//! One block against what the index says of it.

use std::sync::Arc;

use super::Report;
use crate::cursor::Source;
use crate::entry::Entry;
use crate::error::Result;
use crate::reader::read_sealed;
use crate::{BlockType, Column, Decoder, Fault, Limits, TimeRange};

/// Reads and decodes blocks, with memory that is used again.
pub(super) struct BlockCheck {
    source: Arc<Source>,
    limits: Limits,
    decoder: Decoder,
    full_block: usize,
    buffer: Vec<u8>,
    column: Column,
}

impl BlockCheck {
    pub(super) fn new(source: Arc<Source>, limits: Limits, full_block: usize) -> Self {
        let column = Column::empty(BlockType::Float);
        Self { source, limits, decoder: Decoder::new(limits), full_block, buffer: Vec::new(), column }
    }

    pub(super) fn check(
        &mut self,
        key: &[u8],
        kind: BlockType,
        entry: &Entry,
        report: &mut Report,
    ) -> Result<()> {
        let at = self.source.at().key(key).offset(entry.offset);
        let sealed = match read_sealed(&self.source, self.limits, entry, &mut self.buffer) {
            Ok(sealed) => sealed,
            Err(error) => return report.note(error.with_key(key)),
        };
        report.block_bytes += u64::from(entry.size);
        match self.decoder.decode_bytes(sealed.bytes(), &mut self.column) {
            Ok(block) if block != kind => {
                report.note(at.clone().damaged(Fault::TypeMismatch { index: kind, block }))?;
            }
            Ok(_) => {}
            Err(fault) => return report.note(at.damaged(fault)),
        }
        report.points += self.column.len() as u64;
        report.points_max = report.points_max.max(self.column.len() as u64);
        report.full_blocks += u64::from(self.column.len() >= self.full_block);
        let times = self.column.times();
        if let Some(index) = times.windows(2).position(|pair| pair[0] >= pair[1]) {
            report.note(at.clone().damaged(Fault::TimeOrder { index: index + 1 }))?;
        }
        match span(times).filter(|span| *span != entry.times) {
            None => Ok(()),
            Some(TimeRange { min, max }) => {
                let (index_min, index_max) = (entry.times.min, entry.times.max);
                report.note(at.damaged(Fault::IndexTimes { index_min, index_max, min, max }))
            }
        }
    }
}

/// Least and greatest time, whatever their order.
fn span(times: &[i64]) -> Option<TimeRange> {
    Some(TimeRange::new(*times.iter().min()?, *times.iter().max()?))
}
