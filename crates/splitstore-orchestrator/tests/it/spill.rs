//! A run that may not take the memory for a graph walks with marks on disk, and says so.

use std::sync::Arc;

use splitstore_domain::{ByteCount, ColdPolicy, Fallback, MarkedBy};
use splitstore_marksets::DiskSets;
use splitstore_orchestrator::MarkStrategy;

use crate::rig::{MODES, Mode, Rig, generated, step_to};
use crate::rig_disk::InFolder;

/// A chain that marks this way in a thousand bytes, which no way but the walk can; and where its disk sets are.
fn poor(mode: Mode, policy: ColdPolicy) -> (Rig, tempfile::TempDir) {
    let (blocks, head, _) = generated(30, 41);
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(3, policy);
    rig.mode = mode;
    rig.memory = Some(ByteCount(1000));
    rig.spill = Some(Arc::new(InFolder::new(DiskSets::with_buffer(16), folder.path())));
    rig.load(&blocks, &head);
    (rig, folder)
}

fn sets_in(folder: &tempfile::TempDir) -> usize {
    std::fs::read_dir(folder.path()).unwrap().count()
}

#[test]
fn without_memory_marks_go_to_disk_and_the_report_says_so() {
    for (policy, sets) in [(ColdPolicy::Discard, 1), (ColdPolicy::Messages, 2)] {
        for mode in MODES {
            let (rig, folder) = poor(mode, policy);
            let mut rich = rig.anew(Mode::default());
            let (blocks, head, _) = generated(30, 41);
            rich.load(&blocks, &head);
            rich.open().unwrap().0.compact().unwrap();
            let marking = rig.open().unwrap().0.compact().unwrap().marking;
            assert_eq!(marking.by, MarkedBy::Walk);
            assert_eq!(rig.hot_keys(), rich.hot_keys(), "{mode:?}");
            let asked_for = mode.strategy == MarkStrategy::Walk;
            assert_eq!(marking.marks_on_disk, !asked_for, "who asks for the walk has what was configured");
            assert_eq!(sets_in(&folder), if asked_for { 0 } else { sets }, "{mode:?}, {policy:?}");
            assert_eq!(marking.to_string().ends_with("; marks are kept on disk"), !asked_for, "{marking}");
            assert_eq!(
                marking.fallbacks.iter().any(|why| matches!(why, Fallback::Memory { .. })),
                !asked_for
            );
        }
    }
}

#[test]
fn a_run_that_marked_on_disk_is_finished_after_a_crash() {
    let (mut rig, _folder) = poor(Mode::default(), ColdPolicy::Discard);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    std::mem::forget(run);
    rig.crash();
    // The next process may have another budget: the sets that it is configured with read what was sealed.
    (rig.memory, rig.spill) = (None, None);
    drop(rig.open().unwrap());
    let mut rich = rig.anew(Mode::default());
    let (blocks, head, _) = generated(30, 41);
    rich.load(&blocks, &head);
    rich.open().unwrap().0.compact().unwrap();
    assert_eq!(rig.hot_keys(), rich.hot_keys());
}
