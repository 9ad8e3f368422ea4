//! The laws of a merge, on drawn files of every shape: exact last write wins, associative, idempotent, and modes agree.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use tsm::{BlockType, Column, MergeMode, Values};

use super::files::{Drawn, as_drawn, content_of, inputs, merged, model, options};

/// Points of one file and key, cut into blocks anywhere; sometimes blocks of a file overlap, as old versions left
/// them.
fn blocks(kind: BlockType) -> impl Strategy<Value = Vec<Column>> {
    let points = prop::collection::btree_map(-40_i64..60, any::<u16>(), 1..40);
    let cuts = prop::collection::vec(any::<Index>(), 0..6);
    (points, cuts, prop::bool::weighted(0.2)).prop_map(move |(points, cuts, overlapping)| {
        let points: Vec<_> = points.into_iter().collect();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(points.len())).collect();
        at.extend([0, points.len()]);
        at.sort_unstable();
        at.dedup();
        let stretches = at.windows(2).map(|ends| &points[ends[0]..ends[1]]);
        let mut columns: Vec<Column> = stretches.map(|stretch| column(kind, stretch)).collect();
        if overlapping {
            let again: Vec<_> = points.iter().step_by(3).map(|(time, value)| (*time, value ^ 1)).collect();
            columns.push(column(kind, &again));
            columns.sort_by_key(|column| column.times()[0]);
        }
        columns
    })
}

fn column(kind: BlockType, points: &[(i64, u16)]) -> Column {
    let times = points.iter().map(|(time, _)| *time).collect();
    let raw = points.iter().map(|(_, value)| *value);
    let values = match kind {
        BlockType::Float => {
            Values::Float(raw.map(|v| f64::from(v) * if v % 2 == 0 { 0.5 } else { -1e300 }).collect())
        }
        BlockType::Integer => Values::Integer(raw.map(|v| i64::from(v) - 30_000).collect()),
        BlockType::Boolean => Values::Boolean(raw.map(|v| v % 2 == 0).collect()),
        BlockType::String => {
            Values::String(raw.map(|v| "x".repeat(usize::from(v % 7)) + &v.to_string()).collect())
        }
        BlockType::Unsigned => Values::Unsigned(raw.map(|v| u64::MAX - u64::from(v)).collect()),
    };
    Column::new(times, values).unwrap()
}

fn file() -> impl Strategy<Value = Drawn> {
    let keys = prop::collection::btree_set(0..5_usize, 1..4);
    let keyed = keys.prop_flat_map(|keys| {
        let each: Vec<_> = keys
            .into_iter()
            .map(|key| {
                blocks(BlockType::ALL[key]).prop_map(move |blocks| (format!("k{key}").into_bytes(), blocks))
            })
            .collect();
        each
    });
    let deleted = prop::collection::vec((0..5_usize, -45_i64..65, 0..30_i64), 0..4);
    (keyed, deleted).prop_map(|(blocks, deleted)| {
        let range = |(key, min, len): (usize, i64, i64)| {
            (format!("k{key}").into_bytes(), tsm::TimeRange::new(min, min + len))
        };
        Drawn { blocks, deleted: deleted.into_iter().map(range).collect() }
    })
}

fn files(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Drawn>> {
    prop::collection::vec(file(), count)
}

fn modes() -> impl Strategy<Value = MergeMode> {
    prop::sample::select(vec![MergeMode::Full, MergeMode::Fast])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn the_last_write_wins_for_any_layout_of_blocks(files in files(1..8), mode in modes(), size in 1_usize..50) {
        let blocks = merged(inputs(&files), options(mode, size)).unwrap();
        prop_assert_eq!(content_of(&blocks), model(&files));
    }

    #[test]
    fn with_many_files_and_small_blocks_the_last_write_still_wins(files in files(20..40), size in 1_usize..8) {
        let blocks = merged(inputs(&files), options(MergeMode::Full, size)).unwrap();
        prop_assert_eq!(content_of(&blocks), model(&files));
    }

    #[test]
    fn merging_in_steps_is_merging_at_once(files in files(3..5), cut in 1_usize..3, size in 1_usize..20) {
        let all = content_of(&merged(inputs(&files), options(MergeMode::Full, size)).unwrap());
        let (older, newer) = files.split_at(cut);
        let steps: Vec<Drawn> = [older, newer]
            .iter()
            .map(|part| as_drawn(&merged(inputs(part), options(MergeMode::Fast, size)).unwrap()))
            .filter(|drawn| !drawn.blocks.is_empty())
            .collect();
        prop_assert_eq!(content_of(&merged(inputs(&steps), options(MergeMode::Full, size)).unwrap()), all);
    }

    #[test]
    fn merging_again_changes_nothing(files in files(1..5), size in 1_usize..20) {
        let once = merged(inputs(&files), options(MergeMode::Full, size)).unwrap();
        if once.is_empty() { return Ok(()) }
        let twice = merged(inputs(&[as_drawn(&once)]), options(MergeMode::Full, size)).unwrap();
        prop_assert_eq!(content_of(&twice), content_of(&once));
        let mut blocks: BTreeMap<&[u8], usize> = BTreeMap::new();
        for block in &once {
            *blocks.entry(&block.key).or_default() += 1;
        }
        if once.iter().all(|block| block.column.len() == size || blocks[&*block.key] == 1) {
            prop_assert_eq!(twice.len(), once.len());
            prop_assert!(twice.iter().all(|block| block.passed));
        }
    }
}
