//! Repair: what is whole stays byte for byte, what is damaged is named and handed out, the input is only read.

use std::sync::Arc;

use tsm::{
    BlockOrder, BlockType, Column, Decoder, Encoder, Encoding, Fault, IndexSeal, Limits, Repaired,
    SealedBlock, TimeRange, TsmReader, TsmWriter, Values, WriterOptions, repair, verify,
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

/// Where the records of the three keys start.
fn records(file: &[u8]) -> [usize; 3] {
    let index_at = usize::try_from(u64::from_be_bytes(*file.last_chunk().unwrap())).unwrap();
    [0, 1, 2].map(|key| index_at + key * (2 + 1 + 3 + 3 * 28))
}

#[test]
fn any_one_field_of_a_record_is_told_from_what_stands_around_it() {
    let whole = file();
    for (key, start) in records(&whole).into_iter().enumerate() {
        for (at, what) in [(0, "length"), (1, "length"), (3, "type"), (4, "count"), (5, "count")] {
            for bit in 0..8 {
                let mut file = whole.clone();
                file[start + at] ^= 1 << bit;
                let (report, new, handed) = repaired(&file);
                let place = format!("key {key}, byte {at}, bit {bit}: {:?}", report.findings);
                assert_eq!(new.as_deref(), Some(whole.as_slice()), "{place}");
                assert_eq!((report.kept, report.lost, handed.len()), (9, 0, 0), "{place}");
                assert_eq!(report.findings.len(), 1, "{place}");
                let said = report.findings[0].to_string();
                assert!(said.contains(what) || what == "type", "{said}");
            }
        }
    }
}

#[test]
fn where_a_record_is_lost_its_blocks_are_handed_out_and_the_others_stay() {
    let whole = file();
    let [_, second, _] = records(&whole);
    let lost: Vec<_> = entries(&whole, b"b");
    let mut file = whole.clone();
    // Length and count: what is left does not tell what they were.
    file[second + 1] = 9;
    file[second + 5] = 7;
    let (report, new, handed) = repaired(&file);
    assert_eq!((report.kept, report.lost, report.keyless), (6, 3, 3));
    let blocks = lost.iter().map(|entry| {
        let start = usize::try_from(entry.offset).unwrap();
        (Some(entry.offset), whole[start..start + entry.size as usize].to_vec())
    });
    assert_eq!(handed, blocks.collect::<Vec<_>>());
    assert!(report.findings.iter().any(|finding| finding.fault == Fault::Keyless));
    let new = new.unwrap();
    assert_eq!((entries(&new, b"a").len(), entries(&new, b"b").len(), entries(&new, b"c").len()), (3, 0, 3));
    assert!(verify::verify(Arc::new(new), "new.tsm", Limits::default()).unwrap().is_clean());
}

#[test]
fn a_damaged_footer_costs_no_block() {
    for whole in [Some(file()), real("merge_a.tsm")] {
        let Some(whole) = whole else { return };
        for bit in 0..64 {
            let mut file = whole.clone();
            let at = file.len() - 8 + bit / 8;
            file[at] ^= 1 << (bit % 8);
            let (report, new, handed) = repaired(&file);
            assert!(matches!(report.findings[0].fault, Fault::IndexStart { .. }), "{:?}", report.findings);
            assert_eq!((report.lost, handed.len()), (0, 0));
            assert!(new.as_deref() == Some(whole.as_slice()), "bit {bit}");
        }
    }
}

#[test]
fn a_file_that_ends_before_its_index_gives_its_blocks_without_keys() {
    let whole = file();
    let [index_at, ..] = records(&whole);
    let (report, new, handed) = repaired(&whole[..index_at + 40]);
    assert_eq!((report.kept, report.lost, report.keyless, new), (0, 9, 9, None));
    let bytes: Vec<u8> = handed.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(bytes, whole[5..index_at]);
}

#[test]
fn of_two_keys_out_of_order_that_one_goes_that_does_not_fit_between_its_neighbours() {
    let whole = file();
    for (key, byte, gone) in [(0, b'x', &b"x"[..]), (1, b'z', b"z"), (2, b'B', b"B")] {
        let mut file = whole.clone();
        file[records(&whole)[key] + 2] = byte;
        let (report, new, handed) = repaired(&file);
        assert_eq!((report.kept, report.lost, handed.len()), (6, 3, 3));
        assert!(report.findings.iter().all(|finding| finding.at.key.as_deref() == Some(gone)));
        let kept = [&b"a"[..], b"b", b"c"].map(|key| entries(new.as_ref().unwrap(), key).len());
        assert_eq!(kept.iter().sum::<usize>(), 6, "{kept:?}");
    }
}

#[test]
fn a_file_whose_seal_does_not_fit_its_index_gets_no_new_one() {
    let write = |seal| {
        let mut writer = TsmWriter::new(Vec::new(), "old.tsm", WriterOptions { seal, ..any_order() });
        for key in ["m,h=a#!~#f", "m,h=c#!~#f"] {
            let points = ramp(BlockType::Float, 0, 20);
            let mut encoder = Encoder::new(Encoding::COMPACTION);
            let _ = writer.write_points(key.as_bytes(), points.points(), &mut encoder).unwrap();
        }
        writer.finish().unwrap().unwrap().sink
    };
    let mut file = write(IndexSeal::Crc);
    let at = file.windows(5).rposition(|window| window == b"m,h=c").unwrap() + 4;
    file[at] = b'b';
    let writer = TsmWriter::new(Vec::new(), "new.tsm", WriterOptions { seal: IndexSeal::Crc, ..any_order() });
    let (report, new) =
        repair(Arc::new(file), "old.tsm", Limits::default(), writer, &mut |_, _| Ok(())).unwrap();
    assert!(matches!(report.findings[0].fault, Fault::IndexChecksum { .. }), "{:?}", report.findings);
    let new = TsmReader::new(Arc::new(new.unwrap().sink), "new.tsm", Limits::default()).unwrap();
    assert_eq!((report.kept, new.seal()), (2, tsm::SealState::Unsealed));
}

#[test]
fn any_flip_in_the_index_of_a_real_file_costs_the_blocks_of_one_key_at_most() {
    let Some(whole) = real("merge_a.tsm") else { return };
    let index_at = usize::try_from(u64::from_be_bytes(*whole.last_chunk().unwrap())).unwrap();
    let mut dice = crate::dice::Dice(9);
    for _ in 0..300 {
        let bit = (index_at + dice.below(whole.len() - index_at)) * 8 + dice.below(8);
        let mut file = whole.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        let (report, new, _) = repaired(&file);
        assert!(report.lost <= 1 && report.kept + report.mended >= 211, "bit {bit}: {:?}", report.findings);
        let new = verify::verify(Arc::new(new.unwrap()), "new.tsm", Limits::default()).unwrap();
        // A key of no form is one that nothing tells what it was.
        let wrong = new.findings.iter().filter(|finding| finding.class() != verify::Class::Key);
        assert_eq!(wrong.count(), 0, "bit {bit}: {:?}", new.findings);
    }
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
