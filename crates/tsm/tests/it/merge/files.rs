//! Files in memory, and the model that says what their merge must hold.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tsm::{
    BlockOrder, BlockType, Column, Decoder, Encoder, Encoding, Limits, Merge, MergeInput, MergeMode,
    MergeOptions, TimeRange, Tombstone, Tombstones, TsmReader, TsmWriter, Values, WriterOptions,
};

/// Content: key and time to a value's bits.
pub(crate) type Content = BTreeMap<(Vec<u8>, i64), Vec<u8>>;

/// A file as a test draws it: per key its blocks, and what is deleted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drawn {
    pub(crate) blocks: Vec<(Vec<u8>, Vec<Column>)>,
    pub(crate) deleted: Vec<(Vec<u8>, TimeRange)>,
}

impl Drawn {
    pub(crate) fn key(mut self, key: &str, blocks: impl IntoIterator<Item = Column>) -> Self {
        self.blocks.push((key.as_bytes().to_vec(), blocks.into_iter().collect()));
        self
    }

    pub(crate) fn minus(mut self, key: &str, min: i64, max: i64) -> Self {
        self.deleted.push((key.as_bytes().to_vec(), TimeRange::new(min, max)));
        self
    }

    /// What a node that reads only this file finds.
    pub(crate) fn content(&self) -> Content {
        let mut content = Content::new();
        for (key, blocks) in &self.blocks {
            for block in blocks {
                overlay(&mut content, key, block);
            }
        }
        content.retain(|(key, time), _| {
            !self.deleted.iter().any(|(deleted, range)| deleted == key && range.contains(*time))
        });
        content
    }

    pub(crate) fn input(&self, name: &str) -> MergeInput {
        let options = WriterOptions { order: BlockOrder::Any, ..WriterOptions::default() };
        let mut writer = TsmWriter::new(Vec::new(), name, options);
        let mut encoder = Encoder::new(Encoding::SNAPSHOT);
        for (key, blocks) in &self.blocks {
            for block in blocks {
                let _ = writer.write_points(key, block.points(), &mut encoder).unwrap();
            }
        }
        let file = writer.finish().unwrap().expect("a drawn file has blocks");
        let reader = TsmReader::new(Arc::new(file.sink), name, Limits::default()).unwrap();
        MergeInput { reader, deletions: deletions(&self.deleted) }
    }
}

pub(crate) fn deletions(deleted: &[(Vec<u8>, TimeRange)]) -> Tombstones {
    let entries: Vec<_> = deleted.iter().map(|(key, times)| Tombstone::new(key, *times)).collect();
    Tombstones::of(&entries, Path::new("drawn.tombstone")).unwrap()
}

/// Files in order, each overlaid on those before.
pub(crate) fn model(files: &[Drawn]) -> Content {
    let mut all = Content::new();
    for file in files {
        all.extend(file.content());
    }
    all
}

pub(crate) fn inputs(files: &[Drawn]) -> Vec<MergeInput> {
    files
        .iter()
        .enumerate()
        .map(|(place, file)| file.input(&format!("{:09}-000000001.tsm", place + 1)))
        .collect()
}

pub(crate) fn options(mode: MergeMode, points_per_block: usize) -> MergeOptions {
    MergeOptions { mode, points_per_block, ..MergeOptions::default() }
}

/// A block of the output, decoded.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) key: Vec<u8>,
    pub(crate) column: Column,
    pub(crate) passed: bool,
}

/// Runs a merge and checks what every output must hold, whatever its content.
pub(crate) fn merged(inputs: Vec<MergeInput>, options: MergeOptions) -> tsm::Result<Vec<Written>> {
    let mut merge = Merge::new(inputs, options)?;
    let (mut all, mut decoder) = (Vec::<Written>::new(), Decoder::default());
    while let Some(block) = merge.next_block()? {
        let mut column = Column::empty(BlockType::Float);
        decoder.decode_bytes(block.block.bytes(), &mut column).unwrap();
        assert!(column.is_sorted(), "times ascend");
        assert_eq!(column.time_range(), Some(block.times), "the index tells the truth");
        assert_eq!((column.len() as u64, column.kind()), (block.points, block.kind));
        assert!(
            block.passed || column.len() <= options.points_per_block,
            "no block is larger than asked for"
        );
        let (key, passed) = (block.key.to_vec(), block.passed);
        if let Some(last) = all.last() {
            let after = last.column.time_range().unwrap().max < block.times.min;
            assert!(last.key < key || (last.key == key && after), "keys ascend, blocks of a key are apart");
        }
        all.push(Written { key, column, passed });
    }
    assert_eq!(merge.tally().points, all.iter().map(|block| block.column.len() as u64).sum::<u64>());
    Ok(all)
}

pub(crate) fn content_of(blocks: &[Written]) -> Content {
    let mut content = Content::new();
    for block in blocks {
        overlay(&mut content, &block.key, &block.column);
    }
    content
}

pub(crate) fn overlay(content: &mut Content, key: &[u8], column: &Column) {
    for (index, time) in column.times().iter().enumerate() {
        content.insert((key.to_vec(), *time), bits(column.values(), index));
    }
}

/// What the output is as a file that can be merged again.
pub(crate) fn as_drawn(blocks: &[Written]) -> Drawn {
    let mut drawn = Drawn::default();
    for block in blocks {
        match drawn.blocks.last_mut() {
            Some((key, columns)) if *key == block.key => columns.push(block.column.clone()),
            _ => drawn.blocks.push((block.key.clone(), vec![block.column.clone()])),
        }
    }
    drawn
}

fn bits(values: &Values, index: usize) -> Vec<u8> {
    match values {
        Values::Float(values) => values[index].to_bits().to_be_bytes().to_vec(),
        Values::Integer(values) => values[index].to_be_bytes().to_vec(),
        Values::Boolean(values) => vec![u8::from(values[index])],
        Values::String(values) => values.get(index).to_vec(),
        Values::Unsigned(values) => values[index].to_be_bytes().to_vec(),
    }
}

/// A block of floats, all of one value.
pub(crate) fn floats(times: &[i64], value: f64) -> Column {
    Column::new(times.to_vec(), Values::Float(vec![value; times.len()])).unwrap()
}
