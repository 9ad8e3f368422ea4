//! Whole blocks, without checksum.

use tsm::{Block, BlockType, Column, Decoder, Encoding, Fault};

use super::{LIMITS, Outcome, Target, magnitude, outcome, sample};

pub(super) const TARGET: Target = Target { name: "block", run, seeds, kinds: &[], counted: false };

fn seeds() -> Vec<Vec<u8>> {
    sample::columns().iter().map(|column| sample::encoded(column, Encoding::COMPACTION)).collect()
}

fn run(bytes: &[u8]) -> Outcome {
    match Block::parse(bytes).and_then(|block| checked(&block)) {
        Ok(column) => outcome(&(column.kind(), magnitude(column.len()), bytes.first(), bytes.get(2))),
        Err(fault) => outcome(&fault),
    }
}

/// Decodes a block; what decodes has the count that was told before, and comes back when it is encoded again.
pub(super) fn checked(block: &Block<'_>) -> Result<Column, Fault> {
    let mut decoder = Decoder::new(LIMITS);
    let mut column = Column::empty(BlockType::Float);
    let count = block.count();
    decoder.decode(block, &mut column)?;
    assert_eq!(count, Ok(column.len() as u64), "count without decoding");
    assert_eq!(column.len(), column.values().len(), "as many values as timestamps");
    for encoding in [Encoding::SNAPSHOT.keeping_nans(), Encoding::COMPACTION.keeping_nans()] {
        let mut back = Column::empty(BlockType::Float);
        decoder
            .decode_bytes(&sample::encoded(&column, encoding), &mut back)
            .expect("it was encoded just now");
        assert!(back.same_bits(&column), "there and back");
    }
    Ok(column)
}
