//! redb's file, watched: whether a sync or a write ever failed decides whether writes may go on.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// Raised when a sync failed, or a write for another reason than want of space; shared with the handles that
/// are opened later on the same file.
pub(crate) type DiskFailed = Arc<AtomicBool>;

/// What stands between redb and its file.
type Layer = dyn Fn(FileBackend) -> io::Result<Box<dyn StorageBackend>> + Send + Sync;

/// How redb reaches the disk: as it is, or as a test bends it.
#[cfg_attr(
    not(feature = "fault-injection"),
    allow(unreachable_pub, reason = "it is public with the feature")
)]
#[derive(Clone)]
pub struct Disk(Arc<Layer>);

impl Disk {
    /// The disk as it is.
    pub(crate) fn real() -> Self {
        Self(Arc::new(|file| Ok(Box::new(file))))
    }

    /// The disk behind a layer that is made whenever the file is opened.
    #[cfg(any(test, feature = "fault-injection"))]
    pub fn bent(
        layer: impl Fn(FileBackend) -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(layer))
    }

    pub(crate) fn watch(&self, file: FileBackend, failed: DiskFailed) -> io::Result<Watched> {
        Ok(Watched { inner: (self.0)(file)?, failed })
    }
}

/// Passes every call on and notes failures.
#[derive(Debug)]
pub(crate) struct Watched {
    inner: Box<dyn StorageBackend>,
    failed: DiskFailed,
}

impl Watched {
    fn noted(&self, done: io::Result<()>) -> io::Result<()> {
        if let Err(error) = &done
            && !for_want_of_space(error.kind())
        {
            self.failed.store(true, Ordering::Release);
        }
        done
    }
}

/// Whether there was no room, or no leave, for more bytes.
pub(crate) fn for_want_of_space(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.noted(self.inner.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.inner.sync_data();
        if synced.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.noted(self.inner.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
