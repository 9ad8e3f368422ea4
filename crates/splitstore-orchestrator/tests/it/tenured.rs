//! Headers that are final are not walked again, and stay whatever the chain, the policy or the file does.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use splitstore_domain::{BlockKey, ColdPolicy, Epoch, HeadChange, Phase, Policy, TipsetKey, Window};
use splitstore_fixtures::drawing::{self, Drawing};
use splitstore_fixtures::oracle;
use splitstore_memory::Call;
use splitstore_orchestrator::{SplitStore, Trigger};
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockRead, BlockReadExt, ChainAccessor, ErrorKind, Event, FileSystem, Observer};

use crate::rig::{FOLDER, MODES, Mode, Rig, chain_at, finish, generated, key_set, step_to};

const POLICIES: [ColdPolicy; 3] = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];

/// A chain of blocks `<name><height>` up to 60, and a longer one that leaves it at 5: blocks `f<height>`.
fn drawn(name: &str) -> Drawing {
    let canonical = (0..=60).map(|height| format!("{height}: {name}{height}"));
    let fork = (7..=70).map(|height| format!("{height}: f{height} on=f{}", height - 1));
    let all: Vec<String> = canonical.chain([format!("6: f6 on={name}5")]).chain(fork).collect();
    drawing::chain(&all.join("; ")).unwrap()
}

fn headers(drawn: &Drawing, name: &str) -> Vec<Cid> {
    vec![drawn.names[name]]
}

/// An empty store with a finality of two epochs: windows begin eight below their head.
fn rig(policy: ColdPolicy, mode: Mode) -> Rig {
    Rig { mode, ..Rig::new(2, policy) }
}

/// All blocks are put again, and the store is opened with this head.
fn open(rig: &mut Rig, drawn: &Drawing, head: &str) -> SplitStore {
    rig.load(drawn.blocks.iter().map(|(cid, data)| (cid, data)), &headers(drawn, head));
    rig.open().unwrap().0
}

/// What the table says of a chain with this head, at this height.
fn table(rig: &Rig, drawn: &Drawing, head: &str, height: u64) -> BTreeSet<BlockKey> {
    let window = Window::at(Epoch::new(height), Epoch::GENESIS, &Policy::new(rig.settings).unwrap());
    key_set(&oracle::expected_hot(&drawn.map(), &headers(drawn, head), &window).unwrap())
}

fn file() -> PathBuf {
    Path::new(FOLDER).join("tenured")
}

fn read_file(rig: &Rig) -> Vec<u8> {
    let mut bytes = Vec::new();
    rig.files.open(&file()).unwrap().expect("it was written").read_to_end(&mut bytes).unwrap();
    bytes
}

fn write_file(rig: &Rig, bytes: &[u8]) {
    let mut file = rig.files.create(&file()).unwrap();
    file.write_all(bytes).unwrap();
    file.sync().unwrap();
}

/// Batches of blocks that a dry run reads.
fn reads(rig: &Rig, store: &SplitStore) -> u64 {
    rig.hot.heal();
    rig.hot.fail_nth_where(u64::MAX, ErrorKind::Corrupt, |call| matches!(call, Call::ViewMany(_)));
    store.plan().unwrap();
    rig.hot.picked()
}

#[test]
fn only_the_window_is_walked_again_also_after_a_restart() {
    for mode in MODES {
        let (blocks, head, _) = generated(300, 91);
        let mut rig = rig(ColdPolicy::Universal, mode);
        rig.load(&blocks, &head);
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        let again = reads(&rig, &store);
        drop((store, chain));
        let (store, chain) = rig.open().unwrap();
        let (reopened, plan) = (reads(&rig, &store), store.plan().unwrap());
        drop((store, chain));
        rig.files.remove(&file()).unwrap();
        let (store, _chain) = rig.open().unwrap();
        let (whole, plan_of_whole) = (reads(&rig, &store), store.plan().unwrap());
        assert_eq!(again, reopened, "{mode:?}");
        assert!(5 * again < whole, "{mode:?}: {again} reads, and {whole} of the whole chain");
        assert_eq!((plan.keep, plan.transfer), (plan_of_whole.keep, plan_of_whole.transfer), "{mode:?}");
    }
}

#[test]
fn runs_one_after_the_other_keep_what_the_table_says() {
    let drawn = drawn("c");
    for (policy, mode) in POLICIES.into_iter().flat_map(|policy| MODES.map(|mode| (policy, mode))) {
        let mut rig = rig(policy, mode);
        for (head, height) in [("c20", 20), ("c21", 21), ("c40", 40), ("c60", 60), ("c60", 60)] {
            open(&mut rig, &drawn, head).compact().unwrap();
            let context = format!("{head} under {policy}, {mode:?}");
            assert_eq!(rig.hot_keys(), table(&rig, &drawn, head, height), "{context}");
        }
    }
}

