//! What is written is what is read.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tsm::{BlockOrder, BlockType, Encoder, Encoding, IndexBuffer, Refusal, Room, SealedBlock};
use tsm::{Strings, TimeRange, TsmWriter, Values, WriterOptions};

use crate::data::open;
use crate::sample::{Content, column, content, encode, file, file_with, ramp, same};

fn writer(options: WriterOptions) -> TsmWriter<Vec<u8>> {
    TsmWriter::new(Vec::new(), "000000001-000000001.tsm", options)
}

fn of_all_types() -> Content {
    let blocks = |kind| vec![ramp(kind, 0, 1000), ramp(kind, 2_000_000_000_000, 3)];
    BlockType::ALL.into_iter().map(|kind| (format!("m,t=v#!~#{kind}").into_bytes(), blocks(kind))).collect()
}

#[test]
fn a_file_of_all_types_comes_back() {
    let written = of_all_types();
    let reader = open("a.tsm", file(&written));
    assert!(same(&content(&reader), &written));
    assert_eq!((reader.summary().keys, reader.summary().blocks), (5, 10));
    assert_eq!(reader.summary().first_key[..], *b"m,t=v#!~#boolean");
    assert_eq!(reader.summary().last_key[..], *b"m,t=v#!~#unsigned");
}

#[test]
fn an_index_in_a_spill_file_gives_the_same_bytes_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for memory_max in [0, 100, 1 << 20] {
        let index = IndexBuffer::spilling_to_file(memory_max, folder.path().join("a.idx.tmp"));
        let spilled = file_with(&of_all_types(), WriterOptions { index, ..WriterOptions::default() });
        assert!(spilled == file(&of_all_types()), "{memory_max}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}

#[test]
fn a_spill_file_that_is_there_already_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.idx.tmp");
    std::fs::write(&path, "mine").unwrap();
    let index = IndexBuffer::spilling_to_file(0, path.clone());
    let mut writer = writer(WriterOptions { index, ..WriterOptions::default() });
    let _ = writer
        .write_points(b"k", ramp(BlockType::Float, 0, 1).points(), &mut Encoder::new(Encoding::SNAPSHOT))
        .unwrap();
    assert_eq!(writer.finish().unwrap_err().io_kind(), Some(tsm::IoKind::Exists));
    assert_eq!(std::fs::read(path).unwrap(), b"mine");
}

#[test]
fn times_at_the_ends_of_time_and_before_1970_come_back() {
    let times: [&[i64]; 4] = [&[i64::MIN, 0, i64::MAX], &[i64::MIN], &[i64::MAX], &[-20, -10, -1]];
    for times in times {
        let one = column(times, Values::Boolean(vec![true; times.len()]));
        let written = Content::from([(b"k".to_vec(), vec![one])]);
        let reader = open("a.tsm", file(&written));
        assert!(same(&content(&reader), &written));
        assert_eq!(reader.summary().times, TimeRange::new(times[0], times[times.len() - 1]));
    }
}

#[test]
fn the_longest_key_is_written_and_a_longer_one_refused() {
    let longest = vec![0xff; 65_535];
    let written = Content::from([(longest.clone(), vec![ramp(BlockType::Integer, 0, 2)])]);
    assert!(same(&content(&open("a.tsm", file(&written))), &written));
    let mut longer = longest;
    longer.push(0);
    let points = ramp(BlockType::Integer, 0, 2);
    let error = writer(WriterOptions::default())
        .write_points(&longer, points.points(), &mut Encoder::new(Encoding::SNAPSHOT))
        .unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::KeyTooLong { len: 65_536 }));
    assert!(error.to_string().contains("000000001-000000001.tsm, key"), "{error}");
}

#[test]
fn a_key_has_room_for_65535_blocks_and_no_more() {
    let mut writer = writer(WriterOptions::default());
    for time in 0..65_535_i64 {
        let block = encode(Encoding::COMPACTION, column(&[time], Values::Boolean(vec![true])).points());
        let room = writer.write_block(b"k", TimeRange::new(time, time), SealedBlock::seal(&block)).unwrap();
        assert_eq!(room, if time == 65_534 { Room::KeyFull } else { Room::More });
    }
    let block = encode(Encoding::COMPACTION, column(&[70_000], Values::Boolean(vec![true])).points());
    let sealed = SealedBlock::seal(&block);
    let error = writer.write_block(b"k", TimeRange::new(70_000, 70_000), sealed).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::TooManyBlocks));
    assert_eq!(writer.write_block(b"l", TimeRange::new(0, 0), sealed).unwrap(), Room::More);
    let reader = open("a.tsm", writer.finish().unwrap().unwrap().sink);
    assert_eq!(reader.find(b"k").unwrap().unwrap().entries.len(), 65_535);
    assert_eq!(reader.find(b"l").unwrap().unwrap().entries.len(), 1);
}

