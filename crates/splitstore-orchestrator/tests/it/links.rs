//! Marking by link index keeps what the walk keeps, and nothing is deleted on the strength of an index that is not what it
//! should be.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use splitstore_domain::object::DAG_CBOR;
use splitstore_domain::{BlockKey, ByteCount, ColdPolicy, CompactionReport, Fallback, MarkedBy, TipsetKey};
use splitstore_filecoin::FilecoinChain;
use splitstore_fixtures::oracle::Blocks;
use splitstore_memory::Call;
use splitstore_orchestrator::{Error, MarkStrategy, SplitStore};
use splitstore_ports::cid::Cid;
use splitstore_ports::{
    Block, BlockDelete, BlockWrite, BlockWriteExt, ChainAccessor, ErrorKind, FileSystem, HotStore,
};

use crate::rig::{FOLDER, Mode, Rig, apply, generated, list_block, raw_block, step_to};

/// A chain that grows: the blocks of its first epochs, those that come later, and both heads.
struct Growing {
    early: Blocks,
    late: Blocks,
    heads: [Vec<Cid>; 2],
}

impl Growing {
    fn new(seed: u64) -> Self {
        let (early, first, _) = generated(30, seed);
        let (all, second, _) = generated(50, seed);
        assert!(early.keys().all(|cid| all.contains_key(cid)), "the longer chain goes on from the shorter");
        // What is empty is put again with every epoch, and the first run may have dropped it.
        let is_late = |cid: &Cid, data: &[u8]| !early.contains_key(cid) || data.len() < 100;
        let late: Blocks = all.into_iter().filter(|(cid, data)| is_late(cid, data)).collect();
        assert!(late.len() > 300);
        Self { early, late, heads: [first, second] }
    }

    fn rig(&self, policy: ColdPolicy, mode: Mode) -> Rig {
        let mut rig = Rig::new(3, policy);
        rig.mode = mode;
        rig.load(&self.early, &self.heads[0]);
        rig
    }

    /// The rest of the chain comes in, as a node puts it.
    fn grow(&self, store: &SplitStore, chain: &FilecoinChain) {
        let late: Vec<Block<'_>> = self.late.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        for (number, batch) in late.chunks(7).enumerate() {
            if number % 2 == 0 {
                store.put_many(batch).unwrap();
            } else {
                for block in batch {
                    store.put(&block.cid, block.data).unwrap();
                }
            }
        }
        let head = chain.tipset(&TipsetKey::new(self.heads[1].clone())).unwrap().unwrap();
        chain.set_head(&apply(head)).unwrap();
    }
}

const LINKS: Mode = Mode { strategy: MarkStrategy::Links, id_bits: 63 };

fn links(id_bits: u32) -> Mode {
    Mode { id_bits, ..LINKS }
}

fn pack() -> PathBuf {
    PathBuf::from(FOLDER).join("links").join("pack")
}