#[test]
fn a_longer_retention_or_another_policy_walks_below_what_is_final() {
    let drawn = drawn("c");
    for (policy, mode) in POLICIES.into_iter().flat_map(|policy| MODES.map(|mode| (policy, mode))) {
        for then in POLICIES {
            let mut rig = rig(policy, mode);
            open(&mut rig, &drawn, "c40").compact().unwrap();
            rig.settings.cold_policy = then;
            rig.settings.message_retention_finalities = 10;
            open(&mut rig, &drawn, "c42").compact().unwrap();
            let context = format!("{policy}, then {then}, {mode:?}");
            assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c42", 42), "{context}");
            let old = drawn.names["c3.0"];
            let is_moved = rig.cold.get(&old).unwrap().is_some();
            assert_eq!(is_moved, policy != ColdPolicy::Discard || then != ColdPolicy::Discard, "{context}");
        }
    }
}

#[test]
fn a_reorganisation_below_what_is_final_loses_nothing_and_what_the_chain_has_left_goes_later() {
    let drawn = drawn("c");
    for mode in MODES {
        let mut rig = rig(ColdPolicy::Discard, mode);
        open(&mut rig, &drawn, "c40").compact().unwrap();
        open(&mut rig, &drawn, "f70").compact().unwrap();
        let (hot, live) = (rig.hot_keys(), table(&rig, &drawn, "f70", 70));
        assert!(live.is_subset(&hot), "{mode:?}");
        let tenured = (6..32).flat_map(|height| [format!("c{height}"), format!("c{}.key", height - 1)]);
        let tenured: Vec<Cid> = tenured.map(|name| drawn.names[&name]).collect();
        let more: BTreeSet<BlockKey> = hot.difference(&live).cloned().collect();
        assert_eq!(more, key_set(&tenured).difference(&live).cloned().collect(), "{mode:?}");
        // What the chain has left goes with the next run, and what is final is of the fork from then on.
        for (head, height) in [("f70", 70), ("f70", 70)] {
            open(&mut rig, &drawn, head).compact().unwrap();
            assert_eq!(rig.hot_keys(), table(&rig, &drawn, head, height), "{mode:?}");
        }
    }
}

/// A young reverted tipset leads to the highest final one, which the chain has left: that is forgotten all the same.
#[test]
fn what_a_reverted_tipset_leads_to_is_not_taken_for_the_chain() {
    let drawn = drawn("c");
    for mode in MODES {
        let mut rig = rig(ColdPolicy::Discard, mode);
        rig.load(drawn.blocks.iter().map(|(cid, data)| (cid, data)), &headers(&drawn, "c40"));
        let (store, chain) = rig.open().unwrap();
        store.compact().unwrap();
        let tipset = |name: &str| chain.tipset(&TipsetKey::new(headers(&drawn, name))).unwrap().unwrap();
        let revert = (6..=40).rev().map(|height| tipset(&format!("c{height}"))).collect();
        rig.load(drawn.blocks.iter().map(|(cid, data)| (cid, data)), &headers(&drawn, "f42"));
        let apply = (6..=42).map(|height| tipset(&format!("f{height}"))).collect();
        chain.set_head(&HeadChange { revert, apply }).unwrap();
        store.compact().unwrap();
        assert!(rig.hot_keys().contains(&(&drawn.names["c40"]).into()), "it is young, {mode:?}");
        drop((store, chain));
        for (head, height) in [("f50", 50), ("f60", 60)] {
            open(&mut rig, &drawn, head).compact().unwrap();
            assert_eq!(rig.hot_keys(), table(&rig, &drawn, head, height), "{head}, {mode:?}");
        }
    }
}

