//! Errors stop a run, never skip: hot is untouched, the error says what and where, the next run may try again.

use splitstore_domain::digest::blake2b_256;
use splitstore_domain::object::RAW;
use splitstore_domain::trigger::{Decision, Why};
use splitstore_domain::{BlockKey, ColdPolicy, Epoch, Policy, Window};
use splitstore_fixtures::oracle;
use splitstore_memory::Call;
use splitstore_orchestrator::{Error, Trigger};
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockDelete, BlockRead, BlockWriteExt, ChainAccessor, ErrorKind};

use crate::rig::{MODES, Rig, block_cid, generated, key_set};

fn loaded(policy: ColdPolicy) -> (Rig, splitstore_fixtures::oracle::Blocks) {
    let (blocks, head, _) = generated(24, 21);
    let mut rig = Rig::new(2, policy);
    rig.load(&blocks, &head);
    (rig, blocks)
}

/// Runs a compaction that must fail, and shows that it deleted nothing.
fn fails(rig: &Rig) -> Error {
    let before = rig.hot_keys();
    let (store, _chain) = rig.open().unwrap();
    let error = store.compact().expect_err("this run must not succeed");
    assert_eq!(rig.hot_keys(), before, "a failed run deletes nothing");
    error
}

#[test]
fn a_missing_block_inside_the_strict_window_aborts_and_is_named() {
    for mode in MODES {
        let (mut rig, blocks) = loaded(ColdPolicy::Discard);
        rig.mode = mode;
        let state = state_of(&blocks, &rig.head[0]);
        let actors = first_link(&blocks, &state);
        rig.hot.delete_many(&[BlockKey::from(&actors)]).unwrap();
        let error = fails(&rig);
        assert!(
            matches!(error, Error::MissingLive { cid, root, header: Some(_) } if (cid, root) == (actors, state)),
            "{error}"
        );
        let Error::MissingLive { header: Some(header), .. } = &error else { unreachable!("matched above") };
        assert_eq!(state_of(&blocks, header), state, "a header that names the state");
        assert!(error.to_string().contains(&format!("which header {header} names")), "{error}");
        assert!(error.to_string().contains(&actors.to_string()));
    }
}

/// Snapshots leave out old state as a whole; above a snapshot the same absence is a loss.
#[test]
fn a_state_that_is_absent_as_a_whole_is_tolerated_up_to_the_snapshot_and_aborts_above_it() {
    let (rig, blocks) = loaded(ColdPolicy::Discard);
    let state = state_of(&blocks, &rig.head[0]);
    rig.hot.delete_many(&[BlockKey::from(&state)]).unwrap();
    let (store, _chain) = rig.open().unwrap();
    assert!(store.plan().unwrap().missing > 0);
    store.note_snapshot(Epoch::new(10)).unwrap();
    drop(store);
    let error = fails(&rig);
    assert!(matches!(error, Error::MissingLive { cid, .. } if cid == state), "{error}");
}

/// Nodes hold the code of actors elsewhere, so a compaction passes over absent leaves; who verifies is told how many.
#[test]
fn leaves_that_are_absent_are_counted_by_verify_and_are_not_live() {
    let (rig, blocks) = loaded(ColdPolicy::Universal);
    let audit = || rig.open().unwrap().0.audit().unwrap();
    let before = audit();
    let leaves: Vec<_> = blocks.keys().filter(|cid| cid.codec() == RAW).map(BlockKey::from).collect();
    rig.hot.delete_many(&leaves).unwrap();
    let after = audit();
    assert!(after.is_clean(), "{after:?}");
    assert!(after.tolerated > before.tolerated);
    assert_eq!(after.live_blocks + after.tolerated, before.live_blocks + before.tolerated);
}

#[test]
fn a_missing_header_aborts_and_is_named() {
    for mode in MODES {
        let (mut rig, blocks) = loaded(ColdPolicy::Discard);
        rig.mode = mode;
        let header = genesis_of(&blocks, &rig.head);
        rig.hot.delete_many(&[BlockKey::from(&header)]).unwrap();
        let error = fails(&rig);
        assert!(matches!(error, Error::MissingLive { cid, .. } if cid == header), "{error}");
    }
}

#[test]
fn a_live_block_whose_links_cannot_be_read_aborts() {
    for mode in MODES {
        let (mut rig, blocks) = loaded(ColdPolicy::Discard);
        rig.mode = mode;
        let state = state_of(&blocks, &rig.head[0]);
        assert!(rig.hot.inner().damage(&BlockKey::from(&state), &[0x82, 0x01]));
        let error = fails(&rig);
        assert!(matches!(error, Error::Malformed { cid, .. } if cid == state), "{error}");
    }
}

#[test]
fn a_damaged_block_is_not_moved_to_cold() {
    let (rig, blocks) = loaded(ColdPolicy::Universal);
    let window = Window::at(Epoch::new(24), Epoch::GENESIS, &Policy::new(rig.settings).unwrap());
    let cold = oracle::expected_cold(&blocks, &rig.head, &window, ColdPolicy::Universal).unwrap();
    let victim = cold.iter().next().unwrap();
    assert!(rig.hot.inner().damage(&BlockKey::from(victim), b"bit rot"));
    let error = fails(&rig);
    assert!(matches!(error, Error::Damaged { cid, .. } if BlockKey::from(&cid) == BlockKey::from(victim)));
}