#[test]
fn the_block_that_crosses_the_size_limit_is_written_and_said_to_fill_the_file() {
    let block = encode(Encoding::COMPACTION, ramp(BlockType::Float, 0, 100).points());
    let sealed = SealedBlock::seal(&block);
    let one = 4 + block.len() as u64 + 28;
    let limit = 5 + 8 + 6 + 3 * one;
    let mut writer = writer(WriterOptions { file_bytes_max: limit, ..WriterOptions::default() });
    let mut rooms = Vec::new();
    for start in 0..4 {
        rooms.push(writer.write_block(b"k", TimeRange::new(start, start), sealed).unwrap());
        assert_eq!(writer.size(), 5 + 8 + 6 + rooms.len() as u64 * one);
    }
    assert_eq!(rooms, [Room::More, Room::More, Room::More, Room::FileFull]);
    assert_eq!(writer.finish().unwrap().unwrap().sink.len() as u64, limit + one);
}

#[test]
fn a_writer_without_blocks_writes_nothing() {
    let writer = writer(WriterOptions::default());
    assert_eq!(writer.size(), 0);
    assert!(writer.finish().unwrap().is_none());
}

#[test]
fn what_does_not_fit_is_refused_and_the_file_goes_on_without_it() {
    let float = encode(Encoding::COMPACTION, ramp(BlockType::Float, 0, 3).points());
    let boolean = encode(Encoding::COMPACTION, ramp(BlockType::Boolean, 0, 3).points());
    let (float, boolean) = (SealedBlock::seal(&float), SealedBlock::seal(&boolean));
    let mut writer = writer(WriterOptions::default());
    let _ = writer.write_block(b"m", TimeRange::new(10, 20), float).unwrap();
    for (key, min, max, block, refusal) in [
        (b"l", 30, 40, float, Refusal::KeyOrder { previous: "m".into() }),
        (b"m", 30, 40, boolean, Refusal::MixedTypes { key: BlockType::Float, block: BlockType::Boolean }),
        (b"m", 20, 40, float, Refusal::BlockOrder { min: 20, previous: 20 }),
        (b"m", 1, 2, float, Refusal::BlockOrder { min: 1, previous: 20 }),
        (b"m", 40, 30, float, Refusal::TimesReversed { min: 40, max: 30 }),
        (b"n", 1, 2, SealedBlock::seal(b""), Refusal::NotABlock),
        (b"n", 1, 2, SealedBlock::seal(b"\x05"), Refusal::NotABlock),
    ] {
        let error = writer.write_block(key, TimeRange::new(min, max), block).unwrap_err();
        assert_eq!(error.refusal(), Some(&refusal));
    }
    let _ = writer.write_block(b"m", TimeRange::new(21, 22), float).unwrap();
    let reader = open("a.tsm", writer.finish().unwrap().unwrap().sink);
    assert_eq!((reader.summary().keys, reader.summary().blocks), (1, 2));
}

#[test]
fn blocks_in_any_order_are_listed_by_time_where_that_is_asked_for() {
    let blocks = [ramp(BlockType::Float, 5_000_000_000, 3), ramp(BlockType::Float, 0, 9)];
    let options = WriterOptions { order: BlockOrder::Any, ..WriterOptions::default() };
    let reader = open("a.tsm", file_with(&BTreeMap::from([(b"k".to_vec(), blocks.to_vec())]), options));
    let entries = reader.find(b"k").unwrap().unwrap().entries;
    assert_eq!(entries.iter().map(|entry| entry.times.min).collect::<Vec<_>>(), [0, 5_000_000_000]);
    assert!(entries[0].offset > entries[1].offset);
}

#[test]
fn no_points_and_unequal_counts_are_refused() {
    let mut encoder = Encoder::new(Encoding::SNAPSHOT);
    let mut out = vec![1];
    let nothing = column(&[], Values::String(Strings::default()));
    assert_eq!(encoder.encode(nothing.points(), &mut out), Err(Refusal::NoPoints));
    let five = ramp(BlockType::String, 0, 5);
    let mut unequal = five.points();
    unequal.times = &unequal.times[..4];
    assert_eq!(encoder.encode(unequal, &mut out), Err(Refusal::CountMismatch { times: 4, values: 5 }));
    assert_eq!(out, [1]);
}

/// Columns of a key that ascend and stand apart, as many blocks as there are lengths.
fn key_blocks() -> impl Strategy<Value = Vec<tsm::Column>> {
    let lengths = proptest::collection::vec(1_usize..5, 1..6);
    (proptest::sample::select(&BlockType::ALL[..]), lengths, any::<i32>()).prop_map(
        |(kind, lengths, start)| {
            let starts = (i64::from(start)..).step_by(10_000_000_000);
            starts.zip(lengths).map(|(start, len)| ramp(kind, start, len)).collect()
        },
    )
}

proptest! {
    #[test]
    fn any_keys_and_blocks_come_back(
        written in proptest::collection::btree_map(proptest::collection::vec(any::<u8>(), 0..12), key_blocks(), 1..20),
        memory_max in 0_usize..500,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let index = IndexBuffer::spilling_to_file(memory_max, folder.path().join("a.idx.tmp"));
        let bytes = file_with(&written, WriterOptions { index, ..WriterOptions::default() });
        let reader = open("a.tsm", bytes);
        prop_assert!(same(&content(&reader), &written));
        for key in written.keys() {
            prop_assert_eq!(reader.find(key).unwrap().map(|record| record.entries.len()), Some(written[key].len()));
        }
    }
}