fn bytes_of(rig: &Rig, path: &std::path::Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    rig.files.open(path).unwrap()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

fn rewrite(rig: &Rig, bytes: &[u8]) {
    let mut file = rig.files.create(&pack()).unwrap();
    file.write_all(bytes).unwrap();
    file.sync().unwrap();
}

fn notes(rig: &Rig) -> usize {
    let mut count = 0;
    rig.hot.link_notes().unwrap().each_link_note(&mut |_, _| count += 1).unwrap();
    count
}

/// Compacts twice, the chain growing in between, and looks at what stays.
fn twice(growing: &Growing, policy: ColdPolicy, mode: Mode) -> (Rig, CompactionReport) {
    let rig = growing.rig(policy, mode);
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    growing.grow(&store, &chain);
    let report = store.compact().unwrap();
    assert!(store.audit().unwrap().is_clean(), "{mode:?}: {:?}", store.audit().unwrap());
    drop((store, chain));
    (rig, report)
}

#[test]
fn a_run_by_link_index_keeps_and_moves_what_a_walk_does_at_any_width_of_ids() {
    for policy in [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard] {
        let growing = Growing::new(41);
        let walk = Mode { strategy: MarkStrategy::Walk, id_bits: 63 };
        let (walked, expected) = twice(&growing, policy, walk);
        for bits in [63, 16, 8, 3] {
            let (rig, report) = twice(&growing, policy, links(bits));
            assert_eq!(report.marking.by, MarkedBy::Links, "{}", report.marking);
            assert_eq!(report.marking.fallbacks, []);
            assert_eq!(report.plan, expected.plan, "{bits} bits under {policy:?}");
            assert_eq!(rig.hot_keys(), walked.hot_keys(), "{bits} bits under {policy:?}");
            assert_eq!(rig.cold_keys(), walked.cold_keys(), "{bits} bits under {policy:?}");
        }
    }
}

#[test]
fn many_runs_in_a_row_hand_the_index_on_and_clear_its_notes() {
    let growing = Growing::new(42);
    let rig = growing.rig(ColdPolicy::Discard, LINKS);
    let (store, chain) = rig.open().unwrap();
    let first = store.compact().unwrap().marking;
    assert_eq!((first.by, first.fallbacks), (MarkedBy::Scan, vec![Fallback::NoIndex]));
    growing.grow(&store, &chain);
    assert!(notes(&rig) > 0);
    for _ in 0..4 {
        assert_eq!(store.compact().unwrap().marking.by, MarkedBy::Links);
        assert_eq!(notes(&rig), 0, "what the pack holds needs no note");
        let (leaf, data) = raw_block(&rig.hot_keys().len().to_le_bytes());
        store.put(&leaf, &data).unwrap();
        assert_eq!(notes(&rig), 1);
    }
    drop((store, chain));
    rig.crash();
    let (store, _chain) = rig.open().unwrap();
    assert_eq!(store.compact().unwrap().marking.by, MarkedBy::Links, "also over a restart");
}

#[test]
fn a_run_by_link_index_reads_headers_and_samples_and_nothing_else() {
    let growing = Growing::new(43);
    let count = |mode| {
        let mut rig = growing.rig(ColdPolicy::Discard, mode);
        rig.samples = 0;
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        growing.grow(&store, &chain);
        store.compact().unwrap();
        let read = Arc::new(AtomicUsize::new(0));
        let counted = read.clone();
        rig.hot.fail_nth_where(u64::MAX, ErrorKind::Corrupt, move |call| {
            if let Call::ViewMany(keys) = call {
                counted.fetch_add(keys.len(), Ordering::SeqCst);
            }
            false
        });
        store.plan().unwrap();
        read.load(Ordering::SeqCst)
    };
    let (linked, walked) = (count(LINKS), count(Mode { strategy: MarkStrategy::Walk, id_bits: 63 }));
    assert!(linked * 2 < walked, "by index {linked} blocks were read, by walk {walked}");
}

/// Somebody who writes to the tier and not to the store.
#[test]
fn blocks_that_the_index_lacks_are_read_and_stay() {
    for bits in [63, 8] {
        let growing = Growing::new(44);
        let rig = growing.rig(ColdPolicy::Discard, links(bits));
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        for (number, (cid, data)) in growing.late.iter().enumerate() {
            if number % 3 == 0 {
                rig.hot.put(cid, data).unwrap();
            } else {
                store.put(cid, data).unwrap();
            }
        }
        let head = chain.tipset(&TipsetKey::new(growing.heads[1].clone())).unwrap().unwrap();
        chain.set_head(&apply(head)).unwrap();
        let report = store.compact().unwrap();
        assert_eq!(report.marking.by, MarkedBy::Links, "{}", report.marking);
        let (walked, expected) =
            twice(&growing, ColdPolicy::Discard, Mode { strategy: MarkStrategy::Walk, id_bits: 63 });
        assert_eq!(rig.hot_keys(), walked.hot_keys(), "{bits} bits");
        assert_eq!(report.plan, expected.plan, "none of them is listed as dead");
        assert_eq!(report.spared, 0);
        assert!(store.audit().unwrap().is_clean());
    }
}

#[test]
fn a_hot_child_of_a_parent_that_moved_to_cold_stays() {
    let growing = Growing::new(45);
    for seed in 0..4 {
        let rig = growing.rig(ColdPolicy::Discard, LINKS);
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        growing.grow(&store, &chain);
        // Parents that neither the pack nor a note knows: they are in cold alone.
        let victims: Vec<(&Cid, &Vec<u8>)> =
            growing.late.iter().filter(|(cid, _)| cid.codec() == DAG_CBOR).skip(seed).step_by(11).collect();
        let (leaf, leaf_data) = raw_block(&[u8::try_from(seed).unwrap(); 9]);
        let (parent, parent_data) = list_block(&[leaf]);
        let (root, root_data) = list_block(&[parent, *victims[0].0]);
        rig.cold.put(&parent, &parent_data).unwrap();
        store.put(&leaf, &leaf_data).unwrap();
        store.put(&root, &root_data).unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "mark");
        assert!(store.has_it(&root));
        crate::rig::finish(run);
        assert!(rig.hot_keys().contains(&BlockKey::from(&leaf)), "below a block of cold");
    }
}

