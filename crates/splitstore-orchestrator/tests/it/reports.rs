//! What a run tells: events in order, a plan and a report as small tables, base and index.

use std::sync::{Arc, Mutex};

use splitstore_domain::trigger::Decision;
use splitstore_domain::{ColdPolicy, Epoch, Phase};
use splitstore_orchestrator::{SplitStore, Trigger};
use splitstore_ports::{BlockRead, ChainAccessor, ErrorKind, Event, FileSystem, Observer, PortError};

use crate::rig::{FOLDER, Rig, apply, chain_at, generated};

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn on_event(&self, event: &Event) {
        let line = match event {
            Event::PhaseStarted(phase) => format!("{phase} starts"),
            Event::PhaseFinished(report) => format!("{} ends", report.phase),
            Event::Started(_) => "run starts".into(),
            Event::Planned(_) => "planned".into(),
            Event::Finished(_) => "run ends".into(),
            other => other.to_string(),
        };
        self.0.lock().unwrap().push(line);
    }
}

fn observed(rig: &Rig, trigger: Trigger) -> (SplitStore, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    (rig.open_with(trigger, heard.clone()).unwrap(), heard)
}

#[test]
fn events_come_at_phase_edges_in_order() {
    let (blocks, head, _) = generated(24, 41);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    let (store, heard) = observed(&rig, Trigger::Manual);
    store.start(chain_at(&store, &head)).unwrap();
    store.compact().unwrap();
    let heard = heard.0.lock().unwrap().join("\n");
    insta::assert_snapshot!(heard);
}

#[test]
fn a_plan_and_a_report_print_as_small_tables() {
    let (blocks, head, _) = generated(24, 41);
    let mut rig = Rig::new(2, ColdPolicy::Messages);
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    insta::assert_snapshot!("plan", store.plan().unwrap());
    insta::assert_snapshot!("report", store.compact().unwrap());
}

#[test]
fn base_and_index_are_kept_across_a_restart() {
    let (blocks, head, height) = generated(24, 41);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    let (store, _chain) = rig.open().unwrap();
    assert_eq!(store.info().unwrap().base, Some(height), "a new store's base is the head it first sees");
    store.compact().unwrap();
    store.close().unwrap();
    let (store, _chain) = rig.open().unwrap();
    let info = store.info().unwrap();
    assert_eq!(info.base, Some(Epoch::new(height.height() - 8)), "four finalities of two epochs");
    assert_eq!((info.compactions, info.phase.phase), (1, Phase::Idle));
}

#[test]
fn a_head_change_beyond_the_threshold_compacts_on_its_own_thread() {
    let (blocks, head, _) = generated(24, 42);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    let (store, heard) = observed(&rig, Trigger::Automatic);
    let chain = chain_at(&store, &head);
    let tip = chain.heaviest().unwrap().unwrap();
    let low = chain.tipset_at(Epoch::new(10), &tip).unwrap().unwrap();
    chain.set_head(&apply(low.clone())).unwrap();
    store.start(chain.clone()).unwrap();
    let early = chain.tipset_at(Epoch::new(12), &tip).unwrap().unwrap();
    assert!(matches!(store.head_change(&apply(early)).unwrap(), Some(Decision::Wait(_))));
    chain.set_head(&apply(tip)).unwrap();
    store.wait_idle();
    assert_eq!(store.info().unwrap().compactions, 1, "{:?}", heard.0.lock().unwrap());
    assert!(store.audit().unwrap().is_clean());
    assert!(!rig.cold_keys().is_empty());
}

#[test]
fn an_export_down_to_genesis_holds_every_block_of_the_chain_once() {
    let (blocks, head, _) = generated(24, 43);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    let reached = splitstore_fixtures::oracle::reachable(&blocks, head.iter().copied()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let key = chain.heaviest().unwrap().unwrap().key;
    let exported = store.export(&key, Epoch::GENESIS, &mut |cid, data| {
        assert_eq!(blocks[cid], data);
        assert!(seen.insert(*cid), "{cid} is exported twice");
        Ok(())
    });
    assert_eq!(exported.unwrap().blocks, seen.len() as u64);
    assert!(reached.is_subset(&seen), "{} of {}", seen.len(), reached.len());
}

#[test]
fn an_export_that_fails_leaves_nothing_in_the_work_folder() {
    let (blocks, head, _) = generated(24, 43);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    let (store, chain) = rig.open().unwrap();
    let key = chain.heaviest().unwrap().unwrap().key;
    let full = || PortError::bare(ErrorKind::Full, "write the archive");
    let exported = store.export(&key, Epoch::GENESIS, &mut |_, _| Err(full()));
    assert!(exported.unwrap_err().to_string().contains("write the archive"));
    assert_eq!(rig.files.list(&std::path::Path::new(FOLDER).join("work")).unwrap(), [""; 0]);
}

/// A run neither waits for a view nor is blocked by it; it says where the view was taken.
#[test]
fn a_view_that_lasts_is_reported_by_where_it_was_taken() {
    let (blocks, head, _) = generated(24, 44);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.load(&blocks, &head);
    let (store, heard) = observed(&rig, Trigger::Manual);
    store.start(chain_at(&store, &head)).unwrap();
    let here = file!();
    store
        .view(&head[0], &mut |_| {
            rig.clock.advance(std::time::Duration::from_secs(31));
            store.compact().unwrap();
        })
        .unwrap();
    let heard = heard.0.lock().unwrap();
    let line = heard.iter().find(|line| line.contains("view taken at")).expect("the view is reported");
    assert!(line.contains(here) && line.contains("31 s"), "{line}");
}
