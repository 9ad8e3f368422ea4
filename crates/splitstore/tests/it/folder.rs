//! A store in a folder, as a program uses it: closed and opened again, moved on, damaged.

use std::ops::ControlFlow;
use std::path::Path;

use splitstore::Trigger;
use splitstore::domain::trigger::Decision;
use splitstore::domain::{Epoch, HeadChange, Settings};
use splitstore::folder::{FolderError, FolderSettings, HotEngine, Opening, StoreFolder};
use splitstore::import::{
    ChainFault, ImportError, Imported, OtherChain, Pass, Progress, import_blocks, import_car, import_car_with,
};
use splitstore::ports::{BlockRead, ChainAccessor};
use splitstore_fixtures::{ChainSpec, write_car};
use tempfile::TempDir;

fn engines() -> impl Iterator<Item = HotEngine> {
    HotEngine::ALL.iter().copied().filter(|engine| engine.is_built())
}

/// A new store, and a chain of 60 epochs beside it.
fn made(hot: HotEngine) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let windows = Settings { finality_epochs: 3, ..Settings::default() };
    StoreFolder::create(dir.path().join("store"), &FolderSettings { hot, windows, ..Default::default() })
        .unwrap();
    write_car(&ChainSpec { epochs: 60, actors: 60, ..ChainSpec::default() }, dir.path().join("chain.car"))
        .unwrap();
    dir
}

fn open(dir: &TempDir) -> StoreFolder {
    let opening = Opening { trigger: Trigger::Manual, ..Opening::default() };
    StoreFolder::open_with(dir.path().join("store"), &opening).unwrap()
}

