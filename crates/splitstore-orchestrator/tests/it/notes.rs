//! Marks made after the seal stand in hot's own log: a power cut keeps a block with all that its DAG needs, or
//! takes both.

use splitstore_domain::{ColdPolicy, PurgeStrategy};
use splitstore_memory::{Call, Failing};
use splitstore_orchestrator::SplitStore;
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockRead, BlockWrite, BlockWriteExt, ErrorKind, Notes};

use crate::rig::{Rig, finish, generated, list_block, raw_block, step_to};

type Block = (Cid, Vec<u8>);

/// Small chunks, so that a purge has many steps, and orphans: `parent` links to `child`, that to `leaf`.
fn rig_with(orphans: &[&Block]) -> Rig {
    let (blocks, head, _) = generated(24, 17);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.batches.chunk = 16.try_into().unwrap();
    rig.batches.exclusive = 4.try_into().unwrap();
    rig.load(&blocks, &head);
    rig.load(orphans.iter().map(|(cid, data)| (cid, data)), &head);
    rig
}

fn lineage(name: &str) -> [Block; 3] {
    let leaf = raw_block(name.as_bytes());
    let child = list_block(&[leaf.0]);
    let parent = list_block(&[child.0]);
    [parent, child, leaf]
}

/// The same disks after a power cut that left the first `kept` of hot's unsynced calls.
fn cut(rig: &Rig, kept: usize) -> Rig {
    let hot = rig.hot.inner().fork();
    hot.crash_keeping(kept);
    let cold = rig.cold.inner().fork();
    cold.crash();
    let files = rig.files.fork();
    files.crash();
    Rig {
        hot: std::sync::Arc::new(Failing::new(hot)),
        cold: std::sync::Arc::new(Failing::new(cold)),
        files,
        meta: rig.meta.fork(),
        clock: rig.clock.clone(),
        settings: rig.settings,
        marks: rig.marks.clone(),
        spill: rig.spill.clone(),
        head: rig.head.clone(),
        sync: rig.sync,
        pressure: rig.pressure,
        mode: rig.mode,
        missing: rig.missing,
        batches: rig.batches,
        samples: rig.samples,
        memory: rig.memory,
        close_within: rig.close_within,
        pacing: rig.pacing,
        purge: rig.purge,
        passes: rig.passes,
    }
}

/// Whether the block is there, and then all that belongs below it must be.
fn is_whole(store: &SplitStore, dag: &[Block], when: &str) -> bool {
    let there = store.has(&dag[0].0).unwrap();
    for (cid, _) in &dag[1..] {
        assert!(!there || store.has(cid).unwrap(), "{cid} below {} is lost, {when}", dag[0].0);
    }
    there
}

/// Puts and purge steps take turns; the cut may come at any call that hot has not synced.
#[test]
fn wherever_a_power_cut_ends_the_log_what_was_put_after_the_seal_is_whole_or_gone() {
    let lineages: Vec<[Block; 3]> = (0..6).map(|n| lineage(&format!("garbage {n}"))).collect();
    // Parents are new, what is below them was there.
    let orphans: Vec<&Block> = lineages.iter().flat_map(|lineage| &lineage[1..]).collect();
    let rig = rig_with(&orphans);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    let mut whole_before_the_cut = Vec::new();
    for lineage in &lineages {
        // The purge may have been quicker than the put; then the node brings what is gone.
        for (cid, data) in lineage.iter().rev() {
            if !store.has(cid).unwrap() && *cid == lineage[0].0 {
                store.put(cid, data).unwrap();
            }
        }
        whole_before_the_cut.push(lineage.iter().all(|(cid, _)| store.has(cid).unwrap()));
        run.step().unwrap();
    }
    assert!(whole_before_the_cut.contains(&true), "some children were still there");
    std::mem::forget(run);
    let calls = rig.hot.inner().unsynced_calls();
    assert!(calls > 12, "puts and deletes: {calls}");
    for kept in 0..=calls {
        let rig = cut(&rig, kept);
        let (store, _chain) = rig.open().unwrap();
        for (lineage, whole) in lineages.iter().zip(&whole_before_the_cut) {
            let when = format!("{kept} of {calls} calls kept");
            if *whole {
                let there = is_whole(&store, lineage, &when);
                assert!(there || kept < calls, "the whole log is left");
            }
        }
    }
}

