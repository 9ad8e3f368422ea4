//! One redb file: who may use its handle, when it is opened anew, and when it takes no more writes.
//!
//! ```text
//!   handle     reads and writes share it; opening anew and compacting have it alone
//!
//!   open --failed I/O or panic--> spoiled --next call--> opened anew, as of the last durable commit
//!   writable --failed sync, damage, or a failed write not for want of space--> refused, until dropped
//! ```
//! Why it is opened anew: after one failed I/O call redb fails all later ones, reads too, so a full disk or one
//! damaged page would take every other block along. Why writes stay refused after a failed sync all the same:
//! what the kernel dropped once it will not write on a second try.
//!
//! Nobody waits for somebody who only waits: a share is given as long as others hold one, and whoever wants the
//! handle alone gets it at the first instant at which nobody does, or gives up after some [`SLICE`]s.

use std::cell::Cell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, TableDefinition, TableHandle, WriteTransaction};
use splitstore_ports::domain::ByteCount;
use splitstore_ports::{ErrorKind, Interrupt, PortError, Result};

use crate::backend::{Disk, DiskFailed};
use crate::create;
use crate::fault::{Fault, calmly};
use crate::options::RedbOptions;

/// The one table of a file: bytes to bytes. Its name ends in the layout's version.
pub(crate) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// How long to wait for the handle at a time; in between the interrupt is asked.
const SLICE: Duration = Duration::from_millis(100);

thread_local! {
    /// How many shares this thread holds: above zero it would wait for itself.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// What a write transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Something: commit it.
    Some,
    /// Nothing: there is no need to touch the disk.
    None,
}

/// A redb file with one table.
pub(crate) struct RedbFile {
    path: PathBuf,
    noun: &'static str,
    table: Table,
    options: RedbOptions,
    disk: Disk,
    database: RwLock<Option<Database>>,
    spoiled: AtomicBool,
    disk_failed: DiskFailed,
    refusal: OnceLock<String>,
}

/// Use of the handle, shared.
pub(crate) struct Held<'a>(RwLockReadGuard<'a, Option<Database>>);

impl<'a> Held<'a> {
    fn new(guard: RwLockReadGuard<'a, Option<Database>>) -> Self {
        HELD.set(HELD.get() + 1);
        Self(guard)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}

impl RedbFile {
    /// Opens the file, or makes an empty one. `noun` is what messages call it.
    pub(crate) fn open(
        noun: &'static str,
        path: &Path,
        table: Table,
        options: RedbOptions,
        disk: Disk,
    ) -> Result<Self> {
        let file = Self {
            path: path.to_owned(),
            noun,
            table,
            options,
            disk,
            database: RwLock::new(None),
            spoiled: AtomicBool::new(false),
            disk_failed: DiskFailed::default(),
            refusal: OnceLock::new(),
        };
        create::remove_unfinished(path)
            .map_err(|source| PortError::io(file.attempt("clear unfinished files beside"), source))?;
        if let Err(error) = fs::symlink_metadata(path)
            && error.kind() == std::io::ErrorKind::NotFound
        {
            create::create(path, table).map_err(|fault| fault.into_port(file.attempt("create")))?;
        }
        *file.database.write() = Some(file.open_handle()?);
        Ok(file)
    }

    pub(crate) const fn table(&self) -> Table {
        self.table
    }

    /// A phrase for errors: what was attempted with which file.
    pub(crate) fn attempt(&self, verb: impl fmt::Display) -> String {
        format!("{verb} {} {}", self.noun, self.path.display())
    }

    /// Notes what a fault means for the handle and makes the port's error of it.
    pub(crate) fn failed(&self, verb: impl fmt::Display, fault: Fault) -> PortError {
        if fault.spoils_handle() {
            self.spoiled.store(true, Ordering::Release);
        }
        fault.into_port(self.attempt(verb))
    }

