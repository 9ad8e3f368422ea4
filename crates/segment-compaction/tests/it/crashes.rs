//! The power fails at every operation of a compaction, and every unsynced name and byte may be lost or kept.

use std::io;
use std::time::Duration;

use segment_compaction::{Ask, CompactError, Held, MemoryFiles, Turn};

use crate::lines::delete;
use crate::yard::{Content, Yard, small};

const DAY: Duration = Duration::from_secs(86_400);
const SEEDS: u64 = 24;

/// Four overlapping snapshots, one with deletions: their merge takes two outputs.
fn prepared() -> (MemoryFiles, Content) {
    let yard = Yard::new(small());
    for round in 0..4 {
        let entries: Vec<_> = (0..12)
            .map(|number| (format!("key{:02}", round * 6 + number), format!("value{round}{number}")))
            .collect();
        let entries: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        yard.snapshot(&entries).unwrap();
    }
    let segments = yard.engine.compactor().folder().segments().unwrap();
    for key in ["key00", "key01", "key07"] {
        delete(&segments[0], key).unwrap();
    }
    delete(&segments[2], "key20").unwrap();
    let content = yard.content();
    (yard.files.reboot(0), content)
}

fn compact_all(yard: &Yard) -> Result<(), CompactError> {
    let engine = &yard.engine;
    let survey = engine.compactor().folder().survey(engine.compactor().format())?;
    let plan = engine.planner().plan(&survey.listing, &Held::new(), Ask::All);
    for group in &plan.groups {
        let lease = engine.lock().acquire(group).unwrap();
        engine.compactor().compact(group, &lease)?;
    }
    Ok(())
}

fn operations_of_one_compaction() -> u64 {
    let (files, _) = prepared();
    let yard = Yard::open(&files, small()).unwrap();
    let before = files.operations();
    compact_all(&yard).unwrap();
    files.operations() - before
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_and_the_next_open_needs_nobody() {
    let operations = operations_of_one_compaction();
    assert!(operations > 40, "{operations} operations");
    for stop in 0..=operations {
        for seed in 0..SEEDS {
            let (files, content) = prepared();
            let yard = Yard::open(&files, small()).unwrap();
            files.power_fails_after(files.operations() + stop);
            let _ = compact_all(&yard);
            let reopened = Yard::open(&files.reboot(seed), small()).unwrap();
            assert_eq!(reopened.content(), content, "after {stop} operations, seed {seed}");
            assert!(!reopened.names().iter().any(|name| name.contains("tmp")), "{:?}", reopened.names());
            compact_all(&reopened).unwrap();
            assert_eq!(reopened.content(), content, "compacted after {stop} operations, seed {seed}");
        }
    }
}

#[test]
fn a_power_cut_during_recovery_loses_nothing_either() {
    let operations = operations_of_one_compaction();
    for stop in 0..=operations {
        let (files, content) = prepared();
        let yard = Yard::open(&files, small()).unwrap();
        files.power_fails_after(files.operations() + stop);
        let _ = compact_all(&yard);
        for again in 0..8 {
            let files = files.reboot(stop);
            files.power_fails_after(again);
            let _ = Yard::open(&files, small()).map(|yard| compact_all(&yard));
            let reopened = Yard::open(&files.reboot(again), small()).unwrap();
            assert_eq!(reopened.content(), content, "after {stop}, then {again} operations");
        }
    }
}

#[test]
fn an_error_at_any_operation_leaves_content_and_no_outputs() {
    let operations = operations_of_one_compaction();
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied, io::ErrorKind::Other] {
        for stop in 0..operations {
            let (files, content) = prepared();
            let yard = Yard::open(&files, small()).unwrap();
            let before = yard.names();
            files.fail_after(files.operations() + stop, kind);
            let outcome = compact_all(&yard);
            assert_eq!(yard.content(), content, "{kind} at operation {stop}");
            match outcome.unwrap_err() {
                CompactError::AfterInstall { .. } => {}
                CompactError::NoSpace { .. } => assert_eq!(kind, io::ErrorKind::StorageFull),
                CompactError::Denied { .. } => assert_eq!(kind, io::ErrorKind::PermissionDenied),
                CompactError::Io { .. } | CompactError::Format { .. } => {
                    assert_eq!(kind, io::ErrorKind::Other);
                }
                other => panic!("{kind} at operation {stop} became {other:?}"),
            }
            let left = Yard::open(&files.reboot(0), small()).unwrap();
            assert_eq!(left.content(), content, "{kind} at operation {stop}, reopened");
            if yard.names().iter().all(|name| before.contains(name)) {
                continue;
            }
            let outputs = yard.names().iter().filter(|name| !before.contains(name)).count();
            assert_eq!(outputs, outputs_installed(&yard), "{kind} at operation {stop}: {:?}", yard.names());
        }
    }
}

