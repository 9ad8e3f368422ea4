//! Tests on a disk that is full or broken: what still reads, and what still writes.

use std::cell::Cell;
use std::io;
use std::ops::Bound;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use splitstore_conformance::sample;
use splitstore_ports::{Block, BlockReadExt, BlockWrite, ErrorKind, PortError};
use tempfile::TempDir;

use crate::backend::Disk;
use crate::{RedbCold, RedbOptions};

/// What the disk does from now on; per thread, as each test has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// Files neither grow nor take new bytes.
    Full,
    /// Nothing is written.
    WriteFails,
    /// Syncs fail.
    SyncFails,
    /// The n-th changing call from now fails, and all after it, for want of space.
    FullAfter(u32),
}

thread_local! {
    static MOOD: Cell<Mood> = const { Cell::new(Mood::Well) };
}

#[derive(Debug)]
struct Moody(FileBackend);

impl Moody {
    fn change(fails_in: &[Mood], kind: io::ErrorKind) -> io::Result<()> {
        match MOOD.get() {
            Mood::FullAfter(0) => Err(io::ErrorKind::StorageFull.into()),
            Mood::FullAfter(calls) => {
                MOOD.set(Mood::FullAfter(calls - 1));
                Ok(())
            }
            mood if fails_in.contains(&mood) => Err(kind.into()),
            _ => Ok(()),
        }
    }
}

impl StorageBackend for Moody {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > self.0.len()? {
            Self::change(&[Mood::Full], io::ErrorKind::StorageFull)?;
        }
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if MOOD.get() == Mood::SyncFails {
            return Err(io::Error::other("sync failed"));
        }
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        Self::change(&[Mood::WriteFails], io::ErrorKind::Other)?;
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }
}

fn store_on(folder: &TempDir) -> RedbCold {
    let path = folder.path().join("cold.redb");
    RedbCold::open_on(Disk::bent(|file| Ok(Box::new(Moody(file)))), &path, RedbOptions::default()).unwrap()
}

fn put(store: &RedbCold, blocks: &[(cid::Cid, Vec<u8>)]) -> Result<(), PortError> {
    store.put_many(&blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect::<Vec<_>>())
}

fn assert_all(store: &RedbCold, blocks: &[(cid::Cid, Vec<u8>)]) {
    for (cid, data) in blocks {
        assert_eq!(store.get(cid).unwrap().as_ref(), Some(data), "{cid}");
    }
}

/// 2 MiB, more than a fresh file has room for.
fn too_much() -> Vec<(cid::Cid, Vec<u8>)> {
    (1000..1064).map(|n| sample::sized_block(n, 32 << 10)).collect()
}

#[test]
fn a_full_disk_leaves_the_store_readable_and_writable_once_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_on(&folder);
    let old = sample::blocks(0..100);
    put(&store, &old).unwrap();
    MOOD.set(Mood::Full);
    let error = put(&store, &too_much()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert_all(&store, &old);
    assert!(!store_has_any(&store, &too_much()), "a failed put leaves nothing");
    MOOD.set(Mood::Well);
    put(&store, &too_much()).unwrap();
    store.sync().unwrap();
    assert_all(&store, &old);
    assert_all(&store, &too_much());
}

#[test]
fn space_that_runs_out_at_any_call_loses_nothing_and_tears_nothing() {
    let mut failed = 0;
    for calls in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let store = store_on(&folder);
        let (old, new) = (sample::blocks(0..100), sample::blocks(200..300));
        put(&store, &old).unwrap();
        MOOD.set(Mood::FullAfter(calls));
        let done = put(&store, &new);
        MOOD.set(Mood::Well);
        if let Err(error) = &done {
            assert_eq!(error.kind(), ErrorKind::Full, "call {calls}: {error}");
            failed += 1;
        } else {
            assert_all(&store, &new);
        }
        assert_all(&store, &old);
        put(&store, &new).unwrap();
        drop(store);
        assert_all(&store_on(&folder), &new);
    }
    assert!(failed > 5, "the space ran out inside the put {failed} times");
}

#[test]
fn after_a_failed_sync_writes_are_refused_until_reopened_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_on(&folder);
    let old = sample::blocks(0..100);
    put(&store, &old).unwrap();
    MOOD.set(Mood::SyncFails);
    put(&store, &sample::blocks(200..210)).unwrap_err();
    MOOD.set(Mood::Well);
    assert_refused(&put(&store, &sample::blocks(300..310)).unwrap_err());
    assert_refused(&store.sync().unwrap_err());
    assert_all(&store, &old);
    drop(store);
    let store = store_on(&folder);
    put(&store, &sample::blocks(300..310)).unwrap();
    assert_all(&store, &old);
}

#[test]
fn after_a_failed_write_writes_are_refused_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_on(&folder);
    let old = sample::blocks(0..100);
    put(&store, &old).unwrap();
    MOOD.set(Mood::WriteFails);
    let error = put(&store, &sample::blocks(200..210)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    MOOD.set(Mood::Well);
    assert_refused(&put(&store, &sample::blocks(300..310)).unwrap_err());
    assert_all(&store, &old);
    assert!(!store_has_any(&store, &sample::blocks(200..210)));
}

fn store_has_any(store: &RedbCold, blocks: &[(cid::Cid, Vec<u8>)]) -> bool {
    blocks.iter().any(|(cid, _)| store.get(cid).unwrap().is_some())
}

fn assert_refused(error: &PortError) {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let why = std::error::Error::source(error).unwrap().to_string();
    assert!(why.contains("an earlier write failed"), "{why}");
}
