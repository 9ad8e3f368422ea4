//! Properties of the codecs: there and back for any values, and any bytes without harm.

use proptest::prelude::*;
use tsm::encoding::{Encoding, Family, Nans, floats};
use tsm::{Block, BlockType, Column, Decoder, Encoder, Fault, Limits, Refusal, Strings, Values};

use crate::sample::encode;

/// Lengths around those at which a word of ones is full.
const LENGTHS: [usize; 10] = [1, 2, 3, 119, 120, 121, 239, 240, 241, 1000];

const FAMILIES: [Encoding; 2] = [Encoding::SNAPSHOT, Encoding::COMPACTION];

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![proptest::sample::select(&LENGTHS[..]), 1_usize..300]
}

/// Timestamps of all shapes: regular, jittered, with gaps, anywhere at all.
fn times(len: usize) -> impl Strategy<Value = Vec<i64>> {
    let regular = (any::<i64>(), 1_i64..100_000_000_000).prop_map(move |(start, step)| {
        (0..len).scan(start, |time, _| Some(std::mem::replace(time, time.wrapping_add(step)))).collect()
    });
    let steps = proptest::collection::vec(prop_oneof![Just(1), 1..9_i64, 0..1_i64 << 59], len);
    let jittered = (any::<i64>(), steps, 0_u32..13).prop_map(|(start, steps, power)| {
        let factor = 10_i64.pow(power);
        let add = |time: &mut i64, step: i64| {
            Some(std::mem::replace(time, time.wrapping_add(step.wrapping_mul(factor))))
        };
        steps.into_iter().scan(start, add).collect()
    });
    prop_oneof![regular, jittered, proptest::collection::vec(any::<i64>(), len)]
}

fn float() -> impl Strategy<Value = f64> {
    let bits = any::<u64>().prop_map(f64::from_bits).prop_filter("no NaN", |value| !value.is_nan());
    let odd = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 8.0, f64::MAX, f64::MIN, 1.0];
    prop_oneof![bits, proptest::sample::select(odd.to_vec()), (0_i32..1000).prop_map(|v| f64::from(v) / 4.0)]
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -3_i64..3,
        proptest::sample::select(vec![i64::MIN, i64::MAX, 0, -1, (1 << 60) - 1, 1 << 60]),
    ]
}

fn integers(len: usize) -> impl Strategy<Value = Vec<i64>> {
    let counter = (integer(), -2_i64..2).prop_map(move |(start, step)| {
        (0..len).scan(start, |value, _| Some(std::mem::replace(value, value.wrapping_add(step)))).collect()
    });
    prop_oneof![counter, proptest::collection::vec(integer(), len)]
}

fn values(kind: BlockType, len: usize) -> BoxedStrategy<Values> {
    use proptest::collection::vec;
    match kind {
        BlockType::Float => vec(float(), len).prop_map(Values::Float).boxed(),
        BlockType::Integer => integers(len).prop_map(Values::Integer).boxed(),
        BlockType::Unsigned => {
            let unsigned = |all: Vec<i64>| all.into_iter().map(i64::cast_unsigned).collect();
            integers(len).prop_map(move |all| Values::Unsigned(unsigned(all))).boxed()
        }
        BlockType::Boolean => vec(any::<bool>(), len).prop_map(Values::Boolean).boxed(),
        BlockType::String => {
            let strings = vec(vec(any::<u8>(), 0..9), len);
            strings.prop_map(|all| Values::String(all.into_iter().collect::<Strings>())).boxed()
        }
    }
}

fn columns() -> impl Strategy<Value = Column> {
    let shape = (proptest::sample::select(&BlockType::ALL[..]), lengths());
    shape.prop_flat_map(|(kind, len)| {
        (times(len), values(kind, len)).prop_map(|(times, values)| Column::new(times, values).unwrap())
    })
}

