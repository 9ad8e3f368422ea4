//! What `verify` says of files that are wrong in one way each.

use std::sync::Arc;

use tsm::verify::{Class, Options, Report, verify, verify_file, watched};
use tsm::{
    BlockOrder, BlockType, Column, Encoding, Fault, IndexSeal, IoKind, Limits, SealedBlock, StatsMode,
};
use tsm::{TimeRange, TsmReader, TsmWriter, Values, WriterOptions};

use crate::data;
use crate::sample::{Content, column, encode, file, file_with, ramp};

fn verified(bytes: Vec<u8>) -> Report {
    verify(Arc::new(bytes), "a.tsm", Limits::default()).unwrap()
}

fn first(bytes: Vec<u8>) -> (Class, Fault) {
    let report = verified(bytes);
    let finding = report.findings.first().expect("something is wrong");
    assert!(finding.to_string().starts_with("a.tsm"), "{finding}");
    (finding.class(), finding.fault.clone())
}

fn two_keys() -> Content {
    let block = |kind, start| vec![ramp(kind, start, 3)];
    Content::from([
        (b"a".to_vec(), block(BlockType::Float, 0)),
        (b"b".to_vec(), block(BlockType::Integer, 7)),
    ])
}

/// A file of one key, of blocks that may be anything.
fn blocks(blocks: &[(TimeRange, &[u8])]) -> Vec<u8> {
    let options = WriterOptions { order: BlockOrder::Any, ..WriterOptions::default() };
    let mut writer = TsmWriter::new(Vec::new(), "a.tsm", options);
    for (times, block) in blocks {
        let _ = writer.write_block(b"k", *times, SealedBlock::seal(block)).unwrap();
    }
    writer.finish().unwrap().unwrap().sink
}

fn booleans(times: &[i64]) -> Vec<u8> {
    encode(Encoding::COMPACTION, column(times, Values::Boolean(vec![true; times.len()])).points())
}

#[test]
fn whole_files_are_clean_and_counted() {
    for seal in [IndexSeal::None, IndexSeal::Crc] {
        let report = verified(file_with(&two_keys(), WriterOptions { seal, ..WriterOptions::default() }));
        assert!(report.is_clean(), "{:?}", report.findings);
        assert_eq!((report.keys, report.blocks, report.points), (2, 2, 6));
        assert_eq!(report.bare_key_bytes, if seal == IndexSeal::None { 2 } else { 0 });
    }
}

#[test]
fn real_files_are_clean() {
    for (name, points) in data::REAL.into_iter().zip([1_102, 4_282, 948_193]) {
        let Some(bytes) = data::real(name) else { return };
        let report = verified(bytes);
        assert!(report.is_clean(), "{name}: {:?}", report.findings);
        assert_eq!(report.points, points, "{name}");
    }
}

#[test]
fn a_file_that_is_no_tsm_file_is_named_as_what_it_is_not() {
    let with = |at: usize, byte: u8| {
        let mut bytes = file(&two_keys());
        let at = if at > 4 { bytes.len() - 8 } else { at };
        bytes[at] = byte;
        bytes
    };
    assert_eq!(first(Vec::new()), (Class::Structure, Fault::TooShort { len: 0 }));
    assert_eq!(first(with(0, 0)), (Class::Structure, Fault::Magic { found: 0x00d1_16d1 }));
    assert_eq!(first(with(4, 2)), (Class::Structure, Fault::Version { found: 2 }));
    assert!(matches!(first(with(5, 1)), (Class::Structure, Fault::IndexStart { .. })));
    assert_eq!(verify_file("nowhere.tsm").unwrap_err().io_kind(), Some(IoKind::Missing));
    assert!(
        TsmReader::open("nowhere.tsm").is_err_and(|error| error.to_string().contains("open nowhere.tsm"))
    );
}

#[test]
fn overlap_and_order_within_a_key_are_found() {
    let (early, late) = (booleans(&[1, 2, 5]), booleans(&[4, 8]));
    let overlapping = blocks(&[(TimeRange::new(1, 5), &early), (TimeRange::new(4, 8), &late)]);
    assert_eq!(first(overlapping), (Class::Overlap, Fault::Overlap { min: 4, previous: 5 }));
    // Entries out of order can only come from elsewhere: swap them in the bytes.
    let apart = booleans(&[7, 8]);
    let mut bytes = blocks(&[(TimeRange::new(1, 5), &early), (TimeRange::new(7, 8), &apart)]);
    let entries = bytes.len() - 8 - 56;
    bytes[entries..entries + 56].rotate_left(28);
    assert_eq!(first(bytes), (Class::Order, Fault::EntryOrder { min: 1, previous: 7 }));
}

