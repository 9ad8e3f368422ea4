//! Each decoder by itself. Two bytes say how many values are expected.

use tsm::encoding::integers::Integer;
use tsm::encoding::strings::{StringDecoder, StringEncoder};
use tsm::encoding::{Encoding, Family, Nans, booleans, floats, integers, timestamps};
use tsm::{Block, BlockType, Fault, Strings};

use super::{LIMITS, Outcome, Target, magnitude, outcome, sample};

const FAMILIES: [Family; 2] = [Family::Snapshot, Family::Compaction];

pub(super) const TIMESTAMPS: Target =
    Target { name: "timestamps", run: run_timestamps, seeds: times, kinds: &["timestamps"], counted: true };
pub(super) const INTEGERS: Target =
    section("integers", run_integers::<i64>, || values(BlockType::Integer), &["int"]);
pub(super) const UNSIGNED: Target =
    section("unsigned", run_integers::<u64>, || values(BlockType::Unsigned), &["unsigned"]);
pub(super) const FLOATS: Target = section("floats", run_floats, || values(BlockType::Float), &["float"]);
pub(super) const BOOLEANS: Target =
    section("booleans", run_booleans, || values(BlockType::Boolean), &["bool"]);
pub(super) const STRINGS: Target = section("strings", run_strings, || values(BlockType::String), &["string"]);

const fn section(
    name: &'static str,
    run: fn(&[u8]) -> Outcome,
    seeds: fn() -> Vec<Vec<u8>>,
    kinds: &'static [&'static str],
) -> Target {
    Target { name, run, seeds, kinds, counted: true }
}

/// A section of each sample, with its count in front.
fn of_samples(kind: Option<BlockType>, section: impl Fn(&Block<'_>) -> Vec<u8>) -> Vec<Vec<u8>> {
    let columns = sample::columns().into_iter();
    let mine = columns.filter(|column| kind.is_none_or(|kind| column.kind() == kind));
    mine.map(|column| {
        let bytes = sample::encoded(&column, Encoding::COMPACTION);
        let count = u16::try_from(column.len()).expect("samples are short");
        let block = Block::parse(&bytes).expect("it was encoded just now");
        [&count.to_be_bytes(), &section(&block)[..]].concat()
    })
    .collect()
}

fn times() -> Vec<Vec<u8>> {
    of_samples(None, |block| block.times.to_vec())
}

fn values(kind: BlockType) -> Vec<Vec<u8>> {
    of_samples(Some(kind), |block| block.values.to_vec())
}

/// Count and section of an input.
fn parts(bytes: &[u8]) -> (usize, &[u8]) {
    bytes
        .split_first_chunk()
        .map_or((0, bytes), |(count, rest)| (usize::from(u16::from_be_bytes(*count)), rest))
}

/// What a decoder said, and of what kind the section was.
fn told(result: Result<usize, Fault>, section: &[u8]) -> Outcome {
    match result {
        Ok(count) => outcome(&(
            "decoded",
            ["raw", "packed", "rle", "?"][kind(section)],
            "n".repeat(magnitude(count) as usize),
        )),
        Err(fault) => outcome(&fault),
    }
}

fn kind(section: &[u8]) -> usize {
    section.first().map_or(3, |tag| usize::from(tag >> 4).min(3))
}

fn run_timestamps(bytes: &[u8]) -> Outcome {
    let (count, section) = parts(bytes);
    let mut decoded = Vec::new();
    let result = timestamps::decode(section, count, &mut decoded);
    if result.is_ok() {
        assert_eq!(timestamps::count(section), Ok(decoded.len() as u64), "count without decoding");
        assert!(decoded.len() <= count, "within the limit");
    }
    for family in FAMILIES {
        let (mut again, mut back) = (Vec::new(), Vec::new());
        timestamps::encode(&decoded, family, &mut Vec::new(), &mut again);
        timestamps::decode(&again, decoded.len(), &mut back).expect("it was encoded just now");
        assert_eq!(back, decoded, "there and back");
    }
    told(result.map(|()| decoded.len()), section)
}

fn run_integers<I: Integer + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Outcome {
    let (count, section) = parts(bytes);
    let mut decoded: Vec<I> = Vec::new();
    let result = integers::decode(section, count, &mut decoded);
    if result.is_ok() {
        assert_eq!(integers::count(section), Ok(count as u64), "count without decoding");
        assert_eq!(decoded.len(), count, "as many as expected");
    }
    for family in FAMILIES {
        let (mut again, mut back) = (Vec::new(), Vec::<I>::new());
        integers::encode(&decoded, family, &mut Vec::new(), &mut again);
        integers::decode(&again, decoded.len(), &mut back).expect("it was encoded just now");
        assert_eq!(back, decoded, "there and back");
    }
    told(result.map(|()| count), section)
}

fn run_floats(bytes: &[u8]) -> Outcome {
    let (count, section) = parts(bytes);
    let mut decoded = Vec::new();
    let result = floats::decode(section, count, &mut decoded);
    if result.is_ok() {
        assert_eq!(decoded.len(), count, "as many as expected");
        let (mut again, mut back) = (Vec::new(), Vec::new());
        floats::encode(&decoded, Nans::Keep, &mut again).expect("the end is never among what was decoded");
        floats::decode(&again, count, &mut back).expect("it was encoded just now");
        assert!(back.iter().map(|v| v.to_bits()).eq(decoded.iter().map(|v| v.to_bits())), "there and back");
    }
    told(result.map(|()| count), section)
}

fn run_booleans(bytes: &[u8]) -> Outcome {
    let (count, section) = parts(bytes);
    let mut decoded = Vec::new();
    let result = booleans::decode(section, count, &mut decoded);
    if result.is_ok() {
        assert_eq!(decoded.len(), count, "as many as expected");
    }
    for family in FAMILIES {
        let (mut again, mut back) = (Vec::new(), Vec::new());
        booleans::encode(&decoded, family, &mut again);
        booleans::decode(&again, decoded.len(), &mut back).expect("it was encoded just now");
        assert_eq!(back, decoded, "there and back");
    }
    told(result.map(|()| count), section)
}

fn run_strings(bytes: &[u8]) -> Outcome {
    let (count, section) = parts(bytes);
    let mut decoder = StringDecoder::default();
    let mut strings = Strings::default();
    let result = decoder.decode(section, count, LIMITS.string_bytes, &mut strings);
    if result.is_ok() {
        assert_eq!(strings.len(), count, "as many as expected");
        let (mut again, mut back) = (Vec::new(), Strings::default());
        StringEncoder::default().encode(strings.slice(0..count), &mut again).expect("it is small");
        decoder.decode(&again, count, LIMITS.string_bytes, &mut back).expect("it was encoded just now");
        assert_eq!(back, strings, "there and back");
    }
    told(result.map(|()| count), section)
}
