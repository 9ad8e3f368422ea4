//! An archive cut anywhere is an error, save at a section boundary of a form that has no end of its own.

use splitstore_car::CarError;

use crate::sample::{Outcome, blocks, car_v1, car_v2, read, skippable_frame, zstd_frame};

/// Reads every proper prefix of `bytes`; gives the lengths that read without an error.
fn clean_lengths(bytes: &[u8]) -> Vec<usize> {
    let whole = blocks();
    let mut clean = Vec::new();
    for len in 0..bytes.len() {
        let outcome = read(&bytes[..len]);
        assert!(whole.starts_with(&outcome.pairs()), "a cut at {len} is a prefix");
        match outcome.error {
            None => clean.push(len),
            Some(error) => assert_is_truncation(&error, len),
        }
    }
    clean
}

fn assert_is_truncation(error: &CarError, len: usize) {
    let CarError::Truncated { at, began, .. } = error else { panic!("cut at {len}: {error}") };
    assert_eq!(&*at.file, "sample.car");
    assert!(*began <= at.offset, "cut at {len}: {error}");
}

fn section_starts(outcome: &Outcome) -> Vec<usize> {
    outcome.blocks.iter().map(|block| usize::try_from(block.offset).unwrap()).collect()
}

#[test]
fn a_v1_reads_without_error_only_when_cut_at_a_section() {
    let bytes = car_v1(&blocks());
    assert_eq!(clean_lengths(&bytes), section_starts(&read(&bytes)));
}

#[test]
fn a_truncated_archive_names_the_file_and_the_offset() {
    let bytes = car_v1(&blocks());
    let cut = bytes.len() - 1;
    let began = *section_starts(&read(&bytes)).last().unwrap();
    let message = read(&bytes[..cut]).refusal().to_string();
    let expected = format!(
        "read sample.car, offset {cut} of the uncompressed CAR stream: \
         the bytes end inside a section that began at offset {began}"
    );
    assert_eq!(message, expected);
}

#[test]
fn a_v2_cut_before_its_data_ends_is_an_error_at_every_length() {
    let inner = car_v1(&blocks());
    let bytes = car_v2(&inner, 7);
    let data_end = 51 + 7 + inner.len();
    let after: Vec<usize> = (data_end..bytes.len()).collect();
    assert_eq!(clean_lengths(&bytes), after, "only the index may be missing");
}

#[test]
fn a_zstd_frame_cut_anywhere_is_an_error() {
    assert_eq!(clean_lengths(&zstd_frame(&car_v1(&blocks()))), []);
}

#[test]
fn framed_zstd_reads_without_error_only_when_cut_between_frames() {
    let bytes = car_v1(&blocks());
    let starts = section_starts(&read(&bytes));
    let mut framed = zstd_frame(&bytes[..starts[0]]);
    let mut boundaries = vec![framed.len()];
    framed.extend(zstd_frame(&bytes[starts[0]..starts[3]]));
    boundaries.push(framed.len());
    framed.extend(zstd_frame(&bytes[starts[3]..]));
    boundaries.push(framed.len());
    framed.extend(skippable_frame(0xe, b"an index"));
    assert_eq!(clean_lengths(&framed), boundaries);
}

#[test]
fn sections_that_cross_the_end_of_a_v2_payload_are_errors() {
    let inner = car_v1(&blocks());
    let starts = section_starts(&read(&inner));
    for size in 1..inner.len() {
        let mut bytes = car_v2(&inner, 0);
        bytes[27 + 8..27 + 16].copy_from_slice(&(size as u64).to_le_bytes());
        let outcome = read(&bytes);
        assert_eq!(outcome.error.is_none(), starts.contains(&size), "data size {size}");
        if let Some(error) = outcome.error {
            let CarError::Truncated { at, .. } = &error else { panic!("data size {size}: {error}") };
            assert_eq!(at.offset, 51 + size as u64);
        }
    }
}
