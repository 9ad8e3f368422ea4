//! What the planner mends, one defect of the original each; and how plans read.

use std::time::Duration;

use segment_compaction::{Ask, FullyCompacted, Held, Hold, Level, NotYet, Plan, Planner, Unplannable, Why};

use crate::scene::{groups, id, listing};

const DAY: Duration = Duration::from_secs(86_400);

fn held(generations: &[u64], hold: Hold) -> Held {
    generations.iter().map(|number| (segment_compaction::Generation::new(*number), hold)).collect()
}

fn plan(drawing: &str, ask: Ask) -> Plan {
    Planner::default().plan(&listing(drawing), &Held::new(), ask)
}

/// Defect 3: files in use were invisible, so that files on both sides of them became one group.
#[test]
fn what_is_in_use_ends_a_group() {
    let drawing = "1-2 2-2 3-2 4-2 5-2 6-2 7-2 8-2";
    let planner = Planner::default();
    let in_use = held(&[3, 4], Hold::InUse);
    let level = planner.plan(&listing(drawing), &in_use, Ask::Level(Level::TWO));
    assert_eq!(groups(&level), ["5-2 6-2 7-2 8-2"]);
    let full = planner.plan(&listing(drawing), &in_use, Ask::ForcedFull);
    assert_eq!(groups(&full), ["1-2 2-2", "5-2 6-2 7-2 8-2"]);
    let steps = planner.plan(&listing("1-4 2-4 3-4 4-4 5-4 6-4"), &in_use, Ask::Steps);
    assert_eq!(groups(&steps), [] as [&str; 0]);
}

/// Defect 3 again: a maxed generation in the middle was skipped, and its neighbours merged around it.
#[test]
fn a_maxed_generation_in_between_ends_a_group() {
    let drawing = "1-4 2-4 3-4:2049F 4-4 5-4";
    assert_eq!(groups(&plan(drawing, Ask::ForcedFull)), ["1-4 2-4", "4-4 5-4"]);
    let drawing = "1-4 2-4 3-4:800F 3-5:800F 3-6:800F 4-4 5-4 6-4 7-4";
    assert_eq!(groups(&plan(drawing, Ask::Optimize { idle: Duration::ZERO })), ["4-4 5-4 6-4 7-4"]);
}

/// Defect 4: a cached listing hid released files. Nothing is cached: the same input gives the same plan.
#[test]
fn a_released_group_is_planned_again() {
    let (planner, listing) = (Planner::default(), listing("1-2 2-2 3-2 4-2"));
    let lock = segment_compaction::GroupLock::new();
    let first = planner.plan(&listing, &lock.held(), Ask::Level(Level::TWO));
    let lease = lock.acquire(&first.groups[0]).unwrap();
    assert_eq!(groups(&planner.plan(&listing, &lock.held(), Ask::Level(Level::TWO))), [] as [&str; 0]);
    drop(lease);
    assert_eq!(planner.plan(&listing, &lock.held(), Ask::Level(Level::TWO)), first);
}

/// Defect 11 a: one generation of a low level among those of level 4 kept all after it from being planned.
#[test]
fn a_low_level_among_level_four_is_no_barrier() {
    let drawing = "1-4 2-4 3-2 4-4 5-4 6-4 7-4 8-4 9-4 10-4 11-4";
    assert_eq!(groups(&plan(drawing, Ask::Steps)), ["1-4 2-4 3-2 4-4", "5-4 6-4 7-4 8-4"]);
}

/// Defect 11 b: one generation of many small files was never planned, and counted as fully compacted.
#[test]
fn one_generation_of_many_small_segments_is_joined_once_cold() {
    let drawing = "7-3:100 7-4:100 7-5:100";
    assert_eq!(groups(&plan(drawing, Ask::Optimize { idle: DAY })), ["7-3 7-4 7-5"]);
    let warm = plan(drawing, Ask::Optimize { idle: Duration::ZERO });
    assert_eq!(warm.left[0].why, Why::NotCold);
    let verdict = Planner::default().fully_compacted(&listing(drawing));
    assert_eq!(verdict, FullyCompacted::No(NotYet::Segments(3)));
    // All but the last at their limit: nothing to gain.
    assert!(Planner::default().fully_compacted(&listing("7-3:2049 7-4:2049 7-5:100")).is_yes());
}

/// Defect 11 c: a maxed generation inside a window pushed out the tombstoned one at its left.
#[test]
fn a_maxed_generation_pushes_no_tombstoned_one_out() {
    assert_eq!(groups(&plan("1-4T 2-4 3-4:2048F 4-4 5-4", Ask::Steps)), ["1-4T 2-4".replace('T', "")]);
}

