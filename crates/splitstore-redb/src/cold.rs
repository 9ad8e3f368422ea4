//! The cold tier: blocks in one redb file, each checked against its CID whenever it is read.

use std::fmt;
use std::path::Path;

use cid::Cid;
use splitstore_domain::digest::{self, BLAKE2B_256, IDENTITY, SHA2_256};
use splitstore_domain::{BlockKey, record};
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockWrite, ColdStore, ErrorKind, KeyCursor, KeyScan, Maintenance,
    PortError, Result,
};

use crate::backend::Disk;
use crate::beside::{self, Damage};
use crate::fault::Fault;
use crate::file::{Change, RedbFile, Table};
use crate::insert;
use crate::options::RedbOptions;
use crate::reader::{Reader, Value};
use crate::scan::Scan;

/// Multihash to record.
pub(crate) const BLOCKS: Table = Table::new("blocks.v1");

/// The cold tier on redb.
///
/// - `view`, `view_many` and `size` hash the data they found; what does not hash to its CID is `Corrupt`, with
///   the CID and the file. `has` looks at the key alone.
/// - What is not found is looked for beside its place: a block whose key has a turned bit is served all the same, as
///   its data hashes to its CID.
/// - `put_many` sorts its blocks by key and commits durably, so `sync` has nothing left to do. A block that is
///   there with the same data is not written again; one that is there with other data is damaged, and mended.
/// - After a failed commit or sync writes are refused until the store is opened anew; a commit that failed for
///   want of space changed nothing, and may be tried again.
/// - Give it large batches that follow one another in key order: each commit rewrites the pages it touches.
#[derive(Debug)]
pub struct RedbCold {
    pub(crate) file: RedbFile,
}

impl RedbCold {
    /// Opens the file, or makes an empty one; its folder must be there.
    ///
    /// `Locked` where another handle has it open. `Corrupt` where it is damaged, empty or not ours: it is left
    /// as it is. `TooNew` where a newer version wrote it.
    pub fn open(path: impl AsRef<Path>, options: RedbOptions) -> Result<Self> {
        Self::open_on(Disk::real(), path.as_ref(), options)
    }

    /// The same on a disk of a test; a file that is not there yet is made on the real one.
    #[cfg(feature = "fault-injection")]
    pub fn open_on_disk(disk: Disk, path: &Path, options: RedbOptions) -> Result<Self> {
        Self::open_on(disk, path, options)
    }

    pub(crate) fn open_on(disk: Disk, path: &Path, options: RedbOptions) -> Result<Self> {
        Ok(Self { file: RedbFile::open("cold store", path, BLOCKS, options, disk)? })
    }

    /// Shows a block's checked data, if it is there.
    fn look(&self, reader: &Reader<'_>, cid: &Cid, show: impl FnOnce(&[u8])) -> Result<bool> {
        let Some(value) = self.find(reader, cid)? else {
            return Ok(false);
        };
        show(self.checked(cid, &value)?);
        Ok(true)
    }

    /// The value of a block, also where a bit of its key has turned.
    fn find(&self, reader: &Reader<'_>, cid: &Cid) -> Result<Option<Value>> {
        let key = BlockKey::from(cid);
        let found = reader.get(key.as_bytes()).map_err(|fault| self.unread(cid, fault))?;
        if found.is_some() {
            return Ok(found);
        }
        let nearly = beside::find(reader, &key).map_err(|damage| self.undecided(cid, damage))?;
        Ok(nearly.filter(|value| self.checked(cid, value).is_ok()))
    }

    fn checked<'v>(&self, cid: &Cid, value: &'v Value) -> Result<&'v [u8]> {
        let stored = value.bytes().map_err(|fault| self.unread(cid, fault))?;
        let damaged = |source| PortError::new(ErrorKind::Corrupt, self.file.attempt(Reading(cid)), source);
        let (_, data) = record::decode(stored)
            .map_err(|error| damaged(Box::<dyn std::error::Error + Send + Sync>::from(error)))?;
        digest::verify(cid, data).map_err(|error| damaged(error.into()))?;
        Ok(data)
    }

    fn unread(&self, cid: &Cid, fault: Fault) -> PortError {
        self.file.failed(Reading(cid), fault)
    }

    fn undecided(&self, cid: &Cid, damage: Damage) -> PortError {
        match damage {
            Damage::Fault(fault) => self.unread(cid, fault),
            damage @ Damage::Order => {
                PortError::new(ErrorKind::Corrupt, self.file.attempt(Reading(cid)), damage)
            }
        }
    }
}

/// The phrase for errors, put together only when there is one.
#[derive(Clone, Copy)]
struct Reading<'a>(&'a Cid);

impl fmt::Display for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read block {} from", self.0)
    }
}

impl BlockRead for RedbCold {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let reader = Reader::begin(&self.file, Reading(cid))?;
        self.look(&reader, cid, read)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        let mut order: Vec<(BlockKey, usize)> = cids.iter().map(BlockKey::from).zip(0..).collect();
        order.sort_unstable();
        let reader = Reader::begin(&self.file, format_args!("read {} blocks from", cids.len()))?;
        for (_, index) in order {
            if let Some(cid) = cids.get(index) {
                self.look(&reader, cid, |data| read(index, data))?;
            }
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        let reader = Reader::begin(&self.file, Reading(cid))?;
        Ok(self.find(&reader, cid)?.is_some())
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        let mut size = None;
        self.view(cid, &mut |data| size = Some(data.len() as u64))?;
        Ok(size)
    }
}

impl BlockWrite for RedbCold {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        let verb = format_args!("put {} blocks into", blocks.len());
        self.file.check_writable(verb)?;
        // A block that can never be checked can never be read back: it must not get in.
        if let Some(block) = blocks.iter().find(|block| !can_be_checked(&block.cid)) {
            let cid = block.cid;
            let why = digest::DigestError::Unsupported { cid, code: cid.hash().code() };
            return Err(PortError::new(ErrorKind::Unsupported, self.file.attempt(verb), why));
        }
        if blocks.is_empty() {
            return Ok(());
        }
        let sorted = insert::sorted(blocks);
        self.file.write(verb, |transaction| insert::insert(&mut transaction.open_table(BLOCKS)?, &sorted))
    }

    fn sync(&self) -> Result<()> {
        self.file.check_writable("sync")
    }
}

impl BlockDelete for RedbCold {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        let verb = format_args!("delete {} blocks from", keys.len());
        self.file.check_writable(verb)?;
        if keys.is_empty() {
            return Ok(());
        }
        let mut sorted: Vec<&BlockKey> = keys.iter().collect();
        sorted.sort_unstable();
        self.file.write(verb, |transaction| {
            let mut table = transaction.open_table(BLOCKS)?;
            let mut change = Change::None;
            for key in sorted {
                if table.remove(key.as_bytes())?.is_some() {
                    change = Change::Some;
                }
            }
            Ok(change)
        })
    }
}

impl KeyScan for RedbCold {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        Ok(Box::new(Scan::begin(&self.file)?))
    }
}

impl ColdStore for RedbCold {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        Some(self)
    }

    fn deletion(&self) -> Option<&dyn BlockDelete> {
        Some(self)
    }
}

/// Whether [`digest::verify`] knows the hash.
fn can_be_checked(cid: &Cid) -> bool {
    matches!(cid.hash().code(), IDENTITY | SHA2_256 | BLAKE2B_256)
}
