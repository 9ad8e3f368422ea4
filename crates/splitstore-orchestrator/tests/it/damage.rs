//! Damaged files of a run: set aside where no block depends on finishing it, an error that names them elsewhere.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use splitstore_domain::ColdPolicy;
use splitstore_fixtures::oracle::Blocks;
use splitstore_orchestrator::{Error, Trigger};
use splitstore_ports::{Event, FileSystem, Observer};

use crate::rig::{FOLDER, Rig, chain_at, generated, step_to};

const RUN: &str = "work/compaction-1";

#[derive(Default)]
struct SetAside(Mutex<Vec<(PathBuf, String)>>);

impl Observer for SetAside {
    fn on_event(&self, event: &Event) {
        if let Event::SetAside { folder, reason } = event {
            self.0.lock().unwrap().push((folder.clone(), reason.clone()));
        }
    }
}

/// A store whose process died in `phase` of its first run, a step into it.
fn died_in(phase: &str, policy: ColdPolicy) -> (Rig, Blocks) {
    let (blocks, head, _) = generated(24, 81);
    let mut rig = Rig::new(2, policy);
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, phase);
    run.step().unwrap();
    std::mem::forget(run);
    rig.hot.inner().crash();
    rig.cold.inner().crash();
    rig.files.crash();
    (rig, blocks)
}

/// Flips a bit of the first record: 16 bytes of file header, 12 of the record's.
fn damage(rig: &Rig, name: &str) {
    let path = Path::new(FOLDER).join(RUN).join(name);
    let mut bytes = Vec::new();
    rig.files.open(&path).unwrap().expect("the file is there").read_to_end(&mut bytes).unwrap();
    bytes[16 + 12 + 3] ^= 0x10;
    let mut file = rig.files.create(&path).unwrap();
    file.write_all(&bytes).unwrap();
    file.sync().unwrap();
}

/// Opens, expects the run of this file to be set aside, every block to be readable, and a run to end.
fn is_set_aside(rig: &Rig, blocks: &Blocks, name: &str, aside: &[&str]) {
    let before = rig.hot_keys();
    let heard = Arc::new(SetAside::default());
    let store = rig.open_with(Trigger::Manual, heard.clone()).unwrap();
    assert_eq!(rig.hot_keys(), before, "nothing is deleted on the strength of {name}");
    let work = Path::new(FOLDER).join("work");
    assert_eq!(rig.files.list(&work).unwrap(), aside);
    let (folder, reason) = heard.0.lock().unwrap().pop().expect("it is told");
    assert_eq!(folder, work.join(aside.last().unwrap()));
    assert!(reason.contains(&format!("compaction-1/{name}")), "{reason}");
    for (cid, data) in blocks {
        assert_eq!(store.get(cid).unwrap().as_ref(), Some(data), "{cid} with {name} set aside");
    }
    store.start(chain_at(&store, &rig.head)).unwrap();
    store.compact().unwrap();
    assert!(store.audit().unwrap().is_clean());
    assert_eq!(rig.files.list(&work).unwrap(), aside, "the next run leaves it where it is");
}

#[test]
fn a_damaged_run_that_only_moved_blocks_is_set_aside_and_loses_none() {
    for name in ["journal", "marks", "candidates"] {
        let (rig, blocks) = died_in("purge", ColdPolicy::Universal);
        damage(&rig, name);
        is_set_aside(&rig, &blocks, name, &["damaged-1-compaction-1"]);
    }
}

#[test]
fn a_damaged_run_that_has_not_sealed_is_set_aside_under_every_policy() {
    for policy in [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard] {
        let (rig, blocks) = died_in("mark", policy);
        damage(&rig, "journal");
        let store = rig.open_bare().unwrap();
        let work = Path::new(FOLDER).join("work");
        assert_eq!(rig.files.list(&work).unwrap(), ["damaged-1-compaction-1"], "{policy}");
        for (cid, data) in &blocks {
            assert_eq!(store.get(cid).unwrap().as_ref(), Some(data), "{cid} under {policy}");
        }
    }
}

/// Half of its purge leaves parents without children, and nothing has those: the filter must come back.
#[test]
fn a_damaged_run_that_dropped_blocks_keeps_the_store_closed_whatever_the_policy_is_now() {
    for (policy, name) in [ColdPolicy::Messages, ColdPolicy::Discard]
        .into_iter()
        .flat_map(|policy| ["journal", "marks", "candidates"].map(|name| (policy, name)))
    {
        let (mut rig, _) = died_in("purge", policy);
        damage(&rig, name);
        let before = rig.hot_keys();
        for now in [policy, ColdPolicy::Universal] {
            rig.settings.cold_policy = now;
            let error = rig.open_bare().err().expect("half a purge is not shown");
            assert!(matches!(&error, Error::DamagedFile { path, .. } if path.ends_with(name)), "{error}");
            assert!(error.to_string().contains("verify the store"), "the way out: {error}");
        }
        assert_eq!(rig.hot_keys(), before, "nothing is deleted on the strength of {name}");
        assert_eq!(rig.files.list(&Path::new(FOLDER).join("work")).unwrap(), ["compaction-1"]);
    }
}

/// Journal and list both damaged: nothing tells whether the run dropped a block.
#[test]
fn what_no_sound_file_tells_is_not_guessed() {
    let (rig, _) = died_in("purge", ColdPolicy::Universal);
    damage(&rig, "journal");
    damage(&rig, "candidates");
    assert!(matches!(rig.open_bare(), Err(Error::DamagedFile { .. })));
}

#[test]
fn a_second_damaged_run_is_set_aside_beside_the_first() {
    let (rig, blocks) = died_in("purge", ColdPolicy::Universal);
    rig.files.create_dir(&Path::new(FOLDER).join("work/damaged-1-compaction-1")).unwrap();
    rig.files.sync_dir(&Path::new(FOLDER).join("work")).unwrap();
    damage(&rig, "marks");
    is_set_aside(&rig, &blocks, "marks", &["damaged-1-compaction-1", "damaged-2-compaction-1"]);
}