fn import(folder: &StoreFolder, dir: &TempDir) -> Imported {
    import_car(folder, &dir.path().join("chain.car"), &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn a_store_keeps_blocks_and_head_from_one_open_to_the_next() {
    for engine in engines() {
        let dir = made(engine);
        let folder = open(&dir);
        let imported = import(&folder, &dir);
        // Dropped without `close`, with a clone of the store gone before: nothing may hold the engines' locks.
        drop(folder.store().clone());
        drop(folder);
        let folder = open(&dir);
        assert_eq!(folder.head().unwrap(), imported.head);
        assert!(imported.roots.iter().all(|root| folder.store().has(root).unwrap()));
        folder.close().unwrap();
        assert!(open(&dir).store().audit().unwrap().is_clean());
    }
}

#[test]
fn a_second_handle_is_refused_while_the_first_is_open() {
    let dir = made(HotEngine::default());
    let first = open(&dir);
    let second = StoreFolder::open(dir.path().join("store"));
    assert!(matches!(second, Err(FolderError::Locked { .. })), "{second:?}");
    drop(first);
    StoreFolder::open(dir.path().join("store")).unwrap();
}

#[test]
fn a_head_that_moves_on_asks_for_a_compaction_and_gets_one_by_itself() {
    let dir = made(HotEngine::default());
    let head = import_blocks(&open(&dir), &dir.path().join("chain.car"), &mut |_| ControlFlow::Continue(()))
        .unwrap()
        .head
        .unwrap();
    let folder = StoreFolder::open(dir.path().join("store")).unwrap();
    let low = folder.chain().tipset_at(Epoch::new(10), &head).unwrap().unwrap();
    let apply = |tipset| HeadChange { apply: vec![tipset], ..HeadChange::default() };
    assert!(matches!(folder.head_change(&apply(low)).unwrap(), Some(Decision::Wait(_))));
    assert!(matches!(folder.head_change(&apply(head)).unwrap(), Some(Decision::Compact(_))));
    folder.store().wait_idle();
    assert_eq!(folder.store().info().unwrap().compactions, 1);
    assert!(folder.store().audit().unwrap().is_clean());
}

#[test]
fn a_revert_moves_the_head_back_also_for_the_next_open() {
    let dir = made(HotEngine::default());
    let folder = open(&dir);
    let head = import(&folder, &dir).head.unwrap();
    let parent = folder.chain().tipset(&head.parents).unwrap();
    folder.head_change(&HeadChange { revert: vec![head], ..HeadChange::default() }).unwrap();
    assert_eq!(folder.head().unwrap(), parent);
    drop(folder);
    assert_eq!(open(&dir).head().unwrap(), parent);
}

#[test]
fn a_head_whose_header_is_gone_is_named_and_an_import_mends_it() {
    let dir = made(HotEngine::default());
    let folder = open(&dir);
    let head = import(&folder, &dir).head.unwrap();
    folder.hot().delete_many(&[(&head.key.cids()[0]).into()]).unwrap();
    drop(folder);
    let folder = open(&dir);
    let lost = folder.lost_head().unwrap();
    assert_eq!((folder.head().unwrap(), &lost.key), (None, &head.key));
    assert!(lost.source.is_none() && lost.to_string().contains("import the chain again"), "{lost}");
    import(&folder, &dir);
    drop(folder);
    let folder = open(&dir);
    assert!(folder.head().unwrap() == Some(head) && folder.lost_head().is_none());
}

#[test]
fn a_damaged_chain_is_not_compared_with_another_but_mended_or_replaced() {
    let dir = made(HotEngine::default());
    let folder = open(&dir);
    let head = import(&folder, &dir).head.unwrap();
    let lost = folder.chain().tipset_at(Epoch::new(20), &head).unwrap().unwrap().key;
    folder.hot().delete_many(&[(&lost.cids()[0]).into()]).unwrap();
    let other = dir.path().join("other.car");
    write_car(&ChainSpec { epochs: 70, actors: 30, seed: 9, ..ChainSpec::default() }, &other).unwrap();
    let refused = import_car(&folder, &other, &mut |_| ControlFlow::Continue(())).unwrap_err();
    let ImportError::UnknownGenesis { source: ChainFault::Missing { cid, .. }, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(*cid, lost.cids()[0]);
    assert_eq!(folder.head().unwrap().as_ref(), Some(&head));
    import(&folder, &dir);
    let refused = import_car(&folder, &other, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(refused, ImportError::OtherGenesis { .. }), "{refused}");
    let replaced =
        import_car_with(&folder, &other, OtherChain::Replace, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(folder.head().unwrap(), replaced.head);
}

#[test]
fn an_older_archive_brings_blocks_and_leaves_the_head_where_it_is() {
    let dir = made(HotEngine::default());
    let folder = open(&dir);
    let head = import(&folder, &dir).head.unwrap();
    let older = dir.path().join("older.car");
    write_car(&ChainSpec { epochs: 40, actors: 60, ..ChainSpec::default() }, &older).unwrap();
    let lost = folder.chain().tipset_at(Epoch::new(20), &head).unwrap().unwrap().key.cids()[0];
    folder.hot().delete_many(&[(&lost).into()]).unwrap();
    let mut go_on = |_: &Progress| ControlFlow::Continue(());
    let imported = import_car(&folder, &older, &mut go_on).unwrap();
    assert_eq!((imported.stays.as_ref(), imported.decision), (Some(&head), None));
    assert_eq!(folder.head().unwrap().as_ref(), Some(&head));
    assert!(folder.store().has(&lost).unwrap());
    let back = import_car_with(&folder, &older, OtherChain::Replace, &mut go_on).unwrap();
    assert_eq!((folder.head().unwrap(), back.stays), (back.head, None));
}

#[test]
fn progress_covers_all_passes_to_the_end() {
    let dir = made(HotEngine::default());
    let mut seen = Vec::new();
    let imported = import_car(&open(&dir), &dir.path().join("chain.car"), &mut |at| {
        seen.push(*at);
        ControlFlow::Continue(())
    })
    .unwrap();
    for pass in [Pass::Check, Pass::Follow, Pass::Write] {
        let last = seen.iter().rfind(|at| at.pass == pass).unwrap();
        assert_eq!((last.blocks, last.file_bytes), (imported.blocks, last.file_bytes_total));
    }
}

#[test]
fn an_engine_that_was_not_built_is_named() {
    let Some(missing) = HotEngine::ALL.iter().find(|engine| !engine.is_built()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let refused = StoreFolder::create(
        dir.path().join("store"),
        &FolderSettings { hot: *missing, ..Default::default() },
    );
    assert!(matches!(refused, Err(FolderError::NotBuilt { .. })), "{refused:?}");
    assert!(!Path::new(&dir.path().join("store")).exists());
}