/// What a put found below it may have been purged, by deletes that the cut undoes: then the put is undone as well.
#[test]
fn a_block_whose_delete_a_power_cut_undoes_comes_back_without_marks() {
    let dag = lineage("garbage below garbage");
    let rig = rig_with(&[&dag[1], &dag[2]]);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "commit");
    store.put(&dag[0].0, &dag[0].1).unwrap();
    std::mem::forget(run);
    // The cursor at the end of the purge has synced the deletes; only the put is left to lose.
    for kept in [0, 1] {
        let rig = cut(&rig, kept);
        let (store, _chain) = rig.open().unwrap();
        assert_eq!(store.has(&dag[0].0).unwrap(), kept == 1);
        assert!(!store.has(&dag[1].0).unwrap() && !store.has(&dag[2].0).unwrap(), "purged");
    }
}

/// A put is on its way while others rely on what it found: what they write is never durable without its marks.
#[test]
fn a_put_relies_only_on_marks_that_stand_before_it_in_the_log() {
    let dag = lineage("shared garbage");
    let other = list_block(&[dag[1].0, raw_block(b"another").0]);
    let rig = rig_with(&[&dag[1], &dag[2]]);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    // The first put fails: whether its note is in the log, nobody knows.
    rig.hot.fail_nth_where(1, ErrorKind::Unavailable, |call| matches!(call, Call::Note(_)));
    store.put(&dag[0].0, &dag[0].1).unwrap_err();
    assert!(!store.has(&dag[1].0).unwrap(), "nobody is told to rely on its marks");
    run.step().unwrap();
    store.put(&other.0, &other.1).unwrap();
    assert!(store.has(&dag[1].0).unwrap() && store.has(&dag[2].0).unwrap(), "held back, and noted now");
    std::mem::forget(run);
    let calls = rig.hot.inner().unsynced_calls();
    for kept in 0..=calls {
        let rig = cut(&rig, kept);
        let (store, _chain) = rig.open().unwrap();
        is_whole(&store, &[other.clone(), dag[1].clone(), dag[2].clone()], &format!("{kept} of {calls}"));
    }
}

/// What a reader found in cold, or names as DAG-CBOR after it was marked raw, is noted as well.
#[test]
fn a_reader_that_flushes_finds_what_it_was_shown_after_a_power_cut() {
    let dag = lineage("read as a leaf first");
    let rig = rig_with(&[&dag[1], &dag[2]]);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "mark");
    assert!(store.has(&Cid::new_v1(splitstore_domain::object::RAW, *dag[1].0.hash())).unwrap());
    step_to(&mut run, "purge");
    assert!(store.has(&dag[1].0).unwrap());
    store.flush().unwrap();
    std::mem::forget(run);
    let rig = cut(&rig, 0);
    let (store, _chain) = rig.open().unwrap();
    assert!(store.has(&dag[1].0).unwrap() && store.has(&dag[2].0).unwrap());
}

#[test]
fn a_block_found_in_cold_keeps_what_is_left_below_it() {
    let dag = lineage("half of it was archived once");
    for policy in [ColdPolicy::Discard, ColdPolicy::Messages] {
        let mut rig = rig_with(&[&dag[2]]);
        rig.settings.cold_policy = policy;
        rig.cold.put(&dag[1].0, &dag[1].1).unwrap();
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "purge");
        assert!(store.has(&dag[1].0).unwrap(), "cold has it");
        finish(run);
        assert!(store.has(&dag[2].0).unwrap(), "hot had what is below it, under {policy}");
    }
}

/// A put after the seal pays no sync, and no file is written.
#[test]
fn a_put_after_the_seal_is_one_batch_without_a_sync() {
    let dag = lineage("garbage that is wanted");
    let mut rig = rig_with(&[&dag[1], &dag[2]]);
    let fuse = splitstore_memory::Fuse::new();
    rig.files = rig.files.clone().fused(fuse.clone());
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    let (effects, calls) = (fuse.effects(), rig.hot.inner().unsynced_calls());
    store.put(&dag[0].0, &dag[0].1).unwrap();
    assert_eq!(fuse.effects(), effects, "nothing of ours is written");
    assert_eq!(rig.hot.inner().unsynced_calls(), calls + 1, "one batch, and no sync: that would leave none");
    // A block that is marked needs no note at all.
    store.put(&dag[0].0, &dag[0].1).unwrap();
    assert_eq!(notes(&rig), 1);
}