#[test]
fn timestamps_that_do_not_ascend_are_found() {
    let block = booleans(&[1, 5, 5]);
    assert_eq!(
        first(blocks(&[(TimeRange::new(1, 5), &block)])),
        (Class::Order, Fault::TimeOrder { index: 2 })
    );
}

#[test]
fn an_index_that_claims_other_times_is_found() {
    // InfluxDB 1.7.0 wrote such blocks: the last point of a run was lost, but counted in the index.
    let block = booleans(&[1, 2]);
    let fault = Fault::IndexTimes { index_min: 1, index_max: 3, min: 1, max: 2 };
    assert_eq!(first(blocks(&[(TimeRange::new(1, 3), &block)])), (Class::Index, fault));
}

#[test]
fn a_block_that_cannot_be_decoded_is_found_by_key_and_offset() {
    let mut block = booleans(&[1, 2]);
    *block.last_mut().unwrap() = 0x0f;
    let report = verified(blocks(&[(TimeRange::new(1, 2), &block)]));
    let finding = &report.findings[0];
    assert_eq!(finding.class(), Class::Decode);
    assert!(finding.to_string().starts_with("a.tsm, key `k`, offset 5: "), "{finding}");
}

#[test]
fn damage_in_one_block_leaves_the_rest_verified() {
    let mut bytes = file(&two_keys());
    bytes[10] ^= 1;
    let report = verified(bytes);
    assert_eq!((report.found, report.keys, report.points), (1, 2, 3));
    assert_eq!(report.findings[0].class(), Class::Checksum);
}

#[test]
fn mixed_types_under_one_key_are_found() {
    let mut bytes = file(&Content::from([(b"k".to_vec(), vec![ramp(BlockType::Integer, 0, 3)])]));
    let kind = bytes.len() - 8 - 28 - 3;
    bytes[kind] = BlockType::Unsigned.byte();
    let fault = Fault::TypeMismatch { index: BlockType::Unsigned, block: BlockType::Integer };
    assert_eq!(first(bytes.clone()), (Class::Index, fault.clone()));
    let reader = data::open("a.tsm", bytes);
    let record = reader.find(b"k").unwrap().unwrap();
    let error = reader.read_block(b"k", record.kind, &record.entries[0], &mut Vec::new()).unwrap_err();
    assert_eq!(error.fault(), Some(&fault));
    assert!(error.to_string().starts_with("read a.tsm, key `k`, offset 5: "), "{error}");
}

#[test]
fn keys_out_of_order_zero_counts_and_unknown_types_do_not_open() {
    let opened = |bytes: Vec<u8>| {
        let opened = TsmReader::new(Arc::new(bytes), "a.tsm", Limits::default());
        opened.err().and_then(|error| error.fault().cloned())
    };
    let bytes = file(&two_keys());
    let second = bytes.len() - 8 - 34;
    let changed = |at: usize, byte| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        bytes
    };
    let order = Fault::KeyOrder { previous: "a".into() };
    assert_eq!(opened(changed(second + 2, b'a')), Some(order.clone()));
    assert_eq!(first(changed(second + 2, b'A')), (Class::Order, order));
    assert_eq!(opened(changed(second + 3, 9)), Some(Fault::UnknownType { byte: 9 }));
    assert_eq!(first(changed(second + 3, 9)), (Class::Index, Fault::UnknownType { byte: 9 }));
    let mut no_entries = bytes.clone();
    no_entries[second + 5] = 0;
    no_entries.drain(second + 6..second + 34);
    assert_eq!(opened(no_entries.clone()), Some(Fault::NoEntries));
    assert_eq!(first(no_entries), (Class::Structure, Fault::NoEntries));
    assert_eq!(opened(changed(second + 5, 2)), Some(Fault::Truncated { what: "the index" }));
}

#[test]
fn an_entry_that_points_elsewhere_is_found() {
    let bytes = file(&two_keys());
    let entry = bytes.len() - 8 - 28;
    let mut outside = bytes.clone();
    outside[entry + 16] = 0x80;
    assert!(matches!(first(outside), (Class::Index, Fault::EntryPlace { .. })));
    let mut reversed = bytes;
    reversed[entry] = 0x7f;
    assert!(matches!(first(reversed), (Class::Index, Fault::EntryTimes { .. })));
}

