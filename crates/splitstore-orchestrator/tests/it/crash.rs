//! A crash at every step and at every effect of a run: nothing live is lost, and the next run ends the same.

use std::collections::BTreeSet;

use splitstore_domain::{BlockKey, ColdPolicy, Epoch, Policy, Window};
use splitstore_fixtures::oracle::{self, Blocks};
use splitstore_orchestrator::{Step, Trigger};
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockRead, BlockWriteExt, FileSystem};

use splitstore_memory::{Fuse, MemoryFiles};

use crate::rig::{FOLDER, Rig, generated, list_block, raw_block, step_to};

struct Case {
    blocks: Blocks,
    head: Vec<Cid>,
    live: BTreeSet<Cid>,
    end: (BTreeSet<BlockKey>, BTreeSet<BlockKey>),
    policy: ColdPolicy,
}

impl Case {
    fn new(policy: ColdPolicy) -> Self {
        let (blocks, head, height) = generated(24, 11);
        let window = Window::at(height, Epoch::GENESIS, &Policy::new(rig(policy).settings).unwrap());
        let live = oracle::expected_hot(&blocks, &head, &window).unwrap();
        let mut case = Self { blocks, head, live, end: Default::default(), policy };
        let rig = case.rig();
        rig.open().unwrap().0.compact().unwrap();
        case.end = (rig.hot_keys(), rig.cold_keys());
        case
    }

    fn rig(&self) -> Rig {
        let mut rig = rig(self.policy);
        rig.load(&self.blocks, &self.head);
        rig
    }

    /// Reopens after a crash: all laws hold, and another run comes to where an undisturbed one would.
    fn check(&self, rig: &Rig, when: &str) {
        let (store, _chain) = rig.open().unwrap_or_else(|error| panic!("open after a crash {when}: {error}"));
        for cid in &self.live {
            assert_eq!(store.get(cid).unwrap().as_ref(), self.blocks.get(cid), "{cid} after a crash {when}");
        }
        if self.policy == ColdPolicy::Universal {
            for cid in self.blocks.keys() {
                assert!(store.get(cid).unwrap().is_some(), "{cid} is lost after a crash {when}");
            }
        }
        store.compact().unwrap();
        assert_eq!((rig.hot_keys(), rig.cold_keys()), self.end, "after a crash {when}");
        assert_eq!(rig.files.list(&std::path::Path::new(FOLDER).join("work")).unwrap(), [""; 0]);
    }
}

fn rig(policy: ColdPolicy) -> Rig {
    Rig::new(2, policy)
}

#[test]
fn a_crash_after_any_step_loses_nothing_and_the_next_run_converges() {
    for policy in [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard] {
        let case = Case::new(policy);
        for steps in 0.. {
            let rig = case.rig();
            let (store, _chain) = rig.open().unwrap();
            let mut run = store.begin().unwrap();
            let ended = (0..steps).any(|_| matches!(run.step().unwrap(), Step::Finished(_)));
            // A killed process runs no destructor.
            std::mem::forget(run);
            rig.crash();
            case.check(&rig, &format!("after step {steps} under {policy}"));
            if ended {
                break;
            }
        }
    }
}

#[test]
fn a_crash_at_any_effect_on_hot_or_cold_loses_nothing() {
    for policy in [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard] {
        let case = Case::new(policy);
        for (tier, effects) in (0..).flat_map(|effects| [("hot", effects), ("cold", effects)]) {
            let rig = case.rig();
            let (store, _chain) = rig.open().unwrap();
            match tier {
                "hot" => rig.hot.die_after(effects),
                _ => rig.cold.die_after(effects),
            }
            let survived = store.compact().is_ok();
            drop(store);
            rig.crash();
            case.check(&rig, &format!("at effect {effects} on {tier} under {policy}"));
            if survived && effects > 30 {
                break;
            }
        }
    }
}