proptest! {
    #[test]
    fn any_column_comes_back_bit_for_bit_and_its_count_without_decoding(column in columns()) {
        let mut decoder = Decoder::default();
        let mut back = Column::empty(BlockType::Float);
        for encoding in FAMILIES {
            let bytes = encode(encoding, column.points());
            let block = Block::parse(&bytes).unwrap();
            prop_assert_eq!(block.count(), Ok(column.len() as u64));
            decoder.decode(&block, &mut back).unwrap();
            prop_assert!(back.same_bits(&column));
        }
    }

    #[test]
    fn a_damaged_block_is_a_fault_or_a_column_within_limits(
        column in columns(),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = encode(Encoding::COMPACTION, column.points());
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let limits = Limits { points: 2000, string_bytes: 100_000, ..Limits::default() };
        let mut decoder = Decoder::new(limits);
        for len in [bytes.len(), cut.index(bytes.len())] {
            let mut back = Column::empty(column.kind());
            if decoder.decode_bytes(&bytes[..len], &mut back).is_ok() {
                prop_assert!(back.len() <= 2000 && back.len() == back.values().len() && !back.is_empty());
            } else {
                prop_assert!(back.is_empty());
            }
        }
    }

    #[test]
    fn any_bytes_are_a_fault_or_a_column(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0_u8..5) {
        let bytes = [&[kind], &bytes[..]].concat();
        let mut column = Column::empty(BlockType::Float);
        let _ = Decoder::default().decode_bytes(&bytes, &mut column);
    }

    #[test]
    fn a_nan_is_refused_wherever_it_stands(
        values in proptest::collection::vec(float(), 1..50),
        place in any::<proptest::sample::Index>(),
        payload in 1_u64..1 << 52,
        sign in any::<bool>(),
    ) {
        let mut values = values;
        let index = place.index(values.len());
        let bits = 0x7ff0_0000_0000_0000 | payload | u64::from(sign) << 63;
        values[index] = f64::from_bits(bits);
        let mut out = vec![9];
        prop_assert_eq!(floats::encode(&values, Nans::Refuse, &mut out), Err(Refusal::Nan { index, bits }));
        prop_assert_eq!(&out[..], &[9]);
        let kept = floats::encode(&values, Nans::Keep, &mut out);
        prop_assert_eq!(kept.is_ok(), bits != floats::END);
        if kept.is_ok() {
            let mut back = Vec::new();
            floats::decode(&out[1..], values.len(), &mut back).unwrap();
            prop_assert_eq!(back[index].to_bits(), bits);
        }
    }
}

fn decode(bytes: &[u8]) -> Result<Column, Fault> {
    let mut column = Column::empty(BlockType::Float);
    Decoder::default().decode_bytes(bytes, &mut column).map(|_| column)
}

/// A block of one of the types, put together by hand.
fn block(kind: BlockType, times: &[u8], values: &[u8]) -> Vec<u8> {
    [&[kind.byte(), u8::try_from(times.len()).unwrap()], times, values].concat()
}

#[test]
fn infinities_of_both_signs_in_one_block_are_no_nan() {
    let values = vec![1.0, f64::INFINITY, f64::NEG_INFINITY];
    let column = Column::new(vec![1, 2, 3], Values::Float(values)).unwrap();
    for encoding in FAMILIES {
        assert!(decode(&encode(encoding, column.points())).unwrap().same_bits(&column));
    }
}

