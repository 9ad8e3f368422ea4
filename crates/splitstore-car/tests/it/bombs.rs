//! Archives that claim or unfold to far more than they are.

use std::io::Write;

use splitstore_car::{CarError, Limits};
use unsigned_varint::encode;

use crate::sample::{RAW, blake_cid, blocks, car_v1, read, read_within, v2_header, zstd_frame};

/// An archive whose next section claims `len` bytes.
fn claiming(len: u64) -> Vec<u8> {
    let mut bytes = car_v1(&blocks());
    bytes.extend_from_slice(encode::u64(len, &mut encode::u64_buffer()));
    bytes.extend_from_slice(&blake_cid(RAW, b"x").to_bytes());
    bytes
}

#[test]
fn an_oversized_section_names_the_limit_and_the_offset() {
    let start = car_v1(&blocks()).len() as u64;
    let outcome = read(&claiming(1 << 60));
    assert_eq!(outcome.pairs(), blocks(), "what came before is handed out");
    let error = outcome.refusal();
    let CarError::TooLarge { at, limit, found, .. } = &error else { panic!("{error}") };
    assert_eq!((at.offset, *limit, *found), (start, 8 << 20, 1 << 60));
    assert!(error.to_string().contains(&format!("offset {start} of")), "{error}");
}

#[test]
fn a_section_one_byte_over_the_limit_is_refused_and_one_at_it_is_not() {
    let limits = Limits { section_bytes_max: 300, ..Limits::default() };
    let data = vec![7; 300 - 38];
    let fits = car_v1(&[(blake_cid(RAW, &data), data)]);
    assert!(read_within(&fits, limits.clone()).error.is_none());
    let data = vec![7; 301 - 38];
    let over = car_v1(&[(blake_cid(RAW, &data), data)]);
    let error = read_within(&over, limits).refusal();
    assert!(matches!(error, CarError::TooLarge { limit: 300, found: 301, .. }), "{error}");
}

/// Without a limit, a buffer as large as claimed would abort the process: 2^60 bytes exist nowhere.
#[test]
fn a_claimed_length_is_not_allocated_even_without_limits() {
    let limits = Limits {
        section_bytes_max: u64::MAX,
        header_bytes_max: u64::MAX,
        roots_max: u64::MAX,
        ..Limits::default()
    };
    let error = read_within(&claiming(1 << 60), limits.clone()).refusal();
    assert!(matches!(error, CarError::Truncated { .. }), "{error}");
    let mut header = encode::u64(1 << 60, &mut encode::u64_buffer()).to_vec();
    header.extend_from_slice(b"\xa2\x65roots");
    let error = read_within(&header, limits.clone()).refusal();
    assert!(matches!(error, CarError::Truncated { .. }), "{error}");
    let many_roots = b"\x10\xa2\x65roots\x9b\x10\0\0\0\0\0\0\0";
    let error = read_within(many_roots, limits).refusal();
    assert!(matches!(error, CarError::BadHeader { .. }), "{error}");
}

#[test]
fn header_bombs_are_refused() {
    let mut long = encode::u64(2 << 20, &mut encode::u64_buffer()).to_vec();
    long.resize(3 << 20, 0xa2);
    let error = read(&long).refusal();
    assert!(matches!(error, CarError::TooLarge { what: "header bytes", limit: 0x10_0000, .. }), "{error}");

    let many_roots = b"\x10\xa2\x65roots\x9b\x10\0\0\0\0\0\0\0";
    let error = read(many_roots).refusal();
    assert!(matches!(error, CarError::TooLarge { what: "roots", .. }), "{error}");

    let nested = [&[0x64, 0xa2, 0x65][..], b"roots", &[0x81; 93]].concat();
    let error = read(&nested).refusal();
    assert!(matches!(error, CarError::BadHeader { .. }), "{error}");
}

#[test]
fn a_zstd_bomb_of_sections_is_stopped() {
    let data = vec![0; 1 << 20];
    let block = (blake_cid(RAW, &data), data);
    let one = car_v1(std::slice::from_ref(&block));
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(&one).unwrap();
    for _ in 0..300 {
        encoder.write_all(&one[61..]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100_000, "a bomb indeed: {} bytes", bomb.len());

    let outcome = read(&bomb);
    let given = outcome.blocks.len();
    assert!((60..300).contains(&given), "stopped after {given} blocks of 1 MiB");
    let error = outcome.refusal();
    assert!(matches!(error, CarError::TooLarge { .. }), "{error}");

    let generous = Limits { zstd_ratio_max: u64::MAX, ..Limits::default() };
    assert!(read_within(&bomb, generous.clone()).error.is_none());
    let capped = Limits { decompressed_bytes_max: Some(5 << 20), ..generous };
    let error = read_within(&bomb, capped).refusal();
    assert!(matches!(error, CarError::TooLarge { limit: 0x50_0000, .. }), "{error}");
}

#[test]
fn a_v2_that_pads_without_end_is_stopped() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(&v2_header(1 << 62, 100, 0)).unwrap();
    for _ in 0..100 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let error = read(&encoder.finish().unwrap()).refusal();
    assert!(matches!(error, CarError::TooLarge { .. }), "{error}");
}

/// A frame by hand: magic, no content size, a window of `2^log`, one empty raw block.
fn frame_with_window(log: u8) -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3, 0x01, 0x00, 0x00]
}

#[test]
fn a_zstd_window_over_the_limit_is_refused_and_one_at_it_is_not() {
    let archive = zstd_frame(&car_v1(&blocks()));
    let error = read(&[frame_with_window(28), archive.clone()].concat()).refusal();
    assert!(matches!(error, CarError::Zstd { .. }), "{error}");
    let outcome = read(&[frame_with_window(27), archive].concat());
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.pairs(), blocks());
}
