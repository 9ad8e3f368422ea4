//! A purge that rewrites hot ends where one that deletes does, from whatever crash, and says why it was chosen.

use splitstore_domain::purge::PurgeWhy;
use splitstore_domain::{ColdPolicy, PurgeStrategy, PurgeWay};
use splitstore_memory::Call;
use splitstore_ports::{BlockRead, BlockWriteExt, ErrorKind};

use crate::rig::{Rig, generated, list_block, raw_block, step_to};

const POLICIES: [ColdPolicy; 3] = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];

fn rig(policy: ColdPolicy, purge: PurgeStrategy) -> Rig {
    let (blocks, head, _) = generated(24, 31);
    let mut rig = Rig::new(2, policy);
    rig.purge = purge;
    rig.load(&blocks, &head);
    rig
}

#[test]
fn a_rewrite_leaves_the_same_blocks_as_deletes_and_frees_their_space_by_itself() {
    for policy in POLICIES {
        let (deleted, rewritten) = (rig(policy, PurgeStrategy::Delete), rig(policy, PurgeStrategy::Auto));
        let report = deleted.open().unwrap().0.compact().unwrap();
        assert_eq!(report.purge.unwrap().way, PurgeWay::Delete);
        let (store, _chain) = rewritten.open().unwrap();
        let report = store.compact().unwrap();
        let choice = report.purge.unwrap();
        assert_eq!(choice.way, PurgeWay::Rewrite, "{choice}");
        assert!(matches!(choice.why, PurgeWhy::Dead(20..=80)), "{choice}");
        assert_eq!(rewritten.hot_keys(), deleted.hot_keys(), "{policy}");
        assert_eq!(rewritten.cold_keys(), deleted.cold_keys(), "{policy}");
        assert!(store.audit().unwrap().is_clean());
        let commit = report.phases.last().unwrap();
        assert_eq!(commit.bytes.0, 0, "nothing was left for a reclaim to free");
    }
}

/// The power is cut at every effect of the purge on hot; the next open finishes what was sealed, again by a rewrite.
#[test]
fn a_crash_at_any_effect_of_a_rewrite_is_recovered() {
    for policy in POLICIES {
        let whole = rig(policy, PurgeStrategy::Rewrite);
        whole.open().unwrap().0.compact().unwrap();
        for effects in 0.. {
            let rig = rig(policy, PurgeStrategy::Rewrite);
            let (store, chain) = rig.open().unwrap();
            let mut run = store.begin().unwrap();
            step_to(&mut run, "purge");
            rig.hot.die_after(effects);
            let died = loop {
                match run.step() {
                    Err(_) => break true,
                    Ok(splitstore_orchestrator::Step::Finished(_)) => break false,
                    Ok(_) => {}
                }
            };
            drop(run);
            drop((store, chain));
            rig.hot.heal();
            rig.crash();
            let (store, _chain) = rig.open().unwrap();
            assert_eq!(rig.hot_keys(), whole.hot_keys(), "{policy}, dead after {effects} effects");
            assert!(store.audit().unwrap().is_clean());
            if !died {
                assert!(effects > 4, "several ranges were rewritten");
                break;
            }
        }
    }
}

/// A range that cannot be rewritten ends the run with the filter on; what was doomed in it is put again meanwhile, and
/// stays when the purge goes on.
#[test]
fn what_is_put_after_a_range_failed_stays_when_the_purge_goes_on() {
    let mut rig = rig(ColdPolicy::Discard, PurgeStrategy::Rewrite);
    let head = rig.head.clone();
    let leaf = raw_block(b"orphan leaf");
    let root = list_block(&[leaf.0]);
    rig.load([(&leaf.0, &leaf.1), (&root.0, &root.1)], &head);
    let (store, _chain) = rig.open().unwrap();
    rig.hot.fail_where(ErrorKind::Unavailable, |call| *call == Call::Rewrite);
    store.compact().unwrap_err();
    rig.hot.heal();
    assert!(!store.has(&root.0).unwrap(), "it was dead when the run sealed");
    store.put(&leaf.0, &leaf.1).unwrap();
    store.put(&root.0, &root.1).unwrap();
    let mut rest = store.begin_rest().unwrap().unwrap();
    while !rest.is_over() {
        rest.step().unwrap();
    }
    assert_eq!(store.get(&root.0).unwrap(), Some(root.1));
    assert_eq!(store.get(&leaf.0).unwrap(), Some(leaf.1));
}
