//! Single cases: those of the original's own tests, and those in which it loses.

use serde_json::Value;
use tsm::{Column, MergeMode, Values};

use super::files::{Drawn, Written, content_of, floats, inputs, merged, model, options};
use crate::data::path;

const KEY: &str = "cpu,host=A#!~#value";

/// Files that each hold blocks of one value under [`KEY`].
fn drawn(files: &[(&[&[i64]], f64)]) -> Vec<Drawn> {
    let file = |(blocks, value): &(&[&[i64]], f64)| {
        Drawn::default().key(KEY, blocks.iter().map(|times| floats(times, *value)))
    };
    files.iter().map(file).collect()
}

fn times(blocks: &[Written]) -> Vec<Vec<i64>> {
    blocks.iter().map(|block| block.column.times().to_vec()).collect()
}

fn merge(files: &[Drawn], mode: MergeMode, size: usize) -> Vec<Written> {
    let blocks = merged(inputs(files), options(mode, size)).unwrap();
    assert_eq!(content_of(&blocks), model(files));
    blocks
}

#[test]
fn overlapping_blocks_become_blocks_of_the_asked_size() {
    let files = drawn(&[(&[&[4, 5, 7]], 1.1), (&[&[1, 2, 6]], 1.2), (&[&[3, 8, 9]], 1.3)]);
    for mode in [MergeMode::Fast, MergeMode::Full] {
        let blocks = merge(&files, mode, 2);
        assert_eq!(times(&blocks), [vec![1, 2], vec![3, 4], vec![5, 6], vec![7, 8], vec![9]]);
    }
}

#[test]
fn an_older_file_may_hold_later_times() {
    let files = drawn(&[(&[&[4, 5, 6]], 1.1), (&[&[1, 2, 3]], 1.2)]);
    assert_eq!(times(&merge(&files, MergeMode::Fast, 2)), [vec![1, 2, 3], vec![4, 5, 6]]);
    assert_eq!(times(&merge(&files, MergeMode::Full, 4)), [vec![1, 2, 3, 4], vec![5, 6]]);
}

#[test]
fn full_blocks_pass_and_small_ones_are_joined() {
    let files = drawn(&[(&[&[1, 2]], 1.1), (&[&[3]], 1.2), (&[&[4]], 1.3)]);
    let blocks = merge(&files, MergeMode::Full, 2);
    assert_eq!(times(&blocks), [vec![1, 2], vec![3, 4]]);
    assert_eq!(blocks.iter().map(|block| block.passed).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn fast_mode_passes_whatever_stands_alone() {
    let files = drawn(&[(&[&[1, 2]], 1.1), (&[&[3]], 1.2), (&[&[4]], 1.3)]);
    let blocks = merge(&files, MergeMode::Fast, 2);
    assert_eq!(times(&blocks), [vec![1, 2], vec![3], vec![4]]);
    assert!(blocks.iter().all(|block| block.passed));
}

#[test]
fn the_value_of_the_later_file_stays() {
    let files = drawn(&[(&[&[1]], 1.0), (&[&[1]], 2.0)]);
    let blocks = merge(&files, MergeMode::Full, 1000);
    assert!(blocks[0].column.same_bits(&floats(&[1], 2.0)));
}

/// Deleted ranges, and the times of the blocks that are left.
type Case<'a> = (&'a [(i64, i64)], &'a [&'a [i64]]);

#[test]
fn tombstones_take_points_away_and_only_from_their_own_file() {
    let whole = drawn(&[(&[&[1, 2]], 1.1), (&[&[3]], 1.2), (&[&[4]], 1.3)]);
    let cases: [Case<'_>; 4] = [
        (&[(1, 2)], &[&[3, 4]]),
        (&[(2, 2)], &[&[1, 3], &[4]]),
        (&[(1, 1), (2, 2), (9, 9)], &[&[3, 4]]),
        (&[(3, 4)], &[&[1, 2], &[3, 4]]),
    ];
    for (ranges, left) in cases {
        let mut files = whole.clone();
        for (min, max) in ranges {
            files[0] = std::mem::take(&mut files[0]).minus(KEY, *min, *max);
        }
        assert_eq!(times(&merge(&files, MergeMode::Full, 2)), left, "{ranges:?}");
    }
}

#[test]
fn a_key_that_is_deleted_whole_leaves_nothing_behind() {
    let both = Drawn::default().key("cpu,host=A#!~#count", [floats(&[1], 1.0)]);
    let both =
        both.key("cpu,host=B#!~#value", [floats(&[1], 1.0)]).minus("cpu,host=A#!~#count", i64::MIN, i64::MAX);
    let blocks = merge(&[both], MergeMode::Full, 1000);
    assert_eq!(blocks.iter().map(|block| block.key.as_slice()).collect::<Vec<_>>(), [b"cpu,host=B#!~#value"]);
    let gone = drawn(&[(&[&[1, 2]], 1.0)]).remove(0).minus(KEY, 1, 2);
    assert!(merge(&[gone], MergeMode::Full, 1000).is_empty());
}

#[test]
fn of_two_points_with_one_time_inside_a_block_the_last_stays() {
    let twice = Column::new(vec![1, 2, 2, 5], Values::Integer(vec![1, 2, 3, 4])).unwrap();
    let files = [Drawn::default().key(KEY, [twice])];
    for mode in [MergeMode::Full, MergeMode::Fast] {
        let blocks = merge(&files, mode, 4);
        assert_eq!(times(&blocks), [[1, 2, 5]]);
    }
}

#[test]
fn strings_are_also_limited_by_their_bytes() {
    let values = ["aaaa", "bbbb", "cc", "dd", "eeeeeeeeee", "f"].into_iter().collect();
    let strings = Column::new(vec![1, 2, 3, 4, 5, 7], Values::String(values)).unwrap();
    let later = Column::new(vec![6], Values::String(["g"].into_iter().collect())).unwrap();
    let files = [Drawn::default().key(KEY, [strings]), Drawn::default().key(KEY, [later])];
    let limited = tsm::MergeOptions { string_bytes_per_block: 8, ..options(MergeMode::Full, 100) };
    let blocks = merged(inputs(&files), limited).unwrap();
    assert_eq!(times(&blocks), [vec![1, 2], vec![3, 4], vec![5], vec![6, 7]]);
    assert_eq!(content_of(&blocks), model(&files));
}

#[test]
fn values_that_the_original_lets_win_wrongly_lose() {
    let Some(path) = path("lww_counterexample.json") else { return };
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let numbers =
        |value: &Value| value.as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect::<Vec<_>>();
    let column =
        |block: &Value| Column::new(numbers(&block["t"]), Values::Integer(numbers(&block["v"]))).unwrap();
    let file =
        |file: &Value| Drawn::default().key(KEY, file["blocks"].as_array().unwrap().iter().map(column));
    let files: Vec<Drawn> = json["files"].as_array().unwrap().iter().map(file).collect();
    assert!(files.len() == 3 && files.iter().map(|file| file.blocks[0].1.len()).sum::<usize>() == 22);
    for size in [1, 2, 3, 10, 1000] {
        merge(&files, MergeMode::Full, size);
        merge(&files, MergeMode::Fast, size);
    }
}
