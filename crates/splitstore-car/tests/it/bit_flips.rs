//! One bit turned anywhere: an error or a clean prefix, never another block, never a panic.
//!
//! Roots and codecs carry no checksum in a CAR, so those bits may turn unseen; what may not happen is that
//! a block comes out whose data is not that of its hash.

use crate::sample::{blocks, car_v1, car_v2, read, zstd_frame};

/// Turns each bit of `bytes`; gives how many of the archives were refused.
fn refused(bytes: &[u8]) -> usize {
    let whole = read(bytes).hashes();
    assert_eq!(whole.len(), blocks().len());
    let mut refused = 0;
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let outcome = read(&damaged);
        assert!(whole.starts_with(&outcome.hashes()), "bit {bit} gave a wrong block");
        let complete = outcome.blocks.len() == whole.len();
        assert!(
            complete || outcome.error.is_some() || bytes.starts_with(b"\x0a\xa1"),
            "bit {bit} went unseen"
        );
        refused += usize::from(outcome.error.is_some());
    }
    refused
}

#[test]
fn a_flipped_bit_in_a_v1_gives_no_wrong_block() {
    let bytes = car_v1(&blocks());
    let of_sections = (bytes.len() - 61) * 8;
    let codecs = 5 * 8;
    assert!(refused(&bytes) > of_sections - codecs, "all but a codec's bits are seen");
}

#[test]
fn a_flipped_bit_in_a_v2_gives_no_wrong_block() {
    let bytes = car_v2(&car_v1(&blocks()), 5);
    assert!(refused(&bytes) > 0);
}

#[test]
fn a_flipped_bit_in_zstd_gives_no_wrong_block() {
    let v1 = car_v1(&blocks());
    for bytes in [zstd_frame(&v1), zstd_frame(&car_v2(&v1, 5))] {
        assert!(refused(&bytes) > 0);
    }
}