trait Has {
    fn has_it(&self, cid: &Cid) -> bool;
}

impl Has for SplitStore {
    fn has_it(&self, cid: &Cid) -> bool {
        splitstore_ports::BlockRead::has(self, cid).unwrap()
    }
}

/// A block that hot has lost behind the index's back: by index nobody would miss it.
#[test]
fn an_index_with_a_block_that_hot_lacks_ends_the_run_before_its_seal() {
    for samples in [0, 100_000] {
        let growing = Growing::new(46);
        let mut rig = growing.rig(ColdPolicy::Discard, LINKS);
        rig.samples = samples;
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        let live = rig.hot_keys();
        let leaf =
            growing.early.keys().find(|cid| cid.codec() != DAG_CBOR && live.contains(&BlockKey::from(*cid)));
        rig.hot.delete_many(&[BlockKey::from(leaf.unwrap())]).unwrap();
        growing.grow(&store, &chain);
        let before = rig.hot_keys();
        if samples == 0 {
            let error = store.compact().unwrap_err();
            assert!(matches!(&error, Error::DamagedFile { path, .. } if *path == pack()), "{error}");
            assert_eq!(rig.hot_keys(), before, "nothing was deleted");
        }
        let report = store.compact().unwrap();
        assert_eq!(report.marking.by, MarkedBy::Scan, "the next run scans: {}", report.marking);
        assert_eq!(store.compact().unwrap().marking.by, MarkedBy::Links);
    }
}

#[test]
fn a_block_that_the_index_has_other_links_for_is_named_with_the_file_and_the_run_scans() {
    let growing = Growing::new(47);
    let mut rig = growing.rig(ColdPolicy::Discard, LINKS);
    rig.samples = 100_000;
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    // A live block of which nothing else depends on what it links to.
    let (leaf, _) = raw_block(b"a leaf that is nowhere");
    let (_, other) = list_block(&[leaf]);
    let live = rig.hot_keys();
    let victim = live.iter().find(|key| {
        let cid = key.to_cid(DAG_CBOR);
        growing.early.get(&cid).is_some_and(|data| data.len() < 40)
    });
    let victim = victim.expect("a small live block").clone();
    growing.grow(&store, &chain);
    assert!(rig.hot.inner().damage(&victim, &other));
    let audit = store.audit().unwrap();
    let told: Vec<String> = audit.violations.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains("link index") && line.contains("pack")), "{told:?}");
    let report = store.compact().unwrap();
    let [Fallback::Distrusted(reason)] = report.marking.fallbacks.as_slice() else {
        panic!("{}", report.marking)
    };
    let named = victim.to_cid(DAG_CBOR).to_string();
    assert!(reason.contains(&named) && reason.contains("store/links/pack"), "{reason}");
    assert_eq!(report.marking.by, MarkedBy::Scan);
    assert!(bytes_of(&rig, &pack().with_file_name("damaged")).is_some(), "it is kept to be looked at");
}

