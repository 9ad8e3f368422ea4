//! Memory that a merge keeps from block to block, so that in the long run nothing is allocated.

use std::io;

use segment_compaction::Cancel;

use super::key::Source;
use crate::encoding::timestamps;
use crate::layout::CRC_LEN;
use crate::{
    At, BlockType, Column, Decoder, Encoder, Encoding, Fault, Limits, Result, SealedBlock, TimeRange,
    TsmReader,
};

/// Buffers, decoder, encoder, and decoded blocks to use again.
pub(super) struct Scratch {
    decoder: Decoder,
    encoder: Encoder,
    /// The block that was read last, behind its checksum.
    raw: Vec<u8>,
    crc: u32,
    times: Vec<i64>,
    /// The block that was encoded last.
    encoded: Vec<u8>,
    /// Points that wait for a block to become full.
    pub(super) pending: Column,
    /// Columns to decode into.
    pub(super) spent: Vec<Column>,
    /// Asked before a block is read.
    pub(super) cancel: Cancel,
}

impl Scratch {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            decoder: Decoder::new(limits),
            // What came out of a file must go into one, also NaN that another writer let in.
            encoder: Encoder::new(Encoding::COMPACTION.keeping_nans()),
            raw: Vec::new(),
            crc: 0,
            times: Vec::new(),
            encoded: Vec::new(),
            pending: Column::empty(BlockType::Float),
            spent: Vec::new(),
            cancel: Cancel::never(),
        }
    }

    /// Reads a block, which stays until the next is read; tells how many points it says it holds.
    pub(super) fn read(
        &mut self,
        reader: &TsmReader,
        key: &[u8],
        kind: BlockType,
        source: &Source,
    ) -> Result<u64> {
        let cancelled = |cancelled| At::file(reader.file()).io("read", io::Error::other(cancelled));
        self.cancel.check().map_err(cancelled)?;
        let sealed = reader.read_block(key, kind, &source.entry, &mut self.raw)?;
        self.crc = sealed.crc();
        sealed.parse().and_then(|block| block.count()).map_err(|fault| damaged(reader, key, source, fault))
    }

    /// First and last time of the block that was read last; `None` if its times do not ascend, so that it cannot
    /// stay as it is.
    pub(super) fn times(
        &mut self,
        reader: &TsmReader,
        key: &[u8],
        source: &Source,
    ) -> Result<Option<TimeRange>> {
        let mut times = std::mem::take(&mut self.times);
        times.clear();
        let limit = reader.limits().points;
        let decoded =
            self.passed().parse().and_then(|block| timestamps::decode(block.times, limit, &mut times));
        self.times = times;
        decoded.map_err(|fault| damaged(reader, key, source, fault))?;
        if !self.times.is_sorted_by(|a, b| a < b) {
            return Ok(None);
        }
        inside(&self.times, source.entry.times).map(Some).map_err(|fault| damaged(reader, key, source, fault))
    }

    /// Decodes the block that was read last: sorted, each time once, and not outside of what the index says.
    pub(super) fn decode(
        &mut self,
        reader: &TsmReader,
        key: &[u8],
        source: &Source,
    ) -> Result<(Column, TimeRange)> {
        let mut column = self.spent.pop().unwrap_or_else(|| Column::empty(BlockType::Float));
        let block = SealedBlock::checked(self.crc, &self.raw[CRC_LEN..]);
        let decoded = block.parse().and_then(|block| self.decoder.decode(&block, &mut column));
        decoded.map_err(|fault| damaged(reader, key, source, fault))?;
        // Older versions wrote such blocks; the value that was written last comes last.
        column.sort_and_dedup();
        let times = inside(column.times(), source.entry.times);
        times.map(|times| (column, times)).map_err(|fault| damaged(reader, key, source, fault))
    }

    /// The block that was read last.
    pub(super) fn passed(&self) -> SealedBlock<'_> {
        SealedBlock::checked(self.crc, &self.raw[CRC_LEN..])
    }

    /// The block that was encoded last.
    pub(super) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Encodes the first `count` pending points and takes them away; their times.
    pub(super) fn encode(&mut self, key: &[u8], count: usize) -> Result<TimeRange> {
        self.encoded.clear();
        let points = self.pending.slice(0..count);
        let at = || At::file(&"the merged file".into()).key(key);
        let times = points.time_range().ok_or_else(|| at().damaged(Fault::NoPoints))?;
        self.encoder.encode(points, &mut self.encoded).map_err(|refusal| at().refused(refusal))?;
        if count == self.pending.len() {
            self.pending.reset(self.pending.kind());
        } else {
            self.pending.remove(0..count);
        }
        Ok(times)
    }
}

/// First and last of sorted times, which the index must hold: whoever planned by an index that claims less has
/// planned wrongly, and values of other blocks may be out already.
fn inside(times: &[i64], index: TimeRange) -> Result<TimeRange, Fault> {
    let (Some(min), Some(max)) = (times.first(), times.last()) else { return Err(Fault::NoPoints) };
    let (min, max) = (*min, *max);
    let times = TimeRange { min, max };
    let fault = Fault::IndexTimes { index_min: index.min, index_max: index.max, min, max };
    if index.covers(times) { Ok(times) } else { Err(fault) }
}

fn damaged(reader: &TsmReader, key: &[u8], source: &Source, fault: Fault) -> crate::Error {
    At::file(reader.file()).key(key).offset(source.entry.offset).damaged(fault)
}
