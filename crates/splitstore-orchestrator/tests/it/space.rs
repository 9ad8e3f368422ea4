//! Space: asked for before a copy starts, given back after a purge.

use splitstore_domain::{ByteCount, ColdPolicy};
use splitstore_orchestrator::Error;

use crate::rig::{Rig, generated};

#[test]
fn a_transfer_that_does_not_fit_ends_the_run_before_it_copies() {
    let (blocks, head, _) = generated(24, 51);
    let mut rig = Rig::new(2, ColdPolicy::Universal);
    rig.load(&blocks, &head);
    rig.files.set_free_space(Some(ByteCount(1000)));
    let (store, _chain) = rig.open().unwrap();
    let before = rig.hot_keys();
    let error = store.compact().unwrap_err();
    assert!(matches!(error, Error::NoSpace { have: 1000, need } if need > 1000), "{error}");
    assert_eq!((rig.hot_keys(), rig.cold_keys().len()), (before, 0));
    rig.files.set_free_space(None);
    store.compact().unwrap();
}

#[test]
fn discard_needs_no_space_in_cold_and_gives_space_back_in_hot() {
    let (blocks, head, _) = generated(24, 52);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    rig.load(&blocks, &head);
    rig.files.set_free_space(Some(ByteCount(0)));
    let (store, _chain) = rig.open().unwrap();
    let report = store.compact().unwrap();
    assert!(report.after.hot < report.before.hot, "{report}");
    assert!(rig.cold_keys().is_empty());
}