#[test]
fn a_pack_cut_or_changed_anywhere_is_not_believed() {
    let growing = Growing::new(48);
    let rig = growing.rig(ColdPolicy::Discard, LINKS);
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    growing.grow(&store, &chain);
    let whole = bytes_of(&rig, &pack()).unwrap();
    let first = store.plan().unwrap();
    let step = whole.len() / 40;
    for at in (0..whole.len()).step_by(step) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        for bytes in [&changed[..], &whole[..at]] {
            rewrite(&rig, bytes);
            assert_eq!(store.plan().unwrap(), first, "at byte {at} of {}", whole.len());
            let left = bytes_of(&rig, &pack());
            assert!(left.is_none() || at < 16, "at byte {at} of {}", whole.len());
        }
    }
    rewrite(&rig, &whole);
    assert_eq!(store.plan().unwrap(), first);
    assert!(bytes_of(&rig, &pack()).is_some(), "the whole one is believed");
}

#[test]
fn a_pack_of_other_runs_or_of_a_time_before_the_index_was_switched_off_is_not_believed() {
    let growing = Growing::new(49);
    let mut rig = growing.rig(ColdPolicy::Discard, LINKS);
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    let old = bytes_of(&rig, &pack()).unwrap();
    store.compact().unwrap();
    store.compact().unwrap();
    rewrite(&rig, &old);
    let report = store.compact().unwrap();
    assert!(matches!(report.marking.fallbacks.as_slice(), [Fallback::Distrusted(_)]), "{}", report.marking);
    drop((store, chain));
    rig.mode = Mode { strategy: MarkStrategy::Scan, id_bits: 63 };
    drop(rig.open().unwrap());
    assert!(bytes_of(&rig, &pack()).is_none(), "switched off, the pack goes");
    rig.mode = LINKS;
    let (store, chain) = rig.open().unwrap();
    growing.grow(&store, &chain);
    assert_eq!(store.compact().unwrap().marking.fallbacks, [Fallback::NoIndex]);
}

#[test]
fn a_run_that_marks_otherwise_leaves_no_pack_behind() {
    let growing = Growing::new(50);
    let mut rig = growing.rig(ColdPolicy::Discard, LINKS);
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    drop((store, chain));
    rig.memory = Some(ByteCount(1000));
    let (store, chain) = rig.open().unwrap();
    growing.grow(&store, &chain);
    let report = store.compact().unwrap();
    assert_eq!(report.marking.by, MarkedBy::Walk);
    assert!(
        matches!(report.marking.fallbacks.as_slice(), [
            Fallback::Memory { way: MarkedBy::Links, needs, .. },
            Fallback::Memory { way: MarkedBy::Scan, .. },
        ]
            if needs.0 > 1000),
        "{}",
        report.marking
    );
    assert!(bytes_of(&rig, &pack()).is_none(), "it would have blocks that this run has deleted");
    assert_eq!(notes(&rig), 0);
    let (leaf, data) = raw_block(b"later");
    store.put(&leaf, &data).unwrap();
    assert_eq!(notes(&rig), 0, "without a pack notes say nothing");
}

/// Each stage writes the note of a block in the batch of the block: a crash keeps both or neither.
#[test]
fn in_every_stage_a_block_has_its_note_or_is_not_there() {
    for phase in ["idle", "mark", "collect", "purge", "commit"] {
        let growing = Growing::new(51);
        let rig = growing.rig(ColdPolicy::Discard, LINKS);
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        growing.grow(&store, &chain);
        let run = (phase != "idle").then(|| {
            let mut run = store.begin().unwrap();
            step_to(&mut run, phase);
            run
        });
        rig.hot.sync().unwrap();
        let had = (notes(&rig), rig.hot.inner().unsynced_calls());
        let (leaf, data) = raw_block(phase.as_bytes());
        store.put(&leaf, &data).unwrap();
        assert_eq!(notes(&rig), had.0 + 1, "{phase}");
        assert_eq!(rig.hot.inner().unsynced_calls(), had.1 + 1, "block and note are one call in {phase}");
        std::mem::forget(run);
        rig.crash();
        assert_eq!(notes(&rig), had.0, "{phase}");
        assert!(!rig.hot_keys().contains(&BlockKey::from(&leaf)));
    }
}