    /// Takes a share of the handle and gives it to `work`.
    pub(crate) fn with<R>(
        &self,
        verb: impl fmt::Display,
        work: impl FnOnce(&Database) -> Result<R, redb::Error>,
    ) -> Result<(Held<'_>, R)> {
        if self.spoiled.load(Ordering::Acquire) && HELD.get() == 0 {
            self.open_anew()?;
        }
        // Recursive: a plain read would queue behind whoever waits to have the handle alone.
        let held = Held::new(self.database.read_recursive());
        let Some(database) = held.0.as_ref() else {
            return Err(PortError::bare(ErrorKind::Unavailable, self.attempt(verb)));
        };
        match calmly(|| work(database)) {
            Ok(done) => Ok((held, done)),
            Err(fault) => Err(self.failed(verb, fault)),
        }
    }

    /// One write transaction, durable when this returns; all of it or nothing.
    pub(crate) fn write(
        &self,
        verb: impl fmt::Display + Copy,
        work: impl FnOnce(&WriteTransaction) -> Result<Change, redb::Error>,
    ) -> Result<()> {
        self.check_writable(verb)?;
        let written = self.with(verb, |database| {
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(true);
            match work(&transaction)? {
                Change::Some => Ok(transaction.commit()?),
                Change::None => Ok(transaction.abort()?),
            }
        });
        if let Err(error) = &written {
            self.refuse_after(error);
        }
        written.map(drop)
    }

    /// Refuses a write after a failed one.
    pub(crate) fn check_writable(&self, verb: impl fmt::Display) -> Result<()> {
        match self.refusal.get() {
            None => Ok(()),
            Some(reason) => Err(PortError::new(
                ErrorKind::Unavailable,
                self.attempt(verb),
                format!("an earlier write failed ({reason}); nothing is written until the store is reopened"),
            )),
        }
    }

    /// Compacts the file once nobody else uses the handle; gives up waiting after `slices`.
    ///
    /// The handle is closed and opened again after it: closing cuts the file to what is used and keeps what
    /// quick repair needs, where a commit to the same end would first make the file grow by a third.
    pub(crate) fn compact(
        &self,
        verb: impl fmt::Display + Copy,
        slices: u32,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let mut guard = self.wait_alone(verb, slices, interrupt)?;
        let Some(database) = guard.as_mut() else {
            return Err(PortError::bare(ErrorKind::Unavailable, self.attempt(verb)));
        };
        if let Err(fault) = calmly(|| Ok(database.compact()?)) {
            let error = self.failed(verb, fault);
            self.refuse_after(&error);
            return Err(error);
        }
        drop_calmly(guard.take());
        self.spoiled.store(true, Ordering::Release);
        *guard = Some(self.open_handle()?);
        self.spoiled.store(false, Ordering::Release);
        Ok(())
    }

    /// The folder that it is in.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty())
    }

    /// Bytes of the file.
    pub(crate) fn size(&self) -> Result<ByteCount> {
        let metadata = fs::metadata(&self.path);
        metadata
            .map(|metadata| ByteCount(metadata.len()))
            .map_err(|source| PortError::io(self.attempt("measure"), source))
    }

