//! What is written is what is read, for any blocks and in any form.

use cid::Cid;
use proptest::collection::vec;
use proptest::prelude::*;
use splitstore_car::CarWriter;

use crate::sample::{RAW, blake_cid, car_v2, identity_cid, read, zstd_frame};

fn block() -> impl Strategy<Value = (Cid, Vec<u8>)> {
    prop_oneof![
        4 => (0..1_u64 << 63, vec(any::<u8>(), 0..3000)).prop_map(|(codec, data)| (blake_cid(codec, &data), data)),
        1 => vec(any::<u8>(), 0..=64).prop_map(|data| (identity_cid(&data), data)),
        1 => (70_000..200_000_usize).prop_map(|len| (blake_cid(RAW, &vec![9; len]), vec![9; len])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_is_written_is_read_back(blocks in vec(block(), 0..20), roots in 0..10_usize, pad in 0..300_u64) {
        let roots: Vec<Cid> = blocks.iter().map(|(cid, _)| *cid).take(roots).collect();
        let mut writer = CarWriter::new(Vec::new(), &roots).unwrap();
        for (cid, data) in &blocks {
            writer.write_block(cid, data).unwrap();
        }
        let v1 = writer.finish().unwrap();
        for bytes in [zstd_frame(&v1), car_v2(&v1, pad), v1] {
            let outcome = read(&bytes);
            prop_assert!(outcome.error.is_none(), "{:?}", outcome.error);
            prop_assert_eq!(&outcome.roots, &roots);
            prop_assert_eq!(&outcome.pairs(), &blocks);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        let outcome = read(&bytes);
        prop_assert!(outcome.error.is_some() || outcome.blocks.is_empty());
    }
}