#[test]
fn a_cold_tier_that_fails_to_write_or_sync_leaves_hot_untouched_and_the_next_run_succeeds() {
    for which in [|call: &Call| matches!(call, Call::Put(_)), |call: &Call| matches!(call, Call::Sync)] {
        let (rig, blocks) = loaded(ColdPolicy::Universal);
        rig.cold.fail_where(ErrorKind::Full, which);
        let error = fails(&rig);
        assert!(matches!(&error, Error::Port(port) if port.kind() == ErrorKind::Full), "{error}");
        rig.cold.heal();
        let (store, _chain) = rig.open().unwrap();
        store.compact().unwrap();
        let both: std::collections::BTreeSet<_> = &rig.hot_keys() | &rig.cold_keys();
        assert_eq!(both, key_set(blocks.keys()));
    }
}

#[test]
fn a_failing_sync_of_cold_is_followed_by_no_delete() {
    let (rig, _) = loaded(ColdPolicy::Universal);
    rig.cold.fail_nth_where(1, ErrorKind::Unavailable, |call| matches!(call, Call::Sync));
    fails(&rig);
}

#[test]
fn a_purge_that_fails_keeps_filtering_until_it_is_finished() {
    let (rig, blocks) = loaded(ColdPolicy::Discard);
    let (store, _chain) = rig.open().unwrap();
    rig.hot.fail_nth_where(2, ErrorKind::Unavailable, |call| matches!(call, Call::Delete(_)));
    store.compact().unwrap_err();
    let window = Window::at(Epoch::new(24), Epoch::GENESIS, &Policy::new(rig.settings).unwrap());
    let live = oracle::expected_hot(&blocks, &rig.head, &window).unwrap();
    for cid in blocks.keys() {
        assert_eq!(store.has(cid).unwrap(), live.contains(cid), "half a purge is not seen: {cid}");
    }
    store.compact().unwrap();
    assert_eq!(rig.hot_keys(), key_set(&live));
    assert_eq!(store.info().unwrap().compactions, 2, "the failed run was finished, then another made");
}

/// Hears of failures.
#[derive(Default)]
struct Failures(std::sync::Mutex<Vec<String>>);

impl splitstore_ports::Observer for Failures {
    fn on_event(&self, event: &splitstore_ports::Event) {
        if let splitstore_ports::Event::Failed(..) = event {
            self.0.lock().unwrap().push(event.to_string());
        }
    }
}

/// The run that a head change starts ends the earlier purge first, on its own thread: nobody else hears the error.
#[test]
fn a_run_that_fails_before_it_begins_is_told_and_the_next_one_waits() {
    let (rig, _) = loaded(ColdPolicy::Discard);
    let heard = std::sync::Arc::new(Failures::default());
    let store = rig.open_with(Trigger::Automatic, heard.clone()).unwrap();
    let chain = crate::rig::chain_at(&store, &rig.head);
    store.start(chain.clone()).unwrap();
    let tip = chain.heaviest().unwrap().unwrap();
    rig.hot.fail_where(ErrorKind::Unavailable, |call| matches!(call, Call::Delete(_)));
    assert_eq!(store.last_failure(), None);
    store.compact().unwrap_err();
    for (seconds, failures) in [(30, 1), (60, 2), (120, 3)] {
        let wait = std::time::Duration::from_secs(seconds);
        let last = store.last_failure().expect("it failed just now");
        assert_eq!((last.phase, last.ago), (splitstore_domain::Phase::Purge, std::time::Duration::ZERO));
        assert_eq!((last.in_a_row as usize, last.backs_off), (failures, wait), "{}", last.error);
        rig.forget_base();
        let decided = store.head_change(&crate::rig::apply(tip.clone())).unwrap();
        assert_eq!(decided, Some(Decision::Wait(Why::BackingOff { wait })), "after {failures} failures");
        rig.clock.advance(wait);
        let decided = store.head_change(&crate::rig::apply(tip.clone())).unwrap();
        assert!(matches!(decided, Some(Decision::Compact(_))));
        store.wait_idle();
        let heard = heard.0.lock().unwrap();
        assert_eq!(heard.len(), failures + 1, "{heard:?}");
        assert!(heard.iter().all(|line| line.contains("failed in purge")), "{heard:?}");
    }
    rig.hot.heal();
    store.compact().unwrap();
    assert_eq!(store.info().unwrap().last_failure, None, "a run has succeeded since");
}

#[test]
fn one_run_at_a_time() {
    let (rig, _) = loaded(ColdPolicy::Universal);
    let (store, _chain) = rig.open().unwrap();
    let run = store.begin().unwrap();
    assert!(matches!(store.compact(), Err(Error::Busy)));
    assert!(matches!(store.audit(), Err(Error::Busy)));
    drop(run);
    store.compact().unwrap();
}