/// What came in during a run is known to the next, though it is not in the pack that the run wrote.
#[test]
fn what_is_put_during_a_run_is_known_to_the_next() {
    let growing = Growing::new(52);
    let rig = growing.rig(ColdPolicy::Discard, LINKS);
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    let mut put = Vec::new();
    let mut run = store.begin().unwrap();
    for (number, (cid, data)) in growing.late.iter().enumerate() {
        store.put(cid, data).unwrap();
        put.push(*cid);
        if number % 20 == 0 && run.phase().name() != "commit" {
            run.step().unwrap();
        }
    }
    crate::rig::finish(run);
    let head = chain.tipset(&TipsetKey::new(growing.heads[1].clone())).unwrap().unwrap();
    chain.set_head(&apply(head)).unwrap();
    let report = store.compact().unwrap();
    assert_eq!(report.marking.by, MarkedBy::Links, "{}", report.marking);
    let (walked, _) =
        twice(&growing, ColdPolicy::Discard, Mode { strategy: MarkStrategy::Walk, id_bits: 63 });
    assert_eq!(rig.hot_keys(), walked.hot_keys());
    assert!(store.audit().unwrap().is_clean());
}

/// A crash at every effect on hot and on files of the run that follows the first pack.
#[test]
fn a_crash_at_any_step_of_a_run_by_link_index_loses_nothing_and_the_next_run_converges() {
    let growing = Growing::new(53);
    let (expected, _) = twice(&growing, ColdPolicy::Discard, LINKS);
    let end: BTreeSet<BlockKey> = expected.hot_keys();
    for steps in 0.. {
        let mut rig = growing.rig(ColdPolicy::Discard, LINKS);
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        growing.grow(&store, &chain);
        store.flush().unwrap();
        let mut run = store.begin().unwrap();
        let ended =
            (0..steps).any(|_| matches!(run.step().unwrap(), splitstore_orchestrator::Step::Finished(_)));
        std::mem::forget(run);
        drop((store, chain));
        rig.crash();
        rig.head.clone_from(&growing.heads[1]);
        let (store, chain) = rig.open().unwrap();
        assert!(store.audit().unwrap().is_clean(), "after step {steps}");
        let report = store.compact().unwrap();
        assert_eq!(rig.hot_keys(), end, "after step {steps}");
        // Between the new pack and the purge hot holds more that it lacks than it has; otherwise a crash costs no scan.
        let cheap = |why: &Fallback| matches!(why, Fallback::Incomplete { .. });
        assert!(report.marking.fallbacks.iter().all(cheap), "after step {steps}: {}", report.marking);
        drop((store, chain));
        if ended {
            break;
        }
    }
}

/// A process that dies at any write of a file.
#[test]
fn a_crash_at_any_write_of_a_file_loses_nothing() {
    let growing = Growing::new(54);
    let (expected, _) = twice(&growing, ColdPolicy::Discard, LINKS);
    let end = expected.hot_keys();
    for effects in (0..).step_by(3) {
        let mut rig = growing.rig(ColdPolicy::Discard, LINKS);
        let fuse = splitstore_memory::Fuse::new();
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        growing.grow(&store, &chain);
        store.flush().unwrap();
        drop((store, chain));
        rig.head.clone_from(&growing.heads[1]);
        let whole = rig.files.clone();
        rig.files = whole.clone().fused(fuse.clone());
        let (store, chain) = rig.open().unwrap();
        fuse.burn_after(effects);
        let survived = store.compact().is_ok();
        drop((store, chain));
        rig.files = whole;
        rig.crash();
        let (store, _chain) = rig.open().unwrap();
        assert!(store.audit().unwrap().is_clean(), "at effect {effects}");
        store.compact().unwrap();
        assert_eq!(rig.hot_keys(), end, "at effect {effects}");
        if survived {
            break;
        }
    }
}

#[test]
fn without_notes_or_scans_the_report_says_why_another_way_was_taken() {
    let (blocks, head, _) = generated(20, 55);
    let mut rig = Rig::new(3, ColdPolicy::Discard);
    rig.mode = LINKS;
    rig.load(&blocks, &head);
    let store: Arc<dyn HotStore> = rig.hot.clone();
    assert!(store.link_notes().is_some() && store.block_scan().is_some());
    let (store, _chain) = rig.open().unwrap();
    let report = store.compact().unwrap();
    assert!(report.to_string().contains("marked by scan: there is no link index yet"), "{report}");
}