    fn wait_alone(
        &self,
        verb: impl fmt::Display + Copy,
        slices: u32,
        interrupt: &Interrupt,
    ) -> Result<RwLockWriteGuard<'_, Option<Database>>> {
        // Whoever holds a share would wait for itself.
        let slices = if HELD.get() == 0 { slices } else { 0 };
        for _ in 0..slices {
            interrupt.check(&self.attempt(verb))?;
            if let Some(guard) = self.database.try_write_for(SLICE) {
                return Ok(guard);
            }
        }
        let why = "reads or scans are under way and did not end in time";
        Err(PortError::new(ErrorKind::Unavailable, self.attempt(verb), why))
    }

    /// Drops a spoiled handle and opens the file again. Where others still use the handle it stays: what they
    /// hold is in memory, and the next call tries again.
    fn open_anew(&self) -> Result<()> {
        let Some(mut guard) = self.database.try_write_for(SLICE) else {
            return Ok(());
        };
        if self.spoiled.load(Ordering::Acquire) {
            drop_calmly(guard.take());
            *guard = Some(self.open_handle()?);
            self.spoiled.store(false, Ordering::Release);
        }
        Ok(())
    }

    fn open_handle(&self) -> Result<Database> {
        self.check_kind()?;
        let file = fs::OpenOptions::new().read(true).write(true).open(&self.path);
        let file = file.map_err(|source| PortError::io(self.attempt("open"), source))?;
        let opened = calmly(|| {
            let backend = self.disk.watch(FileBackend::new(file)?, self.disk_failed.clone())?;
            Ok(Database::builder().set_cache_size(self.options.cache_bytes()).create_with_backend(backend)?)
        });
        let database = opened.map_err(|fault| self.not_opened(fault))?;
        match calmly(|| self.check_table(&database)) {
            Ok(None) => Ok(database),
            Ok(Some(kind)) => Err(PortError::new(kind, self.attempt("open"), self.foreign())),
            Err(fault) => Err(self.not_opened(fault)),
        }
    }

    /// redb would make a database of an empty file, follow links, and wait for ever on a pipe.
    fn check_kind(&self) -> Result<()> {
        let metadata = fs::symlink_metadata(&self.path);
        let metadata = metadata.map_err(|source| PortError::io(self.attempt("open"), source))?;
        let why = if !metadata.is_file() {
            "it is no regular file"
        } else if metadata.len() == 0 {
            "the file is empty; nothing was changed: restore it"
        } else {
            return Ok(());
        };
        Err(PortError::new(ErrorKind::Corrupt, self.attempt("open"), why))
    }

    /// The kind of error if the file is a redb file but not ours.
    fn check_table(&self, database: &Database) -> Result<Option<ErrorKind>, redb::Error> {
        let transaction = database.begin_read()?;
        let ours = self.table.name();
        let family = ours.trim_end_matches(|c: char| c.is_ascii_digit());
        let mut kind = ErrorKind::Corrupt;
        for table in transaction.list_tables()? {
            if table.name() == ours {
                transaction.open_table(self.table)?;
                return Ok(None);
            }
            if table.name().starts_with(family) {
                kind = ErrorKind::TooNew;
            }
        }
        Ok(Some(kind))
    }

    fn foreign(&self) -> String {
        format!("the redb file has no table {}", self.table.name())
    }

    fn not_opened(&self, fault: Fault) -> PortError {
        let way_out = "; nothing was changed: restore it, or make a new store and import the chain into that";
        let way_out = if fault.kind() == ErrorKind::Corrupt { way_out } else { "" };
        let attempt = self.attempt("open");
        fault.into_port(format!("{attempt}{way_out}"))
    }

    /// A write that failed for want of space changed nothing and may be tried again; after a failed sync, or a
    /// write into a damaged tree, none may.
    fn refuse_after(&self, error: &PortError) {
        if self.disk_failed.load(Ordering::Acquire) || error.kind() == ErrorKind::Corrupt {
            let reason =
                std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            self.refusal.get_or_init(|| reason);
        }
    }
}

impl Drop for RedbFile {
    fn drop(&mut self) {
        drop_calmly(self.database.get_mut().take());
    }
}

impl fmt::Debug for RedbFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbFile")
            .field("path", &self.path)
            .field("table", &self.table.name())
            .finish_non_exhaustive()
    }
}

/// A handle whose locks a panic poisoned may panic once more as it closes; the file is then as after a crash.
fn drop_calmly(database: Option<Database>) {
    let closed = calmly(move || {
        drop(database);
        Ok(())
    });
    debug_assert!(!matches!(closed, Err(Fault::Redb(_))), "closing reports nothing");
}