#[test]
fn bytes_of_no_block_and_of_two_are_found() {
    let bytes = file(&two_keys());
    let report = verified({
        let mut bytes = bytes.clone();
        let at = bytes.len() - 8;
        let index_at = usize::try_from(u64::from_be_bytes(bytes[at..].try_into().unwrap())).unwrap();
        bytes.splice(index_at..index_at, [7; 3]);
        let end = bytes.len() - 8;
        bytes[end..].copy_from_slice(&(index_at as u64 + 3).to_be_bytes());
        bytes
    });
    assert_eq!(
        report.findings.iter().map(|f| f.fault.clone()).collect::<Vec<_>>(),
        [Fault::Unclaimed { bytes: 3 }]
    );
    let mut twice = bytes;
    let (first_entry, second_entry) = (twice.len() - 8 - 34 - 28, twice.len() - 8 - 28);
    twice.copy_within(first_entry + 16..first_entry + 28, second_entry + 16);
    let faults: Vec<_> = verified(twice).findings.into_iter().map(|finding| finding.fault).collect();
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Shared { .. })), "{faults:?}");
}

#[test]
fn findings_are_counted_beyond_those_that_are_kept() {
    let block = booleans(&[1]);
    let many: Vec<_> = (0..1500).map(|_| (TimeRange::new(2, 2), block.as_slice())).collect();
    let report = verified(blocks(&many));
    assert_eq!(report.findings.len(), 1000);
    // Each says the wrong times, and all but the first overlap the one before.
    assert_eq!(report.found, 1500 + 1499);
}

#[test]
fn a_damaged_block_cannot_be_read_so_it_cannot_be_passed_on() {
    let mut bytes = file(&two_keys());
    bytes[12] ^= 4;
    let reader = data::open("a.tsm", bytes);
    let record = reader.find(b"a").unwrap().unwrap();
    let error = reader.read_block(b"a", record.kind, &record.entries[0], &mut Vec::new()).unwrap_err();
    assert!(matches!(error.fault(), Some(Fault::Checksum { .. })), "{error}");
    let mut points = Column::empty(BlockType::Float);
    assert!(tsm::Decoder::default().decode_bytes(&[], &mut points).is_err());
}

#[test]
fn statistics_beside_a_file_are_held_against_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1-1.tsm");
    let options = WriterOptions { stats: StatsMode::Keep, ..WriterOptions::default() };
    let mut writer = TsmWriter::new(Vec::new(), "1-1.tsm", options);
    let mut encoder = tsm::Encoder::new(Encoding::COMPACTION);
    for key in ["cpu,h=a#!~#f", "mem,h=a#!~#f"] {
        let points = ramp(BlockType::Float, 0, 3);
        let _ = writer.write_points(key.as_bytes(), points.points(), &mut encoder).unwrap();
    }
    let finished = writer.finish().unwrap().unwrap();
    let (file, stats) = (finished.sink, finished.stats.unwrap().encode());
    let beside = folder.path().join("1-1.tss");
    std::fs::write(&path, &file).unwrap();
    std::fs::write(&beside, &stats).unwrap();
    assert!(verify_file(&path).unwrap().is_clean());
    // A measurement with a turned bit, which leaves the keys in order.
    let mut turned = file;
    let at = turned.windows(3).rposition(|window| window == b"mem").unwrap();
    turned[at] = b'n';
    std::fs::write(&path, &turned).unwrap();
    let report = verify_file(&path).unwrap();
    assert_eq!(report.findings[0].class(), Class::Statistics);
    assert!(report.findings[0].to_string().contains("1-1.tss: statistics: "), "{}", report.findings[0]);
    std::fs::write(&beside, &stats[..stats.len() - 1]).unwrap();
    assert_eq!(verify_file(&path).unwrap().findings[0].class(), Class::Statistics);
}

#[test]
fn a_key_of_no_form_among_keys_that_have_one_is_found_and_alone_it_is_not() {
    let blocks = |keys: &[&str]| {
        let content = keys.iter().map(|key| (key.as_bytes().to_vec(), vec![ramp(BlockType::Float, 0, 3)]));
        file(&content.collect())
    };
    assert!(verified(blocks(&["a", "b", "m#!~#f"])).is_clean());
    let report = verified(blocks(&["m,a=1#!~#f", "m,a=2#!~#f", "n,b=1,a=1#!~#f"]));
    assert_eq!((report.found, report.findings[0].class()), (1, Class::Key));
    assert!(report.findings[0].to_string().contains("its tags are not in order"), "{}", report.findings[0]);
}

#[test]
fn a_verification_is_stopped_between_two_blocks() {
    let bytes = Arc::new(file(&two_keys()));
    let mut seen = 0;
    let mut watch = |bytes| {
        seen += bytes;
        Err(std::io::Error::other("enough"))
    };
    let error = watched(bytes, "a.tsm", Options::default(), &mut watch).unwrap_err();
    assert!(error.to_string().starts_with("verify a.tsm: "), "{error}");
    assert!(seen > 0 && seen < 60, "{seen} bytes of one block");
}