/// Notes of a run that is over, or was given up, mean nothing to the next one.
#[test]
fn a_run_reads_no_notes_but_its_own() {
    let dag = lineage("wanted by the first run alone");
    let rig = rig_with(&[&dag[1], &dag[2]]);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    store.put(&dag[0].0, &dag[0].1).unwrap();
    assert_eq!(notes(&rig), 1);
    finish(run);
    assert_eq!(notes(&rig), 0, "a finished run leaves none");
    // One that was left by a crash, of a run that had another index, and one of the coming run given up once.
    for (index, note) in [(9_u64, 1_u8), (2, 1)] {
        let mut bytes = vec![note];
        bytes.extend(index.to_le_bytes());
        bytes.extend([1, 36]);
        bytes.extend(splitstore_domain::BlockKey::from(&dag[0].0).as_bytes());
        rig.hot.put_many_noting(&[], &bytes).unwrap();
    }
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    std::mem::forget(run);
    for kept in 0..=rig.hot.inner().unsynced_calls() {
        let rig = cut(&rig, kept);
        assert_eq!(notes(&rig), 0, "the seal has removed them, durably");
        let (store, _chain) = rig.open().unwrap();
        assert!(!store.has(&dag[0].0).unwrap(), "nobody wants it any more");
    }
}

#[test]
fn a_note_that_cannot_be_read_stops_recovery_and_is_named() {
    let dag = lineage("anything");
    let rig = rig_with(&[&dag[1]]);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    store.put(&dag[2].0, &dag[2].1).unwrap();
    rig.hot.put_many_noting(&[], &[1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 36, 0]).unwrap();
    std::mem::forget(run);
    let before = rig.hot_keys();
    let error = rig.open().err().expect("no deletion follows from half a note").to_string();
    assert!(error.contains("note 1 of the hot tier"), "{error}");
    assert_eq!(rig.hot_keys(), before);
}

fn notes(rig: &Rig) -> usize {
    let mut count = 0;
    rig.hot.notes(&mut |_| count += 1).unwrap();
    count
}

/// While a batch is checked and deleted, who writes below one of its keys waits: on a slow disk for fewer keys.
#[test]
fn an_exclusive_step_of_the_purge_is_held_to_five_milliseconds() {
    use splitstore_ports::Clock;
    use std::sync::{Arc, Mutex};
    let mut rig = rig_with(&[]);
    rig.batches.chunk = 1024.try_into().unwrap();
    rig.batches.exclusive = 64.try_into().unwrap();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    let lens = Arc::new(Mutex::new(Vec::new()));
    let (clock, seen) = (rig.clock.clone(), lens.clone());
    // A millisecond for each key, and then a faster disk.
    rig.hot.fail_where(ErrorKind::Unavailable, move |call| {
        if let Call::Delete(keys) = call {
            let mut seen = seen.lock().unwrap();
            seen.push(keys.len());
            let each = if seen.len() < 40 { 1000 } else { 10 };
            clock.advance(std::time::Duration::from_micros(each * keys.len() as u64));
        }
        false
    });
    let began = rig.clock.elapsed();
    finish(run);
    let lens = lens.lock().unwrap();
    assert_eq!(lens[..5], [64, 32, 16, 8, 4], "half as many each time, down to what takes 5 ms");
    assert!(lens[5..40].iter().all(|len| *len <= 5), "{lens:?}");
    assert_eq!(lens[39..44], [4, 8, 16, 32, 64], "and back");
    assert!(rig.clock.elapsed() > began);
}

