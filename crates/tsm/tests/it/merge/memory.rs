//! What a merge may take in memory, counted.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use tsm::{
    BlockType, Column, Encoder, Encoding, Limits, Merge, MergeInput, MergeMode, Tombstones, TsmReader,
    TsmWriter, Values, WriterOptions,
};

use super::files::options;

const FILES: i64 = 64;

/// Bytes of a decoded block of a thousand points, with room that a vector may have beyond its length.
const BLOCK: u64 = 1000 * 16 * 2;

/// Files whose blocks all overlap each other.
fn inputs(keys: usize, blocks: i64) -> Vec<MergeInput> {
    (0..FILES).map(|file| input(file, keys, blocks)).collect()
}

fn input(file: i64, keys: usize, blocks: i64) -> MergeInput {
    let mut writer = TsmWriter::new(Vec::new(), "x.tsm", WriterOptions::default());
    let mut encoder = Encoder::new(Encoding::COMPACTION);
    for key in 0..keys {
        for block in 0..blocks {
            let times = (0..1000).map(|n| (block * 1000 + n) * FILES + file).collect();
            let values = Values::Integer((0..1000).map(|n| n * 3 + file).collect());
            let column = Column::new(times, values).unwrap();
            let _ =
                writer.write_points(format!("{key:08}").as_bytes(), column.points(), &mut encoder).unwrap();
        }
    }
    let bytes = Arc::new(writer.finish().unwrap().unwrap().sink);
    MergeInput {
        reader: TsmReader::new(bytes, "x.tsm", Limits::default()).unwrap(),
        deletions: Tombstones::default(),
    }
}

fn merged(inputs: Vec<MergeInput>) -> (AllocationInfo, u64) {
    let mut points = 0;
    let info = measure(|| {
        let mut merge = Merge::new(inputs, options(MergeMode::Full, 1000)).unwrap();
        while let Some(block) = merge.next_block().unwrap() {
            assert_eq!(block.kind, BlockType::Integer);
        }
        points = merge.tally().points;
    });
    (info, points)
}

#[test]
fn a_merge_of_sixty_four_files_holds_a_block_of_each_whatever_the_number_of_keys_and_points() {
    // Per file a block, a window of the index and its marks; then what is read, pending and encoded.
    let bound = FILES.unsigned_abs() * (BLOCK + (20 << 10)) + 8 * BLOCK;
    for (keys, blocks) in [(1, 4), (1, 16), (8, 4)] {
        let (info, points) = merged(inputs(keys, blocks));
        assert_eq!(points, keys as u64 * blocks.unsigned_abs() * 1000 * FILES.unsigned_abs());
        assert!(info.bytes_max < bound, "{keys} keys, {blocks} blocks: {info:?}, bound {bound}");
    }
}

#[test]
fn a_merge_allocates_nothing_per_point() {
    let [few, many] = [4, 16].map(|blocks| merged(inputs(1, blocks)).0.count_total);
    // What grows is the list of a key's entries, not anything per block or point.
    assert!(many < few + 200, "{few} allocations for 256,000 points, {many} for 1,024,000");
}