#[test]
fn another_chain_is_walked_whole_and_takes_its_place() {
    let (first, second) = (drawn("c"), drawn("d"));
    for mode in MODES {
        let mut rig = rig(ColdPolicy::Discard, mode);
        open(&mut rig, &first, "c40").compact().unwrap();
        // The run that finds that it is another one still has what was final as live; the next one has not.
        for (head, height, is_exact) in [("d40", 40, false), ("d50", 50, true), ("d60", 60, true)] {
            open(&mut rig, &second, head).compact().unwrap();
            let (hot, live) = (rig.hot_keys(), table(&rig, &second, head, height));
            assert!(live.is_subset(&hot) && (hot == live) == is_exact, "{head}, {mode:?}");
        }
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn on_event(&self, event: &Event) {
        if let Event::Failed(Phase::Mark, why) = event {
            self.0.lock().unwrap().push(why.clone());
        }
    }
}

/// Two batches, then damage or a cut at any place: the run that follows does as if there were none, or less.
#[test]
fn a_file_that_is_cut_or_damaged_costs_a_walk_and_nothing_else() {
    let drawn = drawn("c");
    for mode in [MODES[0], MODES[1]] {
        let mut rig = rig(ColdPolicy::Discard, mode);
        open(&mut rig, &drawn, "c40").compact().unwrap();
        open(&mut rig, &drawn, "c50").compact().unwrap();
        let whole = read_file(&rig);
        let cuts = (0..whole.len()).step_by(97).map(|end| (whole[..end].to_vec(), "cut"));
        let flips = (0..whole.len()).step_by(89).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            (bytes, "damaged")
        });
        for (bytes, what) in cuts.chain(flips) {
            write_file(&rig, &bytes);
            rig.load(drawn.blocks.iter().map(|(cid, data)| (cid, data)), &headers(&drawn, "c60"));
            let told = Arc::new(Told::default());
            let store = rig.open_with(Trigger::Manual, told.clone()).unwrap();
            store.start(chain_at(&store, &rig.head)).unwrap();
            store.compact().unwrap();
            let context = format!("{what}, {} of {} bytes, {mode:?}", bytes.len(), whole.len());
            assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c60", 60), "{context}");
            let told = told.0.lock().unwrap().clone();
            assert!(told.iter().all(|why| why.contains("tenured")), "{told:?}");
            drop(store);
            // Sound again.
            let (first, store) = (told.len(), rig.open().unwrap().0);
            assert!(first <= 1 && reads(&rig, &store) < 40, "{context}");
        }
    }
}

#[test]
fn a_file_of_the_version_before_is_read_and_written_anew() {
    let drawn = drawn("c");
    for mode in MODES {
        let mut rig = rig(ColdPolicy::Discard, mode);
        open(&mut rig, &drawn, "c30").compact().unwrap();
        let mut bytes = read_file(&rig);
        assert_eq!(bytes[8..10], [2, 0], "its version");
        bytes[8] = 1;
        write_file(&rig, &bytes);
        let store = open(&mut rig, &drawn, "c31");
        assert!(reads(&rig, &store) < 40, "{mode:?}");
        store.compact().unwrap();
        assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c31", 31), "{mode:?}");
        assert_eq!(read_file(&rig)[8..10], [2, 0]);
        drop(store);
        for height in 32..=60 {
            open(&mut rig, &drawn, &format!("c{height}")).compact().unwrap();
        }
        let store = rig.open().unwrap().0;
        assert!(reads(&rig, &store) < 40, "{mode:?}");
        assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c60", 60), "{mode:?}");
    }
}

#[test]
fn a_reference_to_a_final_header_keeps_that_header_alone() {
    let drawn = drawn("c");
    for mode in MODES {
        let mut rig = rig(ColdPolicy::Discard, mode);
        open(&mut rig, &drawn, "c40").compact().unwrap();
        let store = open(&mut rig, &drawn, "c60");
        let mut run = store.begin().unwrap();
        step_to(&mut run, "mark");
        assert!(store.has(&drawn.names["c10"]).unwrap());
        step_to(&mut run, "purge");
        assert!(store.has(&drawn.names["c10"]).unwrap() && store.has(&drawn.names["c12"]).unwrap());
        finish(run);
        assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c60", 60), "{mode:?}");
    }
}

/// What is final is among the marks that a crash leaves.
#[test]
fn a_run_that_is_finished_after_a_crash_shows_what_is_final() {
    let drawn = drawn("c");
    for mode in MODES {
        let mut rig = rig(ColdPolicy::Discard, mode);
        open(&mut rig, &drawn, "c40").compact().unwrap();
        let store = open(&mut rig, &drawn, "c60");
        let mut run = store.begin().unwrap();
        step_to(&mut run, "purge");
        std::mem::forget(run);
        rig.crash();
        let store = rig.open_bare().unwrap();
        for height in 0..=60 {
            assert!(store.has(&drawn.names[&format!("c{height}")]).unwrap(), "c{height}, {mode:?}");
        }
        drop(store);
        assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c60", 60), "{mode:?}");
        let (store, _chain) = rig.open().unwrap();
        store.compact().unwrap();
        assert_eq!(rig.hot_keys(), table(&rig, &drawn, "c60", 60), "{mode:?}");
    }
}
