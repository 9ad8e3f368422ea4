//! The compactor: names, limits, doors, space, and what it refuses.

use std::path::Path;
use std::time::Duration;

use segment_compaction::{
    Ask, Backoff, BackoffSettings, Cancel, CompactError, Door, Held, Lane, Level, MergeMode, Sentence, Taken,
    Turn, next_lane,
};

use crate::lines::delete;
use crate::scene::id;
use crate::yard::{Yard, small};

fn group(names: &str) -> segment_compaction::Group {
    let segments: Vec<_> = names.split_whitespace().map(id).collect();
    let mut generations: Vec<_> = segments.iter().map(|id| id.generation).collect();
    generations.dedup();
    segment_compaction::Group {
        generations: generations.len(),
        segments,
        level: Level::ONE,
        bytes: 0,
        mode: MergeMode::Full,
        reason: Taken::Forced,
    }
}

fn compact(yard: &Yard, names: &str) -> Result<Vec<String>, CompactError> {
    let group = group(names);
    let lease = yard.engine.lock().acquire(&group).unwrap();
    let report = yard.engine.compactor().compact(&group, &lease)?;
    Ok(report.outputs.iter().map(ToString::to_string).collect())
}

/// Writes a segment under any name.
fn plant(yard: &Yard, name: &str, key: &str) {
    yard.snapshot(&[(key, name)]).unwrap();
    let newest = yard.engine.compactor().folder().segments().unwrap().pop().unwrap();
    let data = yard.files.read(&newest.path()).unwrap();
    segment_compaction::FileSystem::remove(&yard.files, &newest.path()).unwrap();
    let target = yard.engine.compactor().folder().naming().segment(id(name));
    yard.files.overwrite(&Path::new("folder").join(target), data);
}

/// Defect 10: the output's name came from the newest generation alone, so that a level could drop.
#[test]
fn no_generation_drops_a_level() {
    for (inputs, output) in
        [("2-4 3-1", "3-4"), ("1-1 2-1", "2-2"), ("1-2 2-3 2-4", "2-5"), ("1-9 2-1", "2-4"), ("4-7", "4-8")]
    {
        let yard = Yard::new(small());
        for name in inputs.split_whitespace() {
            plant(&yard, name, name);
        }
        assert_eq!(compact(&yard, inputs).unwrap(), [output], "{inputs}");
    }
}

#[test]
fn outputs_roll_over_at_the_size_and_at_the_formats_own_limit() {
    let yard = Yard::new(small());
    let keys: Vec<_> = (0..60).map(|number| format!("k{number:02}")).collect();
    let entries: Vec<_> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    // 25 lines of 6 bytes make 150: the format's own limit comes before the size.
    assert_eq!(yard.snapshot(&entries).unwrap().outputs, [id("1-1"), id("1-2"), id("1-3")]);
    let value = "x".repeat(92);
    let entries: Vec<_> = keys.iter().take(6).map(|key| (key.as_str(), value.as_str())).collect();
    // A line of 97 bytes: the third crosses the limit of 200. No empty segment at the end.
    assert_eq!(yard.snapshot(&entries).unwrap().outputs, [id("2-1"), id("2-2")]);
}

#[test]
fn a_stale_plan_is_refused() {
    let yard = Yard::new(small());
    for name in ["1-1", "2-1", "2-2", "3-1"] {
        plant(&yard, name, name);
    }
    for stale in ["1-1 2-1", "1-1 3-1", "1-1 2-1 2-2 2-3", "7-1"] {
        let error = compact(&yard, stale).unwrap_err();
        assert!(matches!(error, CompactError::Stale(_)), "{stale}: {error}");
    }
    assert_eq!(yard.names().len(), 4);
}

#[test]
fn what_is_wholly_deleted_leaves_no_segment() {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1")]).unwrap();
    delete(&yard.engine.compactor().folder().segments().unwrap()[0], "a").unwrap();
    assert_eq!(compact(&yard, "1-1").unwrap(), [] as [&str; 0]);
    assert_eq!(yard.names(), [] as [&str; 0]);
}

