//! Columns to blocks and back. Both directions keep their working memory, so that in the long run nothing is
//! allocated per block, let alone per point.

use crate::encoding::{Encoding, booleans, floats, integers, put_varint, strings, timestamps};
use crate::{Block, BlockType, Column, Fault, Limits, Points, Refusal, Values, ValuesRef};

/// Makes blocks of points.
#[derive(Debug)]
pub struct Encoder {
    encoding: Encoding,
    times: Vec<u8>,
    deltas: Vec<u64>,
    strings: strings::StringEncoder,
}

impl Encoder {
    /// An encoder that writes as told.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, times: Vec::new(), deltas: Vec::new(), strings: strings::StringEncoder::default() }
    }

    /// Appends the block of some points, without checksum. What it refuses leaves `out` as it was.
    pub fn encode(&mut self, points: Points<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let (times, values) = (points.times.len(), points.values.len());
        if times != values {
            return Err(Refusal::CountMismatch { times, values });
        }
        if times == 0 {
            return Err(Refusal::NoPoints);
        }
        let start = out.len();
        self.times.clear();
        timestamps::encode(points.times, self.encoding.family, &mut self.deltas, &mut self.times);
        out.push(points.values.kind().byte());
        put_varint(self.times.len() as u64, out);
        out.extend_from_slice(&self.times);
        self.values(points.values, out).inspect_err(|_| out.truncate(start))
    }

    fn values(&mut self, values: ValuesRef<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Encoding { family, nans } = self.encoding;
        match values {
            ValuesRef::Float(values) => return floats::encode(values, nans, out),
            ValuesRef::Integer(values) => integers::encode(values, family, &mut self.deltas, out),
            ValuesRef::Unsigned(values) => integers::encode(values, family, &mut self.deltas, out),
            ValuesRef::Boolean(values) => booleans::encode(values, family, out),
            ValuesRef::String(values) => return self.strings.encode(values, out),
        }
        Ok(())
    }
}

/// Makes columns of blocks.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    strings: strings::StringDecoder,
}

impl Decoder {
    /// A decoder that grants no more than `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, strings: strings::StringDecoder::default() }
    }

    /// Replaces `out` by the points of a block: at least one, and as many values as timestamps. Whether the
    /// timestamps ascend is not checked here. After a fault `out` is empty.
    pub fn decode(&mut self, block: &Block<'_>, out: &mut Column) -> Result<(), Fault> {
        let outcome = self.decode_into(block, out);
        if outcome.is_err() {
            out.reset(block.kind);
        }
        outcome
    }

    fn decode_into(&mut self, block: &Block<'_>, out: &mut Column) -> Result<(), Fault> {
        out.reset(block.kind);
        let (times, values) = out.parts_mut();
        timestamps::decode(block.times, self.limits.points, times)?;
        let count = times.len();
        if count == 0 {
            return Err(Fault::NoPoints);
        }
        match values {
            Values::Float(values) => floats::decode(block.values, count, values),
            Values::Integer(values) => integers::decode(block.values, count, values),
            Values::Unsigned(values) => integers::decode(block.values, count, values),
            Values::Boolean(values) => booleans::decode(block.values, count, values),
            Values::String(values) => {
                self.strings.decode(block.values, count, self.limits.string_bytes, values)
            }
        }
    }

    /// Parses and decodes.
    pub fn decode_bytes(&mut self, block: &[u8], out: &mut Column) -> Result<BlockType, Fault> {
        let block = Block::parse(block)?;
        self.decode(&block, out).map(|()| block.kind)
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}
