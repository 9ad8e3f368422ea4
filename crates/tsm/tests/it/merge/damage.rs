//! What a merge does with inputs that are not what they should be.

use std::sync::Arc;

use tsm::{
    BlockOrder, BlockType, Column, Encoder, Encoding, Error, Fault, Limits, MergeInput, MergeMode,
    SealedBlock, TimeRange, Tombstones, TsmReader, TsmWriter, Values, WriterOptions,
};

use super::files::{Drawn, floats, inputs, merged, options};

/// A file whose index claims other times than its block holds.
fn claiming(claims: &[(TimeRange, &[i64])]) -> MergeInput {
    let options = WriterOptions { order: BlockOrder::Any, ..WriterOptions::default() };
    let mut writer = TsmWriter::new(Vec::new(), "claiming.tsm", options);
    for (claimed, times) in claims {
        let mut bytes = Vec::new();
        Encoder::new(Encoding::COMPACTION).encode(floats(times, 1.0).points(), &mut bytes).unwrap();
        let _ = writer.write_block(b"key", *claimed, SealedBlock::seal(&bytes)).unwrap();
    }
    let bytes = writer.finish().unwrap().unwrap().sink;
    let reader = TsmReader::new(Arc::new(bytes), "claiming.tsm", Limits::default()).unwrap();
    MergeInput { reader, deletions: Tombstones::default() }
}

#[test]
fn a_key_with_two_types_is_refused_and_both_files_are_named() {
    let integers = Column::new(vec![5], Values::Integer(vec![1])).unwrap();
    let files = [Drawn::default().key("k", [floats(&[1], 1.0)]), Drawn::default().key("k", [integers])];
    for mode in [MergeMode::Full, MergeMode::Fast] {
        let error = merged(inputs(&files), options(mode, 10)).unwrap_err().to_string();
        for part in ["`k`", "integer", "000000002-000000001.tsm", "float", "000000001-000000001.tsm"] {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}

#[test]
fn an_index_that_claims_too_much_is_mended_also_where_blocks_pass() {
    for mode in [MergeMode::Full, MergeMode::Fast] {
        let wide = claiming(&[(TimeRange::new(0, 20), &[1, 2, 3]), (TimeRange::new(30, 35), &[30, 31])]);
        let other = Drawn::default().key("key", [floats(&[15], 2.0)]).input("other.tsm");
        let blocks = merged(vec![wide, other], options(mode, 2)).unwrap();
        let times: Vec<i64> = blocks.iter().flat_map(|block| block.column.times().to_vec()).collect();
        assert_eq!(times, [1, 2, 3, 15, 30, 31]);
        assert!(blocks.last().unwrap().passed);
    }
}

#[test]
fn an_index_that_claims_too_little_ends_the_merge_and_is_named() {
    for (claimed, times) in [((1, 2), &[1, 2, 3]), ((2, 3), &[1, 2, 3])] {
        let narrow = claiming(&[(TimeRange::new(claimed.0, claimed.1), times)]);
        let error = merged(vec![narrow], options(MergeMode::Fast, 10)).unwrap_err();
        assert!(
            matches!(&error, Error::Damaged { at, fault: Fault::IndexTimes { .. } }
                if &*at.file == "claiming.tsm" && at.key.as_deref() == Some(b"key") && at.offset == Some(5)),
            "{error}"
        );
    }
}

#[test]
fn a_flipped_bit_is_never_given_a_new_checksum() {
    let mut writer = TsmWriter::new(Vec::new(), "flipped.tsm", WriterOptions::default());
    let points = floats(&[1, 2, 3], 1.5);
    let _ = writer.write_points(b"key", points.points(), &mut Encoder::new(Encoding::SNAPSHOT)).unwrap();
    let bytes = writer.finish().unwrap().unwrap().sink;
    for bit in 9 * 8..30 * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let reader = TsmReader::new(Arc::new(bytes), "flipped.tsm", Limits::default()).unwrap();
        let input = MergeInput { reader, deletions: Tombstones::default() };
        let error = merged(vec![input], options(MergeMode::Fast, 1)).unwrap_err();
        assert!(matches!(error, Error::Damaged { fault: Fault::Checksum { .. }, .. }), "bit {bit}: {error}");
    }
}

#[test]
fn nan_bits_that_another_writer_let_in_are_kept() {
    let nan = f64::from_bits(0x7ff8_0000_0000_dead);
    let mut bytes = Vec::new();
    let column = Column::new(vec![1, 3], Values::Float(vec![nan, 2.0])).unwrap();
    Encoder::new(Encoding::SNAPSHOT.keeping_nans()).encode(column.points(), &mut bytes).unwrap();
    let mut writer = TsmWriter::new(Vec::new(), "nan.tsm", WriterOptions::default());
    let _ = writer.write_block(b"key", TimeRange::new(1, 3), SealedBlock::seal(&bytes)).unwrap();
    let reader =
        TsmReader::new(Arc::new(writer.finish().unwrap().unwrap().sink), "nan.tsm", Limits::default());
    let input = MergeInput { reader: reader.unwrap(), deletions: Tombstones::default() };
    let other = Drawn::default().key("key", [floats(&[2], f64::INFINITY), floats(&[4], f64::NEG_INFINITY)]);
    let blocks = merged(vec![input, other.input("other.tsm")], options(MergeMode::Full, 10)).unwrap();
    let expected = vec![nan, f64::INFINITY, 2.0, f64::NEG_INFINITY];
    assert!(blocks[0].column.same_bits(&Column::new(vec![1, 2, 3, 4], Values::Float(expected)).unwrap()));
    assert_eq!(blocks[0].column.kind(), BlockType::Float);
}