#[test]
fn a_store_without_chain_or_head_says_so() {
    let rig = Rig::new(2, ColdPolicy::Universal);
    assert!(matches!(rig.open_bare().unwrap().compact(), Err(Error::NotStarted)));
    assert!(matches!(rig.open().unwrap().0.compact(), Err(Error::NoHead)));
}

#[test]
fn a_closed_store_starts_no_run_and_what_it_acknowledged_is_durable() {
    let (rig, _) = loaded(ColdPolicy::Universal);
    let (store, _chain) = rig.open().unwrap();
    let (cid, data) = crate::rig::raw_block(b"acknowledged");
    store.put(&cid, &data).unwrap();
    store.close().unwrap();
    assert!(matches!(store.compact(), Err(Error::Stopped(_))));
    rig.crash();
    assert!(rig.hot_keys().contains(&BlockKey::from(&cid)));
}

#[test]
fn a_protector_that_fails_ends_the_run_before_it_marks() {
    let (rig, _) = loaded(ColdPolicy::Discard);
    let (store, _chain) = rig.open().unwrap();
    store.add_protector(std::sync::Arc::new(|_: &mut dyn FnMut(&Cid)| {
        Err(splitstore_ports::PortError::bare(ErrorKind::Unavailable, "read the message pool"))
    }));
    let before = rig.hot_keys();
    let error = store.compact().unwrap_err();
    assert!(error.to_string().contains("message pool"), "{error}");
    assert_eq!(rig.hot_keys(), before);
    assert_eq!(block_cid(0x55, b"x").hash().digest(), blake2b_256(b"x"));
}

fn header_of(blocks: &oracle::Blocks, cid: &Cid) -> splitstore_domain::HeaderView {
    splitstore_filecoin::BlockHeader::decode(&blocks[cid]).unwrap().view()
}

fn state_of(blocks: &oracle::Blocks, header: &Cid) -> Cid {
    header_of(blocks, header).state
}

fn genesis_of(blocks: &oracle::Blocks, head: &[Cid]) -> Cid {
    let mut cid = head[0];
    loop {
        match header_of(blocks, &cid).parents.cids().first() {
            Some(parent) => cid = *parent,
            None => return cid,
        }
    }
}

fn first_link(blocks: &oracle::Blocks, cid: &Cid) -> Cid {
    let mut first = None;
    splitstore_domain::links::scan_links(&blocks[cid], |link| first = first.or(Some(link.cid()))).unwrap();
    first.expect("the block has a link")
}

/// The last record of a run may get out although its sync fails. The run is over then, and the next one owes
/// nothing to what its predecessor had walked.
#[test]
fn a_run_that_fails_while_it_commits_leaves_nothing_behind_for_the_next() {
    let orphan = crate::rig::raw_block(b"below a block that both runs see");
    let parent = crate::rig::list_block(&[orphan.0]);
    for effects in 0..80 {
        let (blocks, head, _) = generated(24, 22);
        let fuse = splitstore_memory::Fuse::new();
        let mut rig = Rig::new(2, ColdPolicy::Discard);
        let files = splitstore_memory::MemoryFiles::with_folder(std::path::Path::new(crate::rig::FOLDER));
        rig.files = files.unwrap().fused(fuse.clone());
        rig.load(&blocks, &head);
        rig.load([(&orphan.0, &orphan.1), (&parent.0, &parent.1)], &head);
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        run.step().unwrap();
        assert!(store.has(&parent.0).unwrap());
        fuse.burn_after(effects);
        while matches!(run.step(), Ok(step) if !matches!(step, splitstore_orchestrator::Step::Finished(_))) {}
        drop(run);
        fuse.renew();
        let mut run = store.begin().unwrap();
        // What the first one left comes first.
        crate::rig::step_to(&mut run, "mark");
        let seen = store.has(&parent.0).unwrap();
        crate::rig::finish(run);
        let kept = store.has(&parent.0).unwrap() && store.has(&orphan.0).unwrap();
        assert!(seen && kept, "burnt after {effects} effects on files");
    }
}

#[test]
fn a_rest_that_succeeds_and_a_cancel_leave_no_failure() {
    let (rig, _) = loaded(ColdPolicy::Discard);
    let store = rig.open_with(Trigger::Stepped, std::sync::Arc::new(Failures::default())).unwrap();
    store.start(crate::rig::chain_at(&store, &rig.head)).unwrap();
    let mut run = store.begin().unwrap();
    run.step().unwrap();
    store.cancel();
    run.step().unwrap_err();
    drop(run);
    assert_eq!(store.last_failure(), None, "it was cancelled");
    rig.hot.fail_nth_where(2, ErrorKind::Unavailable, |call| matches!(call, Call::Delete(_)));
    store.compact().unwrap_err();
    assert_eq!(store.last_failure().map(|failure| failure.in_a_row), Some(1));
    let mut rest = store.begin_rest().unwrap().expect("its purge is left");
    while !rest.is_over() {
        rest.step().unwrap();
    }
    drop(rest);
    assert_eq!(store.last_failure(), None, "the run has ended after all");
}
