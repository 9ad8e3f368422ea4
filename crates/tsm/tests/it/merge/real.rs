//! Merging real files of `InfluxDB`: against the model, in both modes and for any size of block.

use std::sync::Arc;

use tsm::{
    BlockType, Column, Decoder, Limits, MergeInput, MergeMode, TimeRange, Tombstones, TsmReader, Values,
};

use super::files::{Content, Drawn, content_of, deletions, merged, options, overlay};
use crate::data::real;

fn input(name: &str, bytes: &[u8]) -> MergeInput {
    let reader = TsmReader::new(Arc::new(bytes.to_vec()), name, Limits::default()).unwrap();
    MergeInput { reader, deletions: Tombstones::default() }
}

fn content(input: &MergeInput) -> Content {
    let (mut cursor, mut buffer, mut decoder) = (input.reader.cursor(), Vec::new(), Decoder::default());
    let mut content = Content::new();
    while cursor.advance().unwrap() {
        for entry in cursor.entries() {
            let kind = cursor.kind().unwrap();
            let block = input.reader.read_block(cursor.key(), kind, entry, &mut buffer).unwrap();
            let mut column = Column::empty(BlockType::Float);
            decoder.decode(&block.parse().unwrap(), &mut column).unwrap();
            overlay(&mut content, cursor.key(), &column);
        }
    }
    let deleted = &input.deletions;
    content.retain(|(key, time), _| !deleted.ranges(key).iter().any(|range| range.contains(*time)));
    content
}

#[test]
fn two_real_files_become_one_block_a_key() {
    let (Some(a), Some(b)) = (real("merge_a.tsm"), real("merge_b.tsm")) else { return };
    let both = || vec![input("000000001-000000001.tsm", &a), input("000000002-000000001.tsm", &b)];
    let mut expected = content(&both()[0]);
    expected.extend(content(&both()[1]));
    assert_eq!(expected.len(), 5384);
    for (mode, size) in
        [(MergeMode::Full, 1000), (MergeMode::Fast, 1000), (MergeMode::Full, 7), (MergeMode::Full, 1)]
    {
        let blocks = merged(both(), options(mode, size)).unwrap();
        assert_eq!(content_of(&blocks), expected, "{mode:?} {size}");
        if (mode, size) == (MergeMode::Full, 1000) {
            assert_eq!(blocks.len(), 212);
        }
    }
}

#[test]
fn the_large_real_file_with_overwrites_and_tombstones_equals_the_model() {
    let Some(bytes) = real("000000000000005-000000002.tsm") else { return };
    let mut base = input("000000005-000000002.tsm", &bytes);
    let keys: Vec<(Vec<u8>, TimeRange)> = {
        let (mut cursor, mut keys) = (base.reader.cursor(), Vec::new());
        while cursor.advance().unwrap() {
            if cursor.kind().unwrap() == BlockType::Float {
                keys.push((cursor.key().to_vec(), cursor.times().unwrap()));
            }
        }
        keys
    };
    // Every fifth key loses a third of its time, every seventh all of it; every third is overwritten in part.
    let third = |times: &TimeRange| (times.max - times.min) / 3;
    let some = |step| keys.iter().step_by(step);
    let partly = some(5).map(|(key, times)| {
        (key.clone(), TimeRange::new(times.min + third(times), times.max - third(times)))
    });
    let wholly = some(7).map(|(key, _)| (key.clone(), TimeRange::ALL));
    base.deletions = deletions(&partly.chain(wholly).collect::<Vec<_>>());
    let mut newer = Drawn::default();
    for (key, times) in some(3) {
        let stamps: Vec<i64> = (0..300).map(|n| times.min + third(times) + n * 1_000_003).collect();
        let column =
            |part: &[i64]| Column::new(part.to_vec(), Values::Float(vec![0.25; part.len()])).unwrap();
        newer.blocks.push((key.clone(), stamps.chunks(125).map(column).collect()));
    }
    let newer = newer.input("000000006-000000001.tsm");
    let mut expected = content(&base);
    expected.extend(content(&newer));
    for mode in [MergeMode::Full, MergeMode::Fast] {
        let blocks = merged(vec![base.clone(), newer.clone()], options(mode, 1000)).unwrap();
        assert!(blocks.iter().any(|block| block.passed) && blocks.iter().any(|block| !block.passed));
        assert!(content_of(&blocks) == expected, "{mode:?}");
    }
}
