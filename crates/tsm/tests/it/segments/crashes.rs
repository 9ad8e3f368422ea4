//! A power cut and a failure at every file operation of a snapshot and of a compaction.

use std::io;
use std::sync::Arc;

use segment_compaction::{ManualClock, MemoryFiles, Turn};
use tsm::{Column, TimeRange, Values};

use super::folder::{Content, Folder, content, delete};

/// Three overlapping files of two keys, one with a tombstone; the third key is in the cache.
fn prepared() -> Folder {
    let folder = Folder::open(&MemoryFiles::new(), Arc::new(ManualClock::new())).unwrap();
    for round in 0..3_i64 {
        for key in ["a#!~#f", "b#!~#f"] {
            let times: Vec<i64> = (0..12).map(|n| n * 3 + round).collect();
            let values = Values::Integer(times.iter().map(|time| time * 100 + round).collect());
            folder.cache.write(key.as_bytes(), Column::new(times, values).unwrap().points()).unwrap();
        }
        folder.snapshot(1).unwrap();
    }
    delete(&folder.segments()[1], "a#!~#f", TimeRange::new(5, 20)).unwrap();
    folder
}

/// Runs `work` on a fresh folder with the power failing after each number of operations in turn, until it is
/// done before that; looks at what a reader finds after the restart.
fn at_every_operation(work: impl Fn(&Folder), allowed: impl Fn(&Content) -> bool) -> u64 {
    for cut in 0.. {
        for seed in 0..4 {
            let folder = prepared();
            let files = folder.files.clone();
            let before = files.operations();
            files.power_fails_after(before + cut);
            work(&folder);
            let whole = files.operations() < before + cut;
            let after = Folder::open(&files.reboot(seed), Arc::new(ManualClock::new())).unwrap();
            assert!(allowed(&content(&after.segments())), "power cut after {cut} operations, seed {seed}");
            if whole && seed == 3 {
                return cut;
            }
        }
    }
    unreachable!("every work ends")
}

#[test]
fn a_power_cut_at_any_operation_of_a_compaction_changes_no_content() {
    let expected = content(&prepared().segments());
    let compact = |folder: &Folder| {
        // Cut off in the middle, it fails; what matters is what is found afterwards.
        let _ = folder.engine.turn(std::time::Duration::ZERO);
    };
    let cuts = at_every_operation(compact, |found| *found == expected);
    assert!(cuts > 15, "only {cuts} operations");
}

#[test]
fn a_power_cut_at_any_operation_of_a_snapshot_leaves_all_of_it_or_nothing_of_a_file() {
    let before = content(&prepared().segments());
    let write = |folder: &Folder| {
        let column = Column::new(vec![1, 500], Values::Integer(vec![-1, -2])).unwrap();
        folder.cache.write(b"a#!~#f", column.points()).unwrap();
        let _ = folder.snapshot(1);
    };
    let folder = prepared();
    write(&folder);
    let after = content(&folder.segments());
    assert_ne!(before, after);
    at_every_operation(write, |found| *found == before || *found == after);
}

/// Deletes from the second file, which has deletes already.
fn delete_more(folder: &Folder) -> tsm::Result<()> {
    delete(&folder.segments()[1], "b#!~#f", TimeRange::new(0, 9))
}

#[test]
fn a_power_cut_at_any_operation_of_a_delete_leaves_it_done_or_not_begun_and_undoes_no_earlier_one() {
    let before = content(&prepared().segments());
    let folder = prepared();
    delete_more(&folder).unwrap();
    let after = content(&folder.segments());
    assert_ne!(before, after);
    let cuts = at_every_operation(
        |folder| {
            let _ = delete_more(folder);
        },
        |found| *found == before || *found == after,
    );
    assert!(cuts >= 5, "only {cuts} operations");
}

#[test]
fn a_delete_that_was_acknowledged_survives_any_power_cut() {
    for seed in 0..32 {
        let folder = prepared();
        delete_more(&folder).unwrap();
        let after = content(&folder.segments());
        let again = Folder::open(&folder.files.reboot(seed), Arc::new(ManualClock::new())).unwrap();
        assert_eq!(content(&again.segments()), after, "seed {seed}");
    }
}

#[test]
fn a_failure_at_any_operation_of_a_delete_leaves_the_deletes_that_were_there() {
    let before = content(&prepared().segments());
    for at in 0.. {
        let folder = prepared();
        let files = folder.files.clone();
        files.fail_after(files.operations() + at, io::ErrorKind::StorageFull);
        let outcome = delete_more(&folder);
        files.fail_after(u64::MAX, io::ErrorKind::StorageFull);
        let Err(error) = outcome else { break };
        assert_eq!(error.io_kind(), Some(tsm::IoKind::Full), "{error}");
        let found = content(&folder.segments());
        // Only the folder's sync comes after the rename.
        assert!(found == before || error.to_string().starts_with("sync shard"), "{error}");
    }
}

#[test]
fn a_failure_at_any_operation_of_a_compaction_leaves_inputs_whole_and_nothing_temporary() {
    let expected = content(&prepared().segments());
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied, io::ErrorKind::Other] {
        for at in 0.. {
            let folder = prepared();
            let files = folder.files.clone();
            files.fail_after(files.operations() + at, kind);
            let turn = folder.engine.turn(std::time::Duration::ZERO);
            files.fail_after(u64::MAX, kind);
            assert_eq!(content(&folder.segments()), expected, "{kind} at operation {at}");
            if let Ok(Turn::Did(_)) = turn {
                break;
            }
        }
    }
}
