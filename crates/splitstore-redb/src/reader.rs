//! One read transaction on a file's table.

use std::fmt;

use redb::{AccessGuard, ReadOnlyTable, ReadableDatabase};
use splitstore_ports::Result;

use crate::fault::{Fault, calmly};
use crate::file::{Held, RedbFile};

/// The table as of the moment this was made. It is made anew for every call: an older one would not show what
/// was committed since.
pub(crate) struct Reader<'a> {
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
    // After the table, so that it is let go of last.
    _held: Held<'a>,
}

impl<'a> Reader<'a> {
    /// Begins a read; `verb` is for errors.
    pub(crate) fn begin(file: &'a RedbFile, verb: impl fmt::Display) -> Result<Self> {
        let (held, table) =
            file.with(verb, |database| Ok(database.begin_read()?.open_table(file.table())?))?;
        Ok(Self { table, _held: held })
    }

    pub(crate) fn table(&self) -> &ReadOnlyTable<&'static [u8], &'static [u8]> {
        &self.table
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Value>, Fault> {
        let found = calmly(|| Ok(self.table.get(key)?))?;
        Ok(found.map(Value))
    }
}

/// A value in redb's own memory, shown without a copy; to be dropped before its reader.
pub(crate) struct Value(AccessGuard<'static, &'static [u8]>);

impl Value {
    pub(crate) const fn new(value: AccessGuard<'static, &'static [u8]>) -> Self {
        Self(value)
    }

    /// Its bytes; a fault where the page they lie in is damaged.
    pub(crate) fn bytes(&self) -> Result<&[u8], Fault> {
        calmly(|| Ok(self.0.value()))
    }
}