/// Defect 11: a few of a low level in front of a higher one waited for siblings that never come.
#[test]
fn a_short_window_joins_the_higher_level_after_it() {
    let drawing = "1-1 2-1 3-2 4-2";
    assert_eq!(groups(&plan(drawing, Ask::Level(Level::TWO))), ["1-1 2-1 3-2 4-2"]);
    let one = plan(drawing, Ask::Level(Level::ONE));
    assert_eq!(one.left[0].why, Why::InFrontOf(Level::TWO));
    assert_eq!(groups(&one), [] as [&str; 0]);
}

/// Defect 17: fullness was the first block of the first file; ten thousand points counted as not full.
#[test]
fn fullness_is_that_of_the_whole_index() {
    let mut packed = crate::scene::stats(1, "F").fill;
    packed.points_max = 10_000;
    assert!(packed.is_packed(), "larger blocks than asked for are full");
    packed.full_blocks = 1;
    assert!(!packed.is_packed(), "one full block first, short ones after it");
    let each_key_ends_in_a_short_block =
        segment_compaction::Fill { keys: 10, blocks: 20, full_blocks: 10, points: 0, points_max: 0 };
    assert!(each_key_ends_in_a_short_block.is_packed());
    assert!(!segment_compaction::Fill::default().is_packed());
}

#[test]
fn what_grew_large_is_not_rewritten_for_small_ones() {
    let drawing = "1-4:900 2-4:100 3-4:100 4-4:100 5-4:100";
    assert_eq!(groups(&plan(drawing, Ask::Steps)), ["2-4 3-4 4-4 5-4"]);
}

#[test]
fn the_verdict_says_what_is_left() {
    let verdict = |drawing| Planner::default().fully_compacted(&listing(drawing)).to_string();
    assert_eq!(verdict(""), "fully compacted: nothing is there");
    assert_eq!(verdict("3-2"), "fully compacted: one generation");
    assert_eq!(verdict("3-2T"), "not yet: deleted data still takes space");
    assert_eq!(verdict("1-1 2-1"), "not yet: 2 generations gain by becoming one");
    assert_eq!(
        verdict("1-4:2049F 2-4:2049F 3-4:2049F"),
        "fully compacted: 3 generations, none gains by joining another"
    );
}

#[test]
fn what_somebody_names_must_be_whole_and_adjacent() {
    let (planner, listing) = (Planner::default(), listing("1-1 2-1 2-2 3-1"));
    let given = |names: &str, held: &Held| {
        let ids: Vec<_> = names.split_whitespace().map(id).collect();
        planner.given(&listing, held, &ids).map(|plan| groups(&plan))
    };
    assert_eq!(given("2-2 1-1 2-1", &Held::new()), Ok(vec!["1-1 2-1 2-2".into()]));
    assert_eq!(given("", &Held::new()), Err(Unplannable::Nothing));
    assert_eq!(given("1-1 9-1", &Held::new()), Err(Unplannable::Unknown(id("9-1"))));
    assert_eq!(given("1-1 2-2", &Held::new()), Err(Unplannable::Partial(id("2-1"))));
    let two = segment_compaction::Generation::new(2);
    assert_eq!(given("1-1 3-1", &Held::new()), Err(Unplannable::NotAdjacent(two)));
    let in_use = held(&[2], Hold::InUse);
    assert_eq!(given("2-1 2-2", &in_use), Err(Unplannable::Held(two, Hold::InUse)));
}

#[test]
fn a_plan_reads_in_a_few_lines() {
    let drawing = "1-4:251 2-4 3-4 4-4 5-3 6-3 7-1 8-1 9-1 10-1 11-1 12-1 13-1 14-1T 15-1 16-1 17-1";
    let planner = Planner::default();
    let held = held(&[16], Hold::Quarantined);
    let asks = [
        Ask::Level(Level::ONE),
        Ask::Level(Level::THREE),
        Ask::Steps,
        Ask::FullWhenCold { idle: DAY },
        Ask::Optimize { idle: DAY },
    ];
    let plans: Vec<_> =
        asks.iter().map(|ask| planner.plan(&listing(drawing), &held, *ask).to_string()).collect();
    insta::assert_snapshot!(plans.join("\n"));
}

#[test]
fn a_plan_of_a_thousand_groups_fits_a_screen() {
    let drawing = (1..8000).map(|number| format!("{number}-1")).collect::<Vec<_>>().join(" ");
    let plan = plan(&drawing, Ask::Level(Level::ONE));
    assert_eq!(plan.groups.len(), 999);
    assert!(plan.to_string().lines().count() <= 40);
}
