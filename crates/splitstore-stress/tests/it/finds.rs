//! A check that finds nothing proves nothing unless it would have found something.

use std::path::Path;

use splitstore::domain::BlockKey;
use splitstore::folder::StoreFolder;
use splitstore::ports::cid::Cid;
use splitstore::ports::{BlockRead, BlockWriteExt};
use splitstore_fixtures::ChainGenerator;
use splitstore_stress::child::{Task, Then, run};
use splitstore_stress::{
    Ack, AckLog, Acknowledged, Chain, Disk, Forks, Life, Load, Survives, Verdict, check, parent, subtree,
};
use tempfile::TempDir;

/// A store that holds genesis, or all of it but the first `missing` blocks that are not there to begin with.
struct Place {
    folder: TempDir,
    life: Life,
    blocks: Vec<Cid>,
}

const SEED: u64 = 9;

/// A life with this cold policy.
fn life(policy: &str) -> Life {
    (0..3)
        .map(|number| Life::new(SEED, number, Load::Crash))
        .find(|life| life.cold().name() == policy)
        .unwrap()
}

impl Place {
    fn new(policy: &str) -> Self {
        let (folder, life) = (tempfile::tempdir().unwrap(), life(policy));
        StoreFolder::create(folder.path().join("store"), life.settings()).unwrap();
        let mut place = Self { folder, life, blocks: Vec::new() };
        let open = place.open();
        let mut blocks = Vec::new();
        let genesis = ChainGenerator::new(&life.spec())
            .unwrap()
            .next_tipset(&mut |cid, data| {
                blocks.push(*cid);
                open.store().put(cid, data)
            })
            .unwrap()
            .unwrap();
        let key = splitstore::domain::TipsetKey::new(genesis.key);
        let tipset = splitstore::ports::ChainAccessor::tipset(&**open.chain(), &key).unwrap().unwrap();
        let change = splitstore::domain::HeadChange { apply: vec![tipset], revert: Vec::new() };
        open.head_change(&change).unwrap();
        open.close().unwrap();
        place.blocks =
            blocks.into_iter().filter(|cid| splitstore::domain::ObjectKind::of(cid).is_stored()).collect();
        place.acknowledge(&[Ack::Put { tipset: 0, blocks: place.blocks.len() as u64 }, Ack::Head(0)]);
        place
    }

    fn open(&self) -> StoreFolder {
        StoreFolder::open(self.folder.path().join("store")).unwrap()
    }

    fn acknowledge(&self, acks: &[Ack]) {
        let log = AckLog::open(&self.log()).unwrap();
        for ack in acks {
            log.append(*ack).unwrap();
        }
    }

    fn log(&self) -> std::path::PathBuf {
        Path::join(self.folder.path(), "acks")
    }

    fn lose(&self, cid: &Cid) {
        let open = self.open();
        open.hot().delete_many(&[BlockKey::from(cid)]).unwrap();
        open.close().unwrap();
    }

    fn check(&self) -> Verdict {
        let acked = Acknowledged::read(&self.log(), Survives::Everything).unwrap();
        let mut chain = Chain::new(&self.life).unwrap();
        check(&self.open(), &self.life, &mut chain, &acked).unwrap()
    }
}

#[test]
fn a_sound_store_passes() {
    let place = Place::new("universal");
    let verdict = place.check();
    assert_eq!((verdict.lost, verdict.head), (0, Some(0)), "{:?}", verdict.findings);
    assert!(verdict.blocks > place.blocks.len() as u64, "{verdict:?}");
}

#[test]
fn a_live_block_that_is_lost_is_found_under_every_policy() {
    for policy in ["universal", "messages", "discard"] {
        let place = Place::new(policy);
        // Genesis' state comes first: leaves before what links to them.
        let (state, open) = (place.blocks[0], place.open());
        assert!(open.store().has(&state).unwrap());
        open.close().unwrap();
        place.lose(&state);
        let verdict = place.check();
        assert!(
            verdict.findings.iter().any(|what| what.contains(&format!("{state} is live"))),
            "{policy}: {verdict:?}"
        );
    }
}

#[test]
fn a_head_that_was_acknowledged_and_is_older_now_is_found() {
    let place = Place::new("discard");
    place.acknowledge(&[Ack::Moving(1)]);
    assert_eq!(place.check().lost, 0, "it may not have moved yet");
    place.acknowledge(&[Ack::Head(1)]);
    let verdict = place.check();
    assert_eq!(verdict.findings, ["the head is Some(0), it was Some(1) and to be Some(1)"]);
}

#[test]
fn a_compaction_that_was_acknowledged_and_is_not_known_is_found() {
    let place = Place::new("discard");
    place.acknowledge(&[Ack::Compacted(2)]);
    assert_eq!(place.check().findings, ["compaction 2 had finished, 0 is known"]);
}

#[test]
fn a_hole_below_what_the_machine_relies_on_is_found() {
    let place = Place::new("discard");
    let mut below = subtree(place.life.seed, 0).unwrap();
    below.push(parent(place.life.seed, 1, below.last().unwrap().0).unwrap());
    let open = place.open();
    for (cid, data) in &below[1..] {
        open.store().put(cid, data).unwrap();
    }
    open.close().unwrap();
    // Asked in no run: nothing is owed. Asked in run 1: what is there must be whole.
    place.acknowledge(&[Ack::Parent { round: 1, run: 0 }]);
    assert_eq!(place.check().lost, 0);
    place.acknowledge(&[Ack::Parent { round: 1, run: 1 }]);
    let verdict = place.check();
    assert_eq!(verdict.lost, 1, "{verdict:?}");
    assert!(verdict.findings[0].contains(&below[0].0.to_string()), "{verdict:?}");
}

#[test]
fn a_child_that_finds_something_lost_fails_and_names_it() {
    let place = Place::new("messages");
    place.lose(&place.blocks[0]);
    let task = Task {
        store: place.folder.path().join("store"),
        log: place.log(),
        seed: SEED,
        life: place.life.number,
        then: Then::Stop,
        forks: Forks::Guarded,
        disk: Disk::Real,
    };
    let error = format!("{:#}", run(&task).unwrap_err());
    assert!(error.contains(&place.blocks[0].to_string()), "{error}");
}
