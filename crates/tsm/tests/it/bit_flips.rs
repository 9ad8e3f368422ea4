//! One bit turned anywhere: `verify` finds it, or it stands in a key.
//!
//! A key is covered by no checksum of the format, and any bytes are a key. So a bit that turns there and leaves the
//! keys ascending gives a whole and correct file that says something else; no reader can tell. The tests pin
//! down that this is the only place: what goes unseen is the very same content with one key changed in one bit.
//! Where the index is sealed there is no such place.

use std::ops::Range;
use std::sync::Arc;

use tsm::verify::{Report, verify};
use tsm::{BlockType, IndexSeal, Limits, TsmReader, WriterOptions};

use crate::data;
use crate::dice::Dice;
use crate::sample::{Content, content, file_with, ramp};

fn verified(bytes: &[u8]) -> Report {
    verify(Arc::new(bytes.to_vec()), "flipped.tsm", Limits::default()).unwrap()
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// Where the bytes of keys are.
fn keys(reader: &TsmReader) -> Vec<Range<usize>> {
    let mut cursor = reader.cursor();
    let mut all = Vec::new();
    while cursor.advance().unwrap() {
        let start = usize::try_from(cursor.offset()).unwrap() + 2;
        all.push(start..start + cursor.key().len());
    }
    all
}

/// Turns one bit; whether it was found. One that was not must stand in a key.
fn found(bytes: &[u8], bit: usize, keys: &[Range<usize>]) -> bool {
    let report = verified(&flipped(bytes, bit));
    if !report.is_clean() {
        assert!(report.findings.iter().all(|finding| &*finding.at.file == "flipped.tsm"));
        return true;
    }
    assert!(keys.iter().any(|key| key.contains(&(bit / 8))), "bit {bit} went unseen and is in no key");
    false
}

fn small(seal: IndexSeal) -> Vec<u8> {
    let blocks = |kind| vec![ramp(kind, 0, 30), ramp(kind, 2_000_000_000_000, 1)];
    let keys = BlockType::ALL.into_iter().map(|kind| (format!("m,t=v#!~#{kind}").into_bytes(), blocks(kind)));
    file_with(&keys.collect(), WriterOptions { seal, ..WriterOptions::default() })
}

#[test]
fn every_flip_of_a_small_file_is_found_or_stands_in_a_key() {
    let bytes = small(IndexSeal::None);
    let keys = keys(&data::open("a.tsm", bytes.clone()));
    let unseen = (0..bytes.len() * 8).filter(|bit| !found(&bytes, *bit, &keys)).count();
    let key_bits: usize = keys.iter().map(|key| key.len() * 8).sum();
    assert!(unseen > 0 && unseen < key_bits, "{unseen} of {key_bits} bits of keys");
}

#[test]
fn every_flip_of_a_sealed_file_is_found() {
    let bytes = small(IndexSeal::Crc);
    assert!(verified(&bytes).is_clean());
    assert_eq!(verified(&bytes).bare_key_bytes, 0);
    // In the first eight bytes of the seal a flip makes the file an unsealed one with unclaimed bytes.
    for bit in 0..bytes.len() * 8 {
        assert!(!verified(&flipped(&bytes, bit)).is_clean(), "bit {bit} went unseen");
    }
}

#[test]
fn a_flip_that_goes_unseen_changes_one_key_and_nothing_else() {
    let bytes = small(IndexSeal::None);
    let reader = data::open("a.tsm", bytes.clone());
    let (keys, whole) = (keys(&reader), content(&reader));
    for bit in keys.iter().flat_map(|key| key.start * 8..key.end * 8) {
        if found(&bytes, bit, &keys) {
            continue;
        }
        let changed = content(&data::open("a.tsm", flipped(&bytes, bit)));
        let only_in = |a: &Content, b: &Content| {
            a.keys().filter(|key| !b.contains_key(*key)).cloned().collect::<Vec<_>>()
        };
        let (gone, new) = (only_in(&whole, &changed), only_in(&changed, &whole));
        assert_eq!((gone.len(), new.len()), (1, 1));
        assert_eq!(whole[&gone[0]], changed[&new[0]]);
        let bits: u32 = gone[0].iter().zip(&new[0]).map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!(bits, 1);
    }
}

#[test]
fn ten_thousand_seeded_flips_of_real_files_are_found_or_stand_in_a_key() {
    let mut dice = Dice(5);
    for (name, flips) in data::REAL.into_iter().zip([4970, 4970, 60]) {
        let Some(bytes) = data::real(name) else { return };
        assert!(verified(&bytes).is_clean(), "{name}");
        let keys = keys(&data::open(name, bytes.clone()));
        let unseen = (0..flips).filter(|_| !found(&bytes, dice.below(bytes.len() * 8), &keys)).count();
        println!("{name}: {flips} flips, {unseen} of them unseen in keys");
    }
}

#[test]
fn seeded_flips_of_a_real_file_with_a_sealed_index_are_all_found() {
    let Some(bytes) = data::real(data::REAL[1]) else { return };
    let content = content(&data::open(data::REAL[1], bytes));
    let sealed = file_with(&content, WriterOptions { seal: IndexSeal::Crc, ..WriterOptions::default() });
    let mut dice = Dice(6);
    for _ in 0..2000 {
        let bit = dice.below(sealed.len() * 8);
        assert!(!verified(&flipped(&sealed, bit)).is_clean(), "bit {bit} went unseen");
    }
}

#[test]
fn a_file_cut_short_is_never_whole() {
    let bytes = small(IndexSeal::None);
    for len in 0..bytes.len() {
        assert!(!verified(&bytes[..len]).is_clean(), "{len} bytes");
    }
}
