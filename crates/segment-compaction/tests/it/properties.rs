//! What holds of every plan of every listing.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use segment_compaction::{
    Ask, Generation, GroupLock, Held, Hold, Level, Listing, Plan, Planner, PlannerSettings, SegmentId,
};

use crate::scene::stats;

const DAY: Duration = Duration::from_secs(86_400);
const LIMIT: u64 = 1000;

fn planner() -> Planner {
    Planner::new(PlannerSettings { segment_bytes_max: LIMIT, ..PlannerSettings::default() }).unwrap()
}

prop_compose! {
    fn generation()(
        gap in 1_u64..3, first in 1_u32..7, segments in 1_u32..4,
        sizes in proptest::collection::vec(1_u64..1500, 4),
        marks in prop_oneof![10 => Just("F"), 10 => Just(""), 1 => Just("T"), 1 => Just("FT")],
        held in proptest::option::weighted(0.15, Just(Hold::InUse)),
    ) -> (u64, u32, u32, Vec<u64>, &'static str, Option<Hold>) {
        (gap, first, segments, sizes, marks, held)
    }
}

prop_compose! {
    fn folder()(all in proptest::collection::vec(generation(), 0..40)) -> (Listing, Held) {
        let (mut number, mut held, mut segments) = (0, Held::new(), Vec::new());
        for (gap, first, count, sizes, marks, hold) in all {
            number += gap;
            held.extend(hold.map(|hold| (Generation::new(number), hold)));
            segments.extend((0..count).zip(sizes).map(|(at, bytes)| {
                (SegmentId::new(number, first + at), stats(bytes, marks))
            }));
        }
        (Listing::new(segments).unwrap(), held)
    }
}

fn asks() -> [Ask; 8] {
    [
        Ask::Level(Level::ONE),
        Ask::Level(Level::TWO),
        Ask::Level(Level::THREE),
        Ask::Steps,
        Ask::FullWhenCold { idle: DAY },
        Ask::ForcedFull,
        Ask::Optimize { idle: DAY },
        Ask::All,
    ]
}

/// Property 21: runs of adjacent generations with all their segments; disjoint; none held; none empty.
fn check(plan: &Plan, listing: &Listing, held: &Held) {
    let all = listing.generations();
    let mut seen = BTreeSet::new();
    for group in &plan.groups {
        assert!(!group.segments.is_empty(), "an empty group");
        let (first, last) = group.span();
        let run = all.iter().filter(|stats| (first..=last).contains(&stats.generation()));
        let whole: Vec<_> =
            run.flat_map(segment_compaction::GenerationStats::segments).map(|(id, _)| *id).collect();
        assert_eq!(group.segments, whole, "not whole and adjacent: {plan}");
        for id in &group.segments {
            assert!(seen.insert(*id), "{id} twice: {plan}");
            assert!(!held.contains_key(&id.generation), "{id} is held: {plan}");
        }
    }
    let taken: BTreeSet<_> = seen.iter().map(|id| id.generation).collect();
    let left: BTreeSet<_> = plan.left.iter().map(|left| left.generation).collect();
    assert!(taken.is_disjoint(&left), "taken and left: {plan}");
    assert_eq!(taken.len() + left.len(), all.len(), "a generation has no reason: {plan}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn groups_are_whole_adjacent_disjoint_free_and_not_empty((listing, held) in folder()) {
        for ask in asks() {
            check(&planner().plan(&listing, &held, ask), &listing, &held);
        }
    }

    #[test]
    fn plans_of_different_levels_are_disjoint((listing, held) in folder()) {
        let mut seen = BTreeSet::new();
        for level in [Level::ONE, Level::TWO, Level::THREE] {
            for group in planner().plan(&listing, &held, Ask::Level(level)).groups {
                prop_assert!(group.level <= level, "{}", group);
                group.segments.iter().for_each(|id| assert!(seen.insert(*id), "{id} twice"));
            }
        }
    }

    /// Property 22.
    #[test]
    fn planning_again_after_release_is_the_same_and_before_it_never_overlaps((listing, held) in folder()) {
        for ask in asks() {
            let lock = GroupLock::new();
            let first = planner().plan(&listing, &held, ask);
            let leases = lock.acquire_all(&first.groups).unwrap();
            let mut both = lock.held();
            both.extend(held.clone());
            let second = planner().plan(&listing, &both, ask);
            prop_assert!(lock.acquire_all(&second.groups).is_ok(), "{}\n{}", first, second);
            drop(leases);
            prop_assert_eq!(planner().plan(&listing, &held, ask), first);
        }
    }

    /// Whatever is planned is progress: carried out, each group leaves fewer generations, or fewer tombstones, or
    /// fewer segments than a generation had.
    #[test]
    fn a_folder_left_alone_comes_to_rest((listing, _) in folder()) {
        let mut listing = listing;
        let planner = planner();
        for _ in 0..200 {
            let levels = [Level::ONE, Level::TWO, Level::THREE].map(Ask::Level);
            let asks = levels.into_iter().chain([Ask::Optimize { idle: DAY }]);
            let mut plans = vec![planner.full_or_steps(&listing, &Held::new(), DAY)];
            plans.extend(asks.map(|ask| planner.plan(&listing, &Held::new(), ask)));
            let Some(group) = plans.iter().flat_map(|plan| &plan.groups).next() else { break };
            listing = carried_out(&listing, &group.segments);
        }
        let verdict = planner.fully_compacted(&listing);
        prop_assert!(verdict.is_yes(), "{}", verdict);
    }
}

/// The listing after these became one generation: full blocks, segments of just more than the limit.
fn carried_out(listing: &Listing, inputs: &[SegmentId]) -> Listing {
    let (gone, mut rest): (Vec<_>, Vec<_>) =
        listing.segments().copied().partition(|(id, _)| inputs.contains(id));
    let mut bytes: u64 = gone.iter().map(|(_, stats)| stats.bytes).sum();
    let newest = inputs[inputs.len() - 1];
    let (generation, mut sequence) = (newest.generation.number(), newest.sequence.number().max(4));
    while bytes > 0 {
        let size = bytes.min(LIMIT + 1);
        bytes -= size;
        sequence += 1;
        rest.push((SegmentId::new(generation, sequence), stats(size, "F")));
    }
    Listing::new(rest).unwrap()
}
