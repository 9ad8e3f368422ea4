//! All keys of the file as of one moment, in order.
//!
//! redb checks nothing as it reads, so the scan checks what keys alone can tell: each is a multihash, they
//! ascend, and there are as many as the tree claims. It does not hash data: that would read every block.

use redb::{Range, ReadableTableMetadata};
use splitstore_domain::{BlockKey, record};
use splitstore_ports::{ErrorKind, KeyCursor, KeyEntry, PortError, Result};
use thiserror::Error;

use crate::fault::{Fault, calmly};
use crate::file::RedbFile;
use crate::reader::Reader;

const VERB: &str = "scan the keys of";

type Entries = Range<'static, &'static [u8], &'static [u8]>;

/// What is wrong with a stored entry.
#[derive(Debug, Error)]
enum Damage {
    #[error("after {seen} keys: {source}")]
    Key { seen: u64, source: splitstore_domain::KeyError },
    #[error("record of {key}: {source}")]
    Record { key: BlockKey, source: record::RecordError },
    #[error("key {key} does not come after {last}")]
    Order { key: BlockKey, last: BlockKey },
    #[error("{seen} keys where the tree claims {claimed}")]
    Count { seen: u64, claimed: u64 },
}

/// A scan under way. It pins the pages of its moment; dropping it frees them.
pub(crate) struct Scan<'a> {
    // Before the reader, which keeps the transaction that the range reads.
    range: Entries,
    reader: Reader<'a>,
    file: &'a RedbFile,
    last: Option<BlockKey>,
    seen: u64,
    ended: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn begin(file: &'a RedbFile) -> Result<Self> {
        let reader = Reader::begin(file, VERB)?;
        let range = calmly(|| Ok(reader.table().range::<&[u8]>(..)?));
        let range = range.map_err(|fault| file.failed(VERB, fault))?;
        Ok(Self { range, reader, file, last: None, seen: 0, ended: false })
    }

    fn next_entry(&mut self) -> Result<Option<KeyEntry>> {
        let range = &mut self.range;
        let entry = calmly(|| {
            let Some(entry) = range.next() else { return Ok(None) };
            let (key, value) = entry?;
            let stored = value.value();
            let decoded = record::decode(stored).map(|(codec, data)| (codec, data.len() as u64));
            Ok(Some((BlockKey::from_bytes(key.value()), decoded)))
        });
        let seen = self.seen;
        match entry.map_err(|fault: Fault| self.file.failed(VERB, fault))? {
            None => self.end().map(|()| None),
            Some((key, decoded)) => {
                let key = key.map_err(|source| self.damaged(Damage::Key { seen, source }))?;
                let (codec, size) =
                    decoded.map_err(|source| self.damaged(Damage::Record { key: key.clone(), source }))?;
                self.check_order(&key)?;
                Ok(Some(KeyEntry { key, codec, size }))
            }
        }
    }

    fn check_order(&mut self, key: &BlockKey) -> Result<()> {
        if let Some(last) = self.last.take()
            && last >= *key
        {
            return Err(self.damaged(Damage::Order { key: key.clone(), last }));
        }
        self.last = Some(key.clone());
        self.seen += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        let table = self.reader.table();
        let claimed = calmly(|| Ok(table.len()?)).map_err(|fault| self.file.failed(VERB, fault))?;
        if claimed == self.seen {
            return Ok(());
        }
        Err(self.damaged(Damage::Count { seen: self.seen, claimed }))
    }

    fn damaged(&self, damage: Damage) -> PortError {
        PortError::new(ErrorKind::Corrupt, self.file.attempt(VERB), damage)
    }
}

impl KeyCursor for Scan<'_> {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()> {
        for _ in 0..max {
            if self.ended {
                break;
            }
            match self.next_entry()? {
                Some(entry) => batch.push(entry),
                None => break,
            }
        }
        Ok(())
    }
}
