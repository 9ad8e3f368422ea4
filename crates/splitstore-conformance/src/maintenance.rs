//! Clauses of `Maintenance`, for stores that offer it; for others they hold by being absent.

use cid::Cid;
use splitstore_ports::{
    BlockDelete, BlockWrite, ColdStore, ErrorKind, HotStore, Interrupt, Maintenance, ReclaimMode,
};

use crate::probe::{Blocks, assert_holds, assert_lacks, keys_of, open, put_all};
use crate::{Fixture, sample};

/// 128 blocks of 32 KiB: 4 MiB that do not compress.
fn four_mebibytes() -> Vec<(Cid, Vec<u8>)> {
    (0..128).map(|n| sample::sized_block(n, 32 << 10)).collect()
}

/// "Bytes on disk, close to what `du` says": more blocks, more bytes.
pub fn size_on_disk_grows_with_content(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    if let Some(maintenance) = store.maintenance() {
        assert_size_grows(&store, maintenance);
    }
}

/// "Bytes on disk, close to what `du` says", of a cold store.
pub fn cold_size_on_disk_grows_with_content(fixture: &impl Fixture<Store: ColdStore>) {
    let store = open(fixture);
    if let Some(maintenance) = store.maintenance() {
        assert_size_grows(&store, maintenance);
    }
}

/// "Reclaiming changes no content. After `Full` the space of deleted blocks is given back."
pub fn a_full_reclaim_keeps_content_and_gives_space_back(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    if let Some(maintenance) = store.maintenance() {
        assert_reclaims(&store, maintenance, &store, ReclaimMode::Full);
    }
}

/// "Reclaiming changes no content", in small pieces either.
pub fn an_online_reclaim_keeps_content(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    if let Some(maintenance) = store.maintenance() {
        assert_reclaims(&store, maintenance, &store, ReclaimMode::Online);
    }
}

/// "Reclaiming changes no content", of a cold store, after deletes where it can delete.
pub fn a_cold_reclaim_keeps_content(fixture: &impl Fixture<Store: ColdStore>) {
    let store = open(fixture);
    let Some(maintenance) = store.maintenance() else { return };
    if let Some(deletion) = store.deletion() {
        return assert_reclaims(&store, maintenance, deletion, ReclaimMode::Full);
    }
    let blocks = four_mebibytes();
    put_all(&store, &blocks);
    store.sync().expect("sync");
    maintenance.reclaim(ReclaimMode::Full, &Interrupt::new()).expect("reclaim");
    assert_holds(&store, &blocks);
}

/// "`Interrupted` when stopped: what was done stays." One that is stopped before it began may also find
/// nothing left to do.
pub fn an_interrupted_reclaim_loses_nothing(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(maintenance) = store.maintenance() else { return };
    let blocks = four_mebibytes();
    put_all(&store, &blocks);
    store.delete_many(&keys_of(&blocks[..64])).expect("delete");
    let interrupt = Interrupt::new();
    interrupt.raise();
    for mode in [ReclaimMode::Online, ReclaimMode::Full] {
        if let Err(error) = maintenance.reclaim(mode, &interrupt) {
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        }
        assert_holds(&store, &blocks[64..]);
        assert_lacks(&store, &blocks[..64]);
    }
}

/// "Beside readers and writers": a reclaim in one thread, puts and reads in another.
pub fn a_reclaim_runs_beside_readers_and_writers(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(maintenance) = store.maintenance() else { return };
    let (old, new) = (four_mebibytes(), sample::blocks(1000..1200));
    put_all(&store, &old);
    store.delete_many(&keys_of(&old[..100])).expect("delete");
    store.sync().expect("sync");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            maintenance.reclaim(ReclaimMode::Online, &Interrupt::new()).expect("reclaim beside writers");
        });
        for batch in new.chunks(10) {
            put_all(&store, batch);
            assert_holds(&store, batch);
        }
    });
    assert_holds(&store, &old[100..]);
    assert_holds(&store, &new);
}

fn assert_size_grows(store: &impl Blocks, maintenance: &dyn Maintenance) {
    let before = maintenance.size_on_disk().expect("size before");
    put_all(store, &four_mebibytes());
    store.sync().expect("sync");
    let after = maintenance.size_on_disk().expect("size after");
    assert!(after > before, "4 MiB more, but {before} before and {after} after");
}

fn assert_reclaims(
    store: &impl Blocks,
    maintenance: &dyn Maintenance,
    deletion: &dyn BlockDelete,
    mode: ReclaimMode,
) {
    let blocks = four_mebibytes();
    put_all(store, &blocks);
    store.sync().expect("sync");
    let (gone, kept) = blocks.split_at(96);
    deletion.delete_many(&keys_of(gone)).expect("delete");
    store.sync().expect("sync");
    let full = maintenance.size_on_disk().expect("size");
    maintenance.full_reclaim_needs().expect("space that a full reclaim needs");
    let reclaimed = maintenance.reclaim(mode, &Interrupt::new()).expect("reclaim");
    assert_holds(store, kept);
    assert_lacks(store, gone);
    if mode == ReclaimMode::Full {
        let size = maintenance.size_on_disk().expect("size");
        assert!(size <= full, "3 MiB were deleted, but {full} became {size}");
        assert!(reclaimed.after <= reclaimed.before, "it says {reclaimed:?}");
    }
}