#[test]
fn unsynced_deletes_that_a_crash_undoes_are_purged_again() {
    let case = Case::new(ColdPolicy::Discard);
    let rig = case.rig();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    run.step().unwrap();
    std::mem::forget(run);
    rig.hot.inner().crash();
    rig.files.crash();
    let (store, _chain) = rig.open().unwrap();
    assert_eq!(rig.hot_keys().len(), case.end.0.len(), "open finished the purge");
    assert_eq!(store.info().unwrap().compactions, 1);
}

/// With runs on their own thread open does not wait for the purge: the filter is on before the first read.
#[test]
fn reads_are_right_while_the_purge_of_a_crashed_run_is_finished() {
    let case = Case::new(ColdPolicy::Discard);
    let rig = case.rig();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    std::mem::forget(run);
    rig.crash();
    let store = rig.open_with(Trigger::Automatic, std::sync::Arc::new(splitstore_ports::NoObserver)).unwrap();
    for cid in case.blocks.keys() {
        let live = case.live.contains(cid);
        assert_eq!(store.get(cid).unwrap().is_some(), live, "{cid} beside the purge");
    }
    store.wait_idle();
    assert_eq!(rig.hot_keys().len(), case.end.0.len());
    assert_eq!(store.info().unwrap().compactions, 1);
}

/// A cursor must never be ahead of its deletes: a power cut that takes some of them would leave parents whose
/// children are gone, and nothing would ever finish the purge.
#[test]
fn whatever_part_of_the_deletes_a_crash_undoes_open_finishes_the_purge() {
    let case = Case::new(ColdPolicy::Discard);
    for kept in [0, 1, 2] {
        let rig = case.rig();
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "commit");
        std::mem::forget(run);
        rig.hot.inner().crash_keeping(kept);
        rig.files.crash();
        rig.open().unwrap();
        assert_eq!(rig.hot_keys().len(), case.end.0.len(), "with {kept} calls kept");
    }
}

/// Damage in the last chunk of candidates must be found before the first chunk is purged.
#[test]
fn damage_at_the_end_of_the_candidates_stops_recovery_before_its_first_delete() {
    let (blocks, head, _) = generated(80, 12);
    let mut rig = rig(ColdPolicy::Discard);
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    std::mem::forget(run);
    let before = rig.hot_keys();
    let path = std::path::Path::new(FOLDER).join("work/compaction-1/candidates");
    flip_a_bit(&rig, &path, |len| {
        assert!(len > 60_000, "more than one chunk of candidates: {len} bytes");
        len - 20
    });
    let error = rig.open().err().expect("damage is no pass");
    assert!(error.to_string().contains("candidates"), "{error}");
    assert_eq!(rig.hot_keys(), before);
}

#[test]
fn a_block_put_after_the_seal_survives_the_purge_that_a_restart_finishes() {
    let case = Case::new(ColdPolicy::Discard);
    let mut rig = case.rig();
    let leaf = raw_block(b"a leaf that nothing links to yet");
    let root = list_block(&[leaf.0]);
    rig.load([(&leaf.0, &leaf.1), (&root.0, &root.1)], &case.head);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    assert!(store.get(&leaf.0).unwrap().is_none(), "sealed and unmarked: gone for readers");
    // The node computes the root again and writes it; it relies on the leaf, which hot still has.
    store.put(&root.0, &root.1).unwrap();
    assert!(store.get(&leaf.0).unwrap().is_some(), "the put brought it back");
    store.flush().unwrap();
    std::mem::forget(run);
    rig.crash();
    let (store, _chain) = rig.open().unwrap();
    assert_eq!(store.get(&root.0).unwrap(), Some(root.1));
    assert_eq!(store.get(&leaf.0).unwrap(), Some(leaf.1));
}