/// Outputs stay only once all were installed.
fn outputs_installed(yard: &Yard) -> usize {
    let heard = yard.heard.0.lock();
    let verified = heard.iter().filter(|event| event.contains("written and verified")).count();
    if heard.iter().any(|event| event.contains("in place of")) { verified } else { 0 }
}

#[test]
fn a_deleted_key_does_not_come_back_through_a_later_segment_of_the_same_name() {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1"), ("b", "1")]).unwrap();
    yard.snapshot(&[("a", "2")]).unwrap();
    // What a crash between two removals leaves: deletions of a segment that is gone.
    let stale = std::path::Path::new("folder/000000002-000000002.deleted");
    yard.files.overwrite(stale, b"a\nb\n".to_vec());
    compact_all(&yard).unwrap();
    assert_eq!(yard.names(), ["2-2.lines"]);
    assert_eq!(yard.content().len(), 2);
    yard.files.overwrite(std::path::Path::new("folder/000000001-000000001.deleted"), b"a\n".to_vec());
    let reopened = Yard::open(&yard.files, small()).unwrap();
    assert_eq!(reopened.debris, ["000000001-000000001.deleted"]);
}

#[test]
fn turns_end_in_one_generation_when_cold() {
    let (files, content) = prepared();
    let yard = Yard::open(&files, small()).unwrap();
    while let Turn::Did(_) = yard.engine.turn(DAY).unwrap() {}
    let survey = yard.engine.compactor().folder().survey(yard.engine.compactor().format()).unwrap();
    assert!(yard.engine.planner().fully_compacted(&survey.listing).is_yes(), "{:?}", yard.names());
    assert_eq!(yard.content(), content);
}

/// A snapshot of three outputs: any of them may be missing afterwards, for its source still has it all.
#[test]
fn a_power_cut_during_a_snapshot_leaves_old_values_or_new_ones() {
    let entries: Vec<_> = (0..60).map(|number| format!("key{number:02}")).collect();
    let entries: Vec<_> = entries.iter().map(|key| (key.as_str(), "new")).collect();
    for stop in 0.. {
        let (files, before) = prepared();
        let yard = Yard::open(&files, small()).unwrap();
        files.power_fails_after(files.operations() + stop);
        let outcome = yard.snapshot(&entries);
        for seed in 0..SEEDS {
            let after = Yard::open(&files.reboot(seed), small()).unwrap().content();
            let new =
                entries.iter().filter(|(key, _)| after.get(*key).is_some_and(|value| value == "new")).count();
            let old = before.iter().filter(|(key, value)| after.get(*key) == Some(*value)).count();
            assert!(before.keys().all(|key| after.contains_key(key)), "after {stop} operations, seed {seed}");
            assert!(new + old >= before.len(), "after {stop} operations, seed {seed}");
            assert!(outcome.is_err() || new == entries.len(), "after {stop} operations, seed {seed}");
        }
        if outcome.is_ok() {
            break;
        }
    }
}