#[test]
fn too_little_space_is_found_before_anything_is_written() {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1")]).unwrap();
    yard.snapshot(&[("b", "1")]).unwrap();
    yard.files.set_free_space(Some(10));
    let operations = yard.files.operations();
    let error = compact(&yard, "1-1 2-1").unwrap_err();
    assert!(matches!(error, CompactError::NotEnoughSpace { free: 10, .. }), "{error}");
    assert_eq!(yard.files.operations(), operations);
    yard.files.set_free_space(Some(10_000));
    compact(&yard, "1-1 2-1").unwrap();
}

/// Seven snapshots, the second damaged after so many surveys, and what forty turns make of them.
fn with_damage(surveys_before: usize) -> Yard {
    let yard = Yard::new(small());
    for round in 0..7 {
        yard.snapshot(&[("a", "1"), (["b", "c", "d"][round % 3], "2")]).unwrap();
    }
    for _ in 0..surveys_before {
        yard.engine.plans(Duration::ZERO).unwrap();
    }
    let damaged = yard.engine.compactor().folder().segments().unwrap()[1].path();
    let mut data = yard.files.read(&damaged).unwrap();
    data[0] ^= 1;
    yard.files.overwrite(&damaged, data.clone());
    for _ in 0..40 {
        yard.engine.turn(Duration::ZERO).unwrap();
        yard.clock.advance(Duration::from_secs(100));
    }
    assert_eq!(yard.files.read(&damaged), Some(data));
    yard
}

#[test]
fn a_damaged_segment_is_named_and_the_others_go_on() {
    for surveys_before in [0, 1] {
        let yard = with_damage(surveys_before);
        let heard = yard.heard.0.lock().join("\n");
        assert!(heard.contains("segment 2-1 is corrupt: footer"), "{heard}");
        let names = yard.names();
        assert!(names.contains(&"2-1.lines".into()), "{names:?}");
        assert!(!names.contains(&"4-1.lines".into()), "what is after it is compacted: {names:?}");
        let told = heard.matches("segment 2-1 is corrupt").count();
        assert!(told <= 5, "told {told} times");
    }
}

#[test]
fn a_closed_door_stops_what_runs_and_lets_nobody_in() {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1")]).unwrap();
    yard.snapshot(&[("b", "1")]).unwrap();
    let compactor = yard.engine.compactor();
    let closed = compactor.compactions().close();
    closed.wait();
    assert!(matches!(compact(&yard, "1-1 2-1"), Err(CompactError::Disabled(_))));
    yard.snapshot(&[("c", "1")]).unwrap();
    drop(closed);
    compact(&yard, "1-1 2-1").unwrap();
    let _closed = compactor.snapshots().close();
    assert_eq!(yard.snapshot(&[("d", "1")]).unwrap_err().to_string(), "snapshots are disabled");
}

#[test]
fn closing_cancels_all_permits_given_before_and_none_after() {
    let door = Door::new("compactions");
    let before = door.enter().unwrap();
    let (one, two) = (door.close(), door.close());
    assert!(before.cancel().is_cancelled());
    assert_eq!(door.enter().unwrap_err().to_string(), "compactions are disabled");
    drop(one);
    assert!(door.enter().is_err(), "another still keeps it closed");
    assert_eq!(door.inside(), 1);
    drop(before);
    two.wait();
    drop(two);
    let after = door.enter().unwrap();
    assert!(!after.cancel().is_cancelled());
    door.interrupt();
    assert!(after.cancel().is_cancelled());
    assert!(!door.enter().unwrap().cancel().is_cancelled());
}