#[test]
fn a_damaged_file_of_a_sealed_run_is_named_and_nothing_more_is_deleted() {
    for name in ["journal", "marks", "candidates"] {
        let case = Case::new(ColdPolicy::Discard);
        let rig = case.rig();
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "purge");
        std::mem::forget(run);
        let before = rig.hot_keys();
        let path = std::path::Path::new(FOLDER).join("work/compaction-1").join(name);
        // In the first record's payload: 16 bytes of file header, 12 of the record's.
        flip_a_bit(&rig, &path, |_| 16 + 12 + 3);
        let error = rig.open().err().expect("damage is no pass");
        assert!(error.to_string().contains(name) || format!("{error:?}").contains(name), "{error}");
        assert_eq!(rig.hot_keys(), before, "nothing is deleted on the strength of {name}");
    }
}

fn flip_a_bit(rig: &Rig, path: &std::path::Path, at: impl Fn(usize) -> usize) {
    use std::io::{Read, Write};
    let mut bytes = Vec::new();
    rig.files.open(path).unwrap().expect("the file is there").read_to_end(&mut bytes).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 0x10;
    let mut file = rig.files.create(path).unwrap();
    file.write_all(&bytes).unwrap();
    file.sync().unwrap();
}

/// The record that seals may reach the disk although its sync fails, and then even removing the folder may fail.
/// Whatever is put afterwards must not be purged with the marks of that run.
#[test]
fn a_block_put_after_a_seal_that_failed_is_never_purged_with_its_marks() {
    for (effects, reopen) in (0..60).flat_map(|effects| [(effects, false), (effects, true)]) {
        let (blocks, head, _) = generated(24, 13);
        let fuse = Fuse::new();
        let mut rig = rig(ColdPolicy::Discard);
        rig.files = MemoryFiles::with_folder(std::path::Path::new(FOLDER)).unwrap().fused(fuse.clone());
        rig.load(&blocks, &head);
        let orphan = raw_block(b"garbage once, wanted later");
        rig.load([(&orphan.0, &orphan.1)], &head);
        let (store, chain) = rig.open().unwrap();
        fuse.burn_after(effects);
        let _ = store.compact();
        fuse.renew();
        store.put(&orphan.0, &orphan.1).unwrap();
        store.flush().unwrap();
        let (store, _chain) = if reopen {
            drop((store, chain));
            rig.open().unwrap()
        } else {
            (store, chain)
        };
        store.add_protector(std::sync::Arc::new(move |keep: &mut dyn FnMut(&Cid)| {
            keep(&orphan.0);
            Ok(())
        }));
        store.compact().unwrap();
        assert!(store.has(&orphan.0).unwrap(), "failed after {effects} effects, reopened: {reopen}");
    }
}

/// A power cut takes names that were not synced: also those around a run that follows one that was given up.
#[test]
fn the_run_after_one_that_was_given_up_is_resumed_like_any_other() {
    let case = Case::new(ColdPolicy::Discard);
    let rig = case.rig();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "collect");
    drop(run);
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    run.step().unwrap();
    std::mem::forget(run);
    // One batch of deletes is on disk, the other is not.
    rig.hot.inner().crash_keeping(1);
    rig.files.crash();
    assert!(rig.hot_keys().len() > case.end.0.len());
    rig.open().unwrap();
    assert_eq!(rig.hot_keys().len(), case.end.0.len());
}

#[test]
fn zeros_at_the_end_of_a_journal_are_a_torn_tail_and_a_stray_file_is_left_alone() {
    use std::io::Write;
    let case = Case::new(ColdPolicy::Discard);
    let rig = case.rig();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    std::mem::forget(run);
    let work = std::path::Path::new(FOLDER).join("work");
    for name in ["compaction-1/journal", "stray"] {
        let mut file = rig.files.append(&work.join(name)).unwrap();
        file.write_all(&[0; 5000]).unwrap();
        file.sync().unwrap();
    }
    rig.open().unwrap();
    assert_eq!(rig.hot_keys().len(), case.end.0.len());
    assert_eq!(rig.files.list(&work).unwrap(), ["stray"]);
}