/// The purge goes in the order of keys: it takes some children before their parents, some after. A put brings back
/// what is whole, and nothing whose children are gone (simulator, seeds 8313 and 9360).
#[test]
fn whatever_a_purge_has_taken_no_put_brings_back_a_block_without_its_children() {
    let lineages: Vec<[Block; 3]> = (0..40).map(|n| lineage(&format!("one of many {n}"))).collect();
    for steps in [1, 3, 5, 7] {
        let orphans: Vec<&Block> = lineages.iter().flat_map(|lineage| &lineage[1..]).collect();
        let rig = rig_with(&orphans);
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "purge");
        (0..steps).for_each(|_| drop(run.step().unwrap()));
        let mut back = 0;
        for [parent, child, leaf] in &lineages {
            store.put(&parent.0, &parent.1).unwrap();
            let (child, leaf) = (store.has(&child.0).unwrap(), store.has(&leaf.0).unwrap());
            assert!(!child || leaf, "{} is shown without its child", parent.0);
            back += usize::from(child);
        }
        finish(run);
        for [parent, child, leaf] in &lineages {
            let [parent, child, leaf] = [parent, child, leaf].map(|block| store.has(&block.0).unwrap());
            assert!(parent && (!child || leaf), "the same when the run is over");
            back -= usize::from(child);
        }
        assert_eq!(back, 0, "what was shown stays, what was not is gone");
    }
}

/// A put that fails keeps what its walk has met, as its note may be in the log. If it is not, a restart knows nothing of
/// it: the cursor must not be ahead of what was kept (simulator, seed 3755).
#[test]
fn what_a_failed_put_has_kept_is_purged_by_a_restart_that_finds_no_note_of_it() {
    let lineages: Vec<[Block; 3]> = (0..12).map(|n| lineage(&format!("kept {n}"))).collect();
    let orphans: Vec<&Block> = lineages.iter().flatten().collect();
    for steps in 1..40 {
        let mut rig = rig_with(&orphans);
        rig.batches.chunk = 8.try_into().unwrap();
        rig.batches.cursor = std::num::NonZeroUsize::MIN;
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "purge");
        for [parent, ..] in &lineages {
            rig.hot.fail_nth_where(1, ErrorKind::Full, |call| matches!(call, Call::Note(_)));
            store.put(&parent.0, &parent.1).unwrap_err();
        }
        (0..steps).for_each(|_| drop(run.step()));
        std::mem::forget(run);
        let after = cut(&rig, 0);
        let (store, _chain) = after.open().unwrap();
        for dag in &lineages {
            assert!(!is_whole(&store, dag, &format!("cut after {steps} chunks")), "nobody has it");
            assert!(!is_whole(&store, &dag[1..], &format!("cut after {steps} chunks")), "nor its child");
        }
    }
}

/// A put of a whole DAG fails when the purge has taken a part of it: what is left of the rest is not shown by the run's end
/// as if it were whole.
#[test]
fn what_a_failed_put_of_a_dag_has_kept_is_whole_or_gone_when_the_run_is_over() {
    for way in [PurgeStrategy::Delete, PurgeStrategy::Rewrite] {
        let lineages: Vec<[Block; 3]> = (0..12).map(|n| lineage(&format!("half {n}"))).collect();
        let orphans: Vec<&Block> = lineages.iter().flatten().collect();
        let mut shown = 0;
        for steps in 0..12 {
            let mut rig = rig_with(&orphans);
            rig.purge = way;
            rig.batches.chunk = 4.try_into().unwrap();
            let (store, _chain) = rig.open().unwrap();
            let mut run = store.begin().unwrap();
            step_to(&mut run, "purge");
            (0..steps).for_each(|_| drop(run.step()));
            for dag in &lineages {
                let is_put = |call: &Call| matches!(call, Call::Note(_) | Call::Put(_));
                rig.hot.fail_nth_where(1, ErrorKind::Full, is_put);
                let blocks: Vec<_> =
                    dag.iter().map(|(cid, data)| splitstore_ports::Block { cid: *cid, data }).collect();
                store.put_many(&blocks).unwrap_err();
            }
            while run.step().is_ok() {}
            for dag in &lineages {
                let when = format!("{way:?}, {steps} steps before the puts");
                shown += u64::from(is_whole(&store, dag, &when));
                is_whole(&store, &dag[1..], &when);
            }
        }
        assert!(shown > 0, "nothing was kept by {way:?}");
    }
}