#[test]
fn failures_wait_twice_as_long_each_time_and_end_in_quarantine() {
    let mut backoff = Backoff::new(BackoffSettings { quarantine_after: 3, ..BackoffSettings::default() });
    let group = group("1-1 2-1");
    let corrupt = || CompactError::Format {
        attempt: "merge".into(),
        source: segment_compaction::FormatError::corrupt(id("2-1"), "bits"),
    };
    let at = Duration::from_secs;
    assert_eq!(backoff.failed(&group, &corrupt(), at(10)), Some(Sentence::Until(at(11))));
    assert!(!backoff.is_ready(&group, at(10)) && backoff.is_ready(&group, at(11)));
    assert_eq!(backoff.failed(&group, &corrupt(), at(11)), Some(Sentence::Until(at(13))));
    assert_eq!(backoff.next_due([&group]), Some(at(13)));
    let stopped = CompactError::Interrupted(segment_compaction::Cancelled);
    assert_eq!(backoff.failed(&group, &stopped, at(11)), None);
    let sentence = backoff.failed(&group, &corrupt(), at(13));
    assert_eq!(sentence, Some(Sentence::Quarantined(vec![id("2-1").generation])));
    assert_eq!(backoff.held().len(), 1);
    backoff.forgive();
    assert!(backoff.held().is_empty() && backoff.is_ready(&group, at(0)));
    let full = || CompactError::NotEnoughSpace { needed: 2, free: 1 };
    let waits: Vec<_> = (0..50).filter_map(|_| backoff.failed(&group, &full(), at(0))).collect();
    assert_eq!(waits.last(), Some(&Sentence::Until(at(600))), "a full disk never quarantines");
}

#[test]
fn a_group_that_always_fails_does_not_starve_others_and_is_no_hot_loop() {
    let yard = Yard::new(small());
    for round in 0..3 {
        yard.snapshot(&[(["a", "b", "c"][round], "1")]).unwrap();
    }
    yard.files.fail_after(yard.files.operations(), std::io::ErrorKind::StorageFull);
    assert!(matches!(
        yard.engine.turn(Duration::ZERO).unwrap(),
        Turn::Failed(CompactError::NoSpace { .. }, _)
    ));
    let operations = yard.files.operations();
    for _ in 0..100 {
        assert!(matches!(yard.engine.turn(Duration::ZERO).unwrap(), Turn::Waiting(_)));
    }
    assert_eq!(yard.files.operations(), operations);
    yard.clock.advance(Duration::from_secs(1));
    assert!(matches!(yard.engine.turn(Duration::ZERO).unwrap(), Turn::Did(_)));
}

#[test]
fn the_lane_with_the_largest_weighted_queue_goes_first() {
    let pick =
        |depths: [usize; 5]| next_lane(|lane| depths[Lane::ALL.iter().position(|l| *l == lane).unwrap()]);
    assert_eq!(pick([0; 5]), None);
    assert_eq!(pick([1, 1, 1, 1, 1]), Some(Lane::One));
    assert_eq!(pick([1, 0, 2, 0, 0]), Some(Lane::One), "a tie goes to the lower level");
    assert_eq!(pick([1, 2, 0, 0, 0]), Some(Lane::Two));
    assert_eq!(pick([0, 0, 0, 1, 9]), Some(Lane::Four));
    assert_eq!(Lane::of(Ask::ForcedFull), Lane::Four);
}

#[test]
fn a_lease_holds_all_or_nothing_and_ends_when_dropped() {
    let lock = segment_compaction::GroupLock::new();
    let lease = lock.acquire(&group("2-1")).unwrap();
    let error = lock.acquire_all(&[group("1-1"), group("2-1 3-1")]).unwrap_err();
    assert_eq!(error.to_string(), "segment 2-1 is in use by another compaction");
    assert_eq!(lock.generations().len(), 1, "nothing of the refused plan is held");
    drop(lease);
    assert_eq!(lock.held(), Held::new());
}

#[test]
fn a_cancelled_merge_leaves_nothing_behind() {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1")]).unwrap();
    let cancelled = {
        let door = Door::new("snapshots");
        let permit = door.enter().unwrap();
        door.interrupt();
        permit.cancel().clone()
    };
    let entries = [("b".to_string(), "1".to_string())].into_iter().collect();
    let error = yard.engine.snapshot(crate::lines::Merge::new(entries, &cancelled)).unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
    assert_eq!(yard.names(), ["1-1.lines"]);
    assert!(!Cancel::never().is_cancelled());
}
