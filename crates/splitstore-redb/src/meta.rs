//! The store's own few values, in a redb file of their own.
//!
//! ```text
//!   key     the cell's name
//!   value   blake2b-256 of (name | value)   32 bytes
//!           value                           the rest
//! ```
//! redb does not check what it reads, and a wrong base epoch would be believed: hence the checksum.

use std::path::Path;

use splitstore_domain::digest::blake2b_256;
use splitstore_ports::domain::ByteCount;
use splitstore_ports::{ErrorKind, MetaCell, MetaStore, PortError, Result};

use crate::backend::Disk;
use crate::fault::{Fault, calmly};
use crate::file::{Change, RedbFile, Table};
use crate::options::RedbOptions;
use crate::reader::Reader;

const CELLS: Table = Table::new("cells.v1");
const CHECKSUM: usize = 32;
/// A handful of pages.
const CACHE: ByteCount = ByteCount(1024 * 1024);

/// Metadata on redb; durable when `set_many` returns.
#[derive(Debug)]
pub struct RedbMeta {
    file: RedbFile,
}

impl RedbMeta {
    /// Opens the file, or makes an empty one. Its folder must be there. Errors as for [`crate::RedbCold::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_on(Disk::real(), path.as_ref())
    }

    /// The same on a disk of a test; a file that is not there yet is made on the real one.
    #[cfg(feature = "fault-injection")]
    pub fn open_on_disk(disk: Disk, path: &Path) -> Result<Self> {
        Self::open_on(disk, path)
    }

    fn open_on(disk: Disk, path: &Path) -> Result<Self> {
        let options = RedbOptions::default().with_cache(CACHE);
        Ok(Self { file: RedbFile::open("metadata", path, CELLS, options, disk)? })
    }
}

impl MetaStore for RedbMeta {
    fn get(&self, cell: MetaCell) -> Result<Option<Vec<u8>>> {
        let verb = format_args!("read cell {} from", cell.name());
        let reader = Reader::begin(&self.file, verb)?;
        let found = reader.get(cell.name().as_bytes()).map_err(|fault| self.file.failed(verb, fault))?;
        let damaged = |why| PortError::new(ErrorKind::Corrupt, self.file.attempt(verb), why);
        let Some(value) = found else {
            return match stray(&reader).map_err(|fault| self.file.failed(verb, fault))? {
                None => Ok(None),
                Some(name) => {
                    Err(damaged(format!("it is not there, and cell {name:?} is none: a damaged name")))
                }
            };
        };
        let stored = value.bytes().map_err(|fault| self.file.failed(verb, fault))?;
        let value = checked(cell.name().as_bytes(), stored);
        value.map(|value| Some(value.to_vec())).ok_or_else(|| damaged("its checksum does not match".into()))
    }

    fn set_many(&self, values: &[(MetaCell, Vec<u8>)]) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        self.file.write(format_args!("set {} cells of", values.len()), |transaction| {
            let mut table = transaction.open_table(CELLS)?;
            for (cell, value) in values {
                let name = cell.name().as_bytes();
                let stored = [&checksum_of(name, value), value.as_slice()].concat();
                table.insert(name, stored.as_slice())?;
            }
            Ok(Change::Some)
        })
    }
}

/// The name of a cell that does not go with its value: redb checks no names, and one with a turned bit would make its
/// cell look as if it had never been set. There are a handful of cells.
fn stray(reader: &Reader<'_>) -> Result<Option<String>, Fault> {
    calmly(|| {
        for entry in reader.table().range::<&[u8]>(..)? {
            let (name, stored) = entry?;
            if checked(name.value(), stored.value()).is_none() {
                return Ok(Some(String::from_utf8_lossy(name.value()).into_owned()));
            }
        }
        Ok(None)
    })
}

/// The value in what is stored under a name, if its checksum is right.
fn checked<'v>(name: &[u8], stored: &'v [u8]) -> Option<&'v [u8]> {
    let (checksum, value) = stored.split_at_checked(CHECKSUM)?;
    (checksum == checksum_of(name, value)).then_some(value)
}

fn checksum_of(name: &[u8], value: &[u8]) -> [u8; CHECKSUM] {
    blake2b_256(&[name, value].concat())
}