#[test]
fn a_bomb_is_refused_by_what_it_claims() {
    let one = [&[0x1c][..], &[0; 8]].concat();
    let many = [&[0x20][..], &[0; 8], &[1], &[0xff; 9], &[1]].concat();
    let claims = |what, found, limit| Err(Fault::OverLimit { what, found, limit });
    assert_eq!(
        decode(&block(BlockType::Boolean, &many, b"\x10\x01\x80")),
        claims("timestamps", u64::MAX, 1 << 20)
    );
    let run = [&[0x20][..], &[0; 8], &[2], &[0xff; 9], &[1]].concat();
    assert_eq!(
        decode(&block(BlockType::Integer, &one, &run)),
        Err(Fault::CountMismatch { times: 1, values: u64::MAX })
    );
    let snappy = [&[0x10][..], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    assert_eq!(
        decode(&block(BlockType::String, &one, &snappy)),
        claims("bytes of strings", 0xffff_ffff, 1 << 28)
    );
    let lying = [&[0x10][..], &[0xff, 0xff, 0x7f], &[0; 20]].concat();
    assert_eq!(decode(&block(BlockType::String, &one, &lying)), Err(Fault::Truncated { what: "strings" }));
    let count = [&[0x10][..], &[0xff; 9], &[1]].concat();
    assert_eq!(
        decode(&block(BlockType::Boolean, &one, &count)),
        Err(Fault::CountMismatch { times: 1, values: u64::MAX })
    );
}

#[test]
fn a_decoder_says_what_is_wrong() {
    let one = [&[0x1c][..], &[0; 8]].concat();
    let two = [&[0x20][..], &[0; 8], &[1, 2]].concat();
    let end = floats::END.to_be_bytes();
    let float = [&[0x10][..], &1.5_f64.to_bits().to_be_bytes(), &[0x7f; 9]].concat();
    for (kind, times, values, fault) in [
        (BlockType::Float, &[][..], &[0x10][..], Fault::NoPoints),
        (BlockType::Float, &one, &[], Fault::Truncated { what: "floats" }),
        (BlockType::Float, &one, &[0x20, 0], Fault::UnknownEncoding { what: "floats", byte: 0x20 }),
        (BlockType::Float, &one, &[&[0x10], &end[..]].concat(), Fault::CountMismatch { times: 1, values: 0 }),
        (BlockType::Float, &one, &float, Fault::CountMismatch { times: 1, values: 2 }),
        (BlockType::Float, &two, &[&[0x10], &end[..7]].concat(), Fault::Truncated { what: "floats" }),
        (BlockType::Integer, &two, &[0x10, 0, 0], Fault::Truncated { what: "integers" }),
        (
            BlockType::Integer,
            &two,
            &[&[0x30], &end[..]].concat(),
            Fault::UnknownEncoding { what: "integers", byte: 0x30 },
        ),
        (
            BlockType::Integer,
            &two,
            &[&[0x10], &end[..]].concat(),
            Fault::CountMismatch { times: 2, values: 1 },
        ),
        (
            BlockType::Integer,
            &two,
            &[&[0x10], &end[..], &[9]].concat(),
            Fault::Truncated { what: "integers" },
        ),
        (BlockType::Unsigned, &two, &[], Fault::CountMismatch { times: 2, values: 0 }),
        (BlockType::Boolean, &two, &[0x10, 3, 0], Fault::CountMismatch { times: 2, values: 3 }),
        (BlockType::Boolean, &two, &[0x10, 2], Fault::Truncated { what: "booleans" }),
        (BlockType::Boolean, &two, &[0x10, 2, 0, 0], Fault::Surplus { what: "booleans" }),
        (BlockType::Boolean, &two, &[0x10, 2, 0x20], Fault::Surplus { what: "booleans" }),
        (BlockType::String, &two, &[0x10, 1, 0, 0], Fault::CountMismatch { times: 2, values: 1 }),
        (BlockType::String, &one, &[0x10, 2, 4, 0, 0], Fault::CountMismatch { times: 1, values: 2 }),
        (BlockType::String, &one, &[0x10, 1, 0, 9], Fault::Truncated { what: "a string" }),
        (
            BlockType::Float,
            &[0x1d, 0, 0, 0, 0, 0, 0, 0, 0],
            &[],
            Fault::UnknownEncoding { what: "timestamps", byte: 0x1d },
        ),
        (
            BlockType::Float,
            &[0x20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3],
            &[],
            Fault::Surplus { what: "timestamps" },
        ),
        (BlockType::Float, &[0x20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], &[], Fault::NoPoints),
    ] {
        assert_eq!(decode(&block(kind, times, values)), Err(fault));
    }
    assert_eq!(decode(&[]), Err(Fault::Truncated { what: "a block" }));
    assert_eq!(decode(&[5, 0]), Err(Fault::UnknownType { byte: 5 }));
    assert_eq!(decode(&[0, 9, 0]), Err(Fault::Truncated { what: "timestamps" }));
}

#[test]
fn a_float_that_reuses_a_window_before_there_is_one_is_a_fault() {
    let one = [&[0x1c][..], &[0; 8]].concat();
    let reuse = [&[0x10][..], &1.5_f64.to_bits().to_be_bytes(), &[0x80; 16]].concat();
    assert_eq!(decode(&block(BlockType::Float, &one, &reuse)), Err(Fault::Window { index: 0 }));
    let wide = [&[0x10][..], &1.5_f64.to_bits().to_be_bytes(), &[0xff; 16]].concat();
    assert_eq!(decode(&block(BlockType::Float, &one, &wide)), Err(Fault::Window { index: 0 }));
}

#[test]
fn the_families_differ_where_they_should_and_nowhere_else() {
    let both = |values: Vec<i64>| {
        let column = Column::new((0..).take(values.len()).collect(), Values::Integer(values)).unwrap();
        FAMILIES.map(|encoding| encode(encoding, column.points()))
    };
    let [snapshot, compaction] = both(vec![i64::MIN]);
    assert_ne!(snapshot, compaction);
    let [snapshot, compaction] = both((0..500).map(|at| at * at).collect());
    assert_eq!(snapshot, compaction);
    assert_eq!(Encoding::SNAPSHOT.family, Family::Snapshot);
    let mut out = Vec::new();
    assert!(
        Encoder::new(Encoding::SNAPSHOT.keeping_nans())
            .encode(Column::new(vec![1], Values::Float(vec![f64::NAN])).unwrap().points(), &mut out)
            .is_ok()
    );
}
