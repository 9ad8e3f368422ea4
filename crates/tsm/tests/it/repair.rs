//! Repair: what is whole stays byte for byte, what is damaged is named and handed out, the input is only read.

use std::sync::Arc;

use tsm::{
    BlockOrder, BlockType, Column, Decoder, Encoder, Encoding, Fault, Limits, Repaired, SealedBlock,
    TimeRange, TsmReader, TsmWriter, Values, WriterOptions, repair, verify,
};

use crate::data::real;
use crate::sample::ramp;

fn any_order() -> WriterOptions {
    WriterOptions { order: BlockOrder::Any, ..WriterOptions::default() }
}

/// Offsets and bytes of what was given up.
type Handed = Vec<(Option<u64>, Vec<u8>)>;

/// The report, the new file, and what was handed out.
fn repaired(bytes: &[u8]) -> (Repaired, Option<Vec<u8>>, Handed) {
    let mut handed = Vec::new();
    let writer = TsmWriter::new(Vec::new(), "new.tsm", any_order());
    let (report, finished) =
        repair(Arc::new(bytes.to_vec()), "old.tsm", Limits::default(), writer, &mut |finding, bytes| {
            handed.push((finding.at.offset, bytes.to_vec()));
            Ok(())
        })
        .unwrap();
    (report, finished.map(|finished| finished.sink), handed)
}

/// Three keys of three blocks each.
fn file() -> Vec<u8> {
    let mut writer = TsmWriter::new(Vec::new(), "old.tsm", WriterOptions::default());
    let mut encoder = Encoder::new(Encoding::COMPACTION);
    for (key, kind) in [("a", BlockType::Float), ("b", BlockType::Integer), ("c", BlockType::String)] {
        for block in 0..3 {
            let points = ramp(kind, block * 1_000_000_000_000, 50);
            let _ = writer.write_points(key.as_bytes(), points.points(), &mut encoder).unwrap();
        }
    }
    writer.finish().unwrap().unwrap().sink
}

fn entries(file: &[u8], key: &[u8]) -> Vec<tsm::Entry> {
    let reader = TsmReader::new(Arc::new(file.to_vec()), "x.tsm", Limits::default()).unwrap();
    reader.find(key).unwrap().map_or_else(Vec::new, |record| record.entries)
}

#[test]
fn a_whole_file_comes_out_as_it_was() {
    let file = file();
    let (report, new, handed) = repaired(&file);
    assert_eq!((report.kept, report.mended, report.lost), (9, 0, 0));
    assert_eq!(new.as_deref(), Some(file.as_slice()));
    assert!(handed.is_empty() && report.findings.is_empty());
    for name in ["merge_a.tsm", "merge_b.tsm"] {
        let Some(file) = real(name) else { return };
        assert_eq!(repaired(&file).1, Some(file));
    }
}

#[test]
fn a_damaged_block_is_left_out_handed_out_and_named_and_all_others_stay() {
    let mut file = file();
    let damaged = entries(&file, b"b")[1];
    let start = usize::try_from(damaged.offset).unwrap();
    file[start + 9] ^= 4;
    let (report, new, handed) = repaired(&file);
    assert_eq!((report.kept, report.mended, report.lost), (8, 0, 1));
    assert!(matches!(report.findings[0].fault, Fault::Checksum { .. }));
    assert_eq!(report.findings[0].at.key.as_deref(), Some(&b"b"[..]));
    assert_eq!(handed, [(Some(damaged.offset), file[start..start + damaged.size as usize].to_vec())]);
    let new = new.unwrap();
    assert_eq!(entries(&new, b"b").len(), 2);
    assert!(verify::verify(Arc::new(new), "new.tsm", Limits::default()).unwrap().is_clean());
}

#[test]
fn times_of_the_index_and_order_of_points_are_mended() {
    let mut writer = TsmWriter::new(Vec::new(), "old.tsm", any_order());
    let mut encode = |times: &[i64], claimed: TimeRange| {
        let values = (0..).take(times.len()).collect();
        let column = Column::new(times.to_vec(), Values::Integer(values)).unwrap();
        let mut bytes = Vec::new();
        Encoder::new(Encoding::COMPACTION).encode(column.points(), &mut bytes).unwrap();
        let _ = writer.write_block(b"key", claimed, SealedBlock::seal(&bytes)).unwrap();
    };
    encode(&[1, 2, 3], TimeRange::new(1, 2));
    encode(&[10, 12, 12, 11], TimeRange::new(10, 12));
    encode(&[20, 21], TimeRange::new(20, 21));
    let file = writer.finish().unwrap().unwrap().sink;
    let (report, new, _) = repaired(&file);
    assert_eq!((report.kept, report.mended, report.lost), (1, 2, 0));
    let new = new.unwrap();
    assert!(verify::verify(Arc::new(new.clone()), "new.tsm", Limits::default()).unwrap().is_clean());
    let times: Vec<TimeRange> = entries(&new, b"key").iter().map(|entry| entry.times).collect();
    assert_eq!(times, [TimeRange::new(1, 3), TimeRange::new(10, 12), TimeRange::new(20, 21)]);
    let reader = TsmReader::new(Arc::new(new.clone()), "new.tsm", Limits::default()).unwrap();
    let (mut buffer, mut column) = (Vec::new(), Column::empty(BlockType::Integer));
    let block =
        reader.read_block(b"key", BlockType::Integer, &entries(&new, b"key")[1], &mut buffer).unwrap();
    Decoder::default().decode(&block.parse().unwrap(), &mut column).unwrap();
    assert_eq!(column, Column::new(vec![10, 11, 12], Values::Integer(vec![0, 3, 2])).unwrap());
}

#[test]
fn where_the_index_breaks_off_what_came_before_is_saved() {
    let mut file = file();
    let index_at = u64::from_be_bytes(*file.last_chunk().unwrap());
    // The length of the third key becomes enormous.
    let records: usize = usize::try_from(index_at).unwrap() + 2 * (2 + 1 + 3 + 3 * 28);
    file[records] = 0xff;
    let (report, new, _) = repaired(&file);
    assert_eq!(report.kept, 6);
    assert!(matches!(report.findings[0].fault, Fault::Truncated { .. }));
    let new = new.unwrap();
    assert_eq!((entries(&new, b"a").len(), entries(&new, b"c").len()), (3, 0));
}

#[test]
fn a_file_of_which_nothing_can_be_saved_gives_no_file() {
    let mut file = file();
    for key in [&b"a"[..], b"b", b"c"] {
        for entry in entries(&file, key) {
            file[usize::try_from(entry.offset).unwrap()] ^= 1;
        }
    }
    let (report, new, handed) = repaired(&file);
    assert_eq!((report.lost, new, handed.len()), (9, None, 9));
}

#[test]
fn a_damaged_header_costs_no_block() {
    let whole = file();
    for byte in 0..5 {
        let mut file = whole.clone();
        file[byte] ^= 0x10;
        let (report, new, _) = repaired(&file);
        assert_eq!((report.kept, report.lost, report.findings.len()), (9, 0, 1));
        assert_eq!(new.as_deref(), Some(whole.as_slice()));
    }
}
