//! Columns, files and what is in them.

use std::collections::BTreeMap;

use tsm::{
    BlockType, Column, Decoder, Encoder, Encoding, Points, Strings, TsmReader, TsmWriter, Values,
    WriterOptions,
};

/// Blocks of each key, decoded.
pub(crate) type Content = BTreeMap<Vec<u8>, Vec<Column>>;

pub(crate) fn column(times: &[i64], values: Values) -> Column {
    Column::new(times.to_vec(), values).unwrap()
}

/// `len` points of a type, one per second from `start` on.
pub(crate) fn ramp(kind: BlockType, start: i64, len: usize) -> Column {
    let times: Vec<i64> = (start..).step_by(1_000_000_000).take(len).collect();
    let number = |at: usize| i64::try_from(at).unwrap();
    let values = match kind {
        BlockType::Float => Values::Float((0..len).map(|at| at as f64 * 0.25).collect()),
        BlockType::Integer => Values::Integer((0..len).map(|at| number(at) * 7 - 50).collect()),
        BlockType::Unsigned => Values::Unsigned((0..len).map(|at| u64::MAX - at as u64).collect()),
        BlockType::Boolean => Values::Boolean((0..len).map(|at| at % 3 == 0).collect()),
        BlockType::String => Values::String((0..len).map(|at| format!("value {at}")).collect::<Strings>()),
    };
    Column::new(times, values).unwrap()
}

pub(crate) fn encode(encoding: Encoding, points: Points<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new(encoding).encode(points, &mut out).unwrap();
    out
}

/// A file of the blocks of each key.
pub(crate) fn file(content: &Content) -> Vec<u8> {
    file_with(content, WriterOptions::default())
}

pub(crate) fn file_with(content: &Content, options: WriterOptions) -> Vec<u8> {
    let mut writer = TsmWriter::new(Vec::new(), "sample.tsm", options);
    let mut encoder = Encoder::new(Encoding::COMPACTION);
    for (key, blocks) in content {
        for block in blocks {
            let _ = writer.write_points(key, block.points(), &mut encoder).unwrap();
        }
    }
    let finished = writer.finish().unwrap().unwrap();
    assert_eq!(finished.file_bytes, finished.sink.len() as u64);
    finished.sink
}

/// All of a file, decoded.
pub(crate) fn content(reader: &TsmReader) -> Content {
    let (mut cursor, mut buffer, mut decoder) = (reader.cursor(), Vec::new(), Decoder::default());
    let mut all = Content::new();
    while cursor.advance().unwrap() {
        let mut blocks = Vec::new();
        for entry in cursor.entries() {
            let mut block = Column::empty(BlockType::Float);
            let kind = cursor.kind().unwrap();
            let sealed = reader.read_block(cursor.key(), kind, entry, &mut buffer).unwrap();
            decoder.decode(&sealed.parse().unwrap(), &mut block).unwrap();
            assert_eq!(block.time_range(), Some(entry.times));
            blocks.push(block);
        }
        all.insert(cursor.key().to_vec(), blocks);
    }
    all
}

/// Whether two files hold the same, compared by bits.
pub(crate) fn same(a: &Content, b: &Content) -> bool {
    let blocks =
        |a: &[Column], b: &[Column]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_bits(b));
    a.len() == b.len() && a.iter().zip(b).all(|((a, x), (b, y))| a == b && blocks(x, y))
}
