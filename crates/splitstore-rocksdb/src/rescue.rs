//! Copies what can be read of a damaged hot tier into a new one. RocksDB ends every scan, and every compaction of its own, at
//! a page whose checksum is wrong; so a tier with one turned bit can be read block by block, but no longer be kept small.
//!
//! ```text
//!   checked     k k k k X                        k k k k ..      the engine's own scan, until a page fails its checksum
//!   unchecked           k ? k k, each time tried again /         the next entry that hashes to its key
//!   gap                     X .. X                               where there is none: further on, twice as far each time
//! ```
//! **Hashed.** All that is copied hashes to its key, where the hash is one that we know. Of an unchecked entry nothing
//! vouches for the codec, which no hash covers: a raw block and one of DAG-CBOR are two bits apart, others only one; so only
//! those two are believed. What is not is lost, and named by its key if that could be read.
//!
//! **Not copied** are notes: of marks, as no sealed run may be under way; of links, so the link index must go as well.
//! A deletion that the damage hides may bring back a dead block: the next compaction takes it again.

use std::collections::BTreeSet;

use cid::Cid;
use rocksdb::{DBRawIterator, ErrorKind as Rocks, ReadOptions};
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_domain::{BlockKey, ByteCount, digest, note, record};
use splitstore_ports::{Block, BlockRead, BlockWrite, Result};

use crate::RocksHot;
use crate::error::failed;
use crate::scan::READAHEAD;

/// What came of a rescue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rescued {
    /// Blocks copied.
    pub blocks: u64,
    /// Bytes of their data.
    pub bytes: ByteCount,
    /// Keys, as they were read, of blocks that are damaged.
    pub lost: Vec<BlockKey>,
    /// Places from where on nothing could be read.
    pub gaps: u64,
}

impl RocksHot {
    /// Copies all blocks that can be read to a tier that has none, and syncs that.
    ///
    /// Errors: of the new tier; of the old one all but damage.
    pub fn rescue_to(&self, new: &Self) -> Result<Rescued> {
        let mut copy = Copying::to(new);
        let mut at = Place::start(self)?;
        while self.copy_checked(&mut at, &mut copy)? == Ended::AtDamage
            && self.copy_unchecked(&mut at, &mut copy)? == Ended::AtDamage
        {}
        copy.end()
    }

    /// All from here to the end, or to a damaged page.
    fn copy_checked(&self, at: &mut Place, copy: &mut Copying<'_>) -> Result<Ended> {
        let mut iter = self.db.raw_iterator_opt(reading(Trust::Checked));
        iter.seek(&at.next);
        while let Some((key, value)) = iter.item() {
            at.pass(key);
            copy.take(key, value, Trust::Checked)?;
            iter.next();
        }
        self.ended(&iter)
    }

    /// The next whole entry, whatever the checksum of its page is; one step further on where none can be read.
    ///
    /// Only a key that its data vouches for is one to go on from: a damaged one may stand far behind its place, even behind
    /// the end.
    fn copy_unchecked(&self, at: &mut Place, copy: &mut Copying<'_>) -> Result<Ended> {
        let mut iter = self.db.raw_iterator_opt(reading(Trust::Unchecked));
        iter.seek(&at.next);
        for _ in 0..PAGE_ENTRIES {
            let Some((key, value)) = iter.item() else { break };
            // Behind a key that reads as a later one stand keys that were passed already.
            let is_new = key >= at.next.as_slice();
            if is_new && copy.take(key, value, Trust::Unchecked)? {
                at.pass(key);
                return Ok(Ended::AtDamage);
            }
            iter.next();
        }
        self.ended(&iter)?;
        copy.rescued.gaps += u64::from(at.is_at_edge());
        Ok(if at.leap() { Ended::AtDamage } else { Ended::AtEnd })
    }

    fn ended(&self, iter: &DBRawIterator<'_>) -> Result<Ended> {
        match iter.status() {
            Ok(()) => Ok(Ended::AtEnd),
            Err(error) if error.kind() == Rocks::Corruption => Ok(Ended::AtDamage),
            Err(error) => Err(failed(format!("rescue hot tier {}", self.path.display()), error)),
        }
    }
}

fn reading(trust: Trust) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_verify_checksums(trust == Trust::Checked);
    // What one reading has cached another would take for checked.
    options.fill_cache(false);
    options.set_readahead_size(if trust == Trust::Checked { READAHEAD } else { 0 });
    options.set_iterate_upper_bound(note::FIRST);
    options
}

/// Why a reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    AtEnd,
    AtDamage,
}

/// Whether the engine has checked the page that an entry is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Checked,
    Unchecked,
}

/// Where the next reading begins.
struct Place {
    next: Vec<u8>,
    /// The least key of all tables: what lies before it is damaged nowhere.
    first: Vec<u8>,
    /// How far the next leap goes, in the number that a key's first bytes make.
    leap: u128,
}

/// The first leap over what cannot be read: a billion blocks lie a thousand times as far apart.
const FIRST_LEAP: u128 = 1 << 24;
/// More than a page has, and enough to come out of a damaged one; where no hash is known nothing would end it.
const PAGE_ENTRIES: usize = 4096;
/// So many bytes of a key are leapt in; the last eight of them are digest in every key.
const LEAPING: usize = 12;

impl Place {
    fn start(store: &RocksHot) -> Result<Self> {
        let files = store.db.live_files();
        let files =
            files.map_err(|error| failed(format!("list files of {}", store.path.display()), error))?;
        let first = files.into_iter().filter_map(|file| file.start_key).min().unwrap_or_default();
        Ok(Self { next: Vec::new(), first, leap: FIRST_LEAP })
    }

    /// Behind this key.
    fn pass(&mut self, key: &[u8]) {
        self.next.clear();
        self.next.extend_from_slice(key);
        self.next.push(0);
        self.leap = FIRST_LEAP;
    }

    const fn is_at_edge(&self) -> bool {
        self.leap == FIRST_LEAP
    }

    /// Further on; `false` behind all keys.
    fn leap(&mut self) -> bool {
        if self.next < self.first {
            self.next.clone_from(&self.first);
        }
        self.next.resize(LEAPING, 0);
        let number = self.next.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        let number = number + self.leap;
        self.leap *= 2;
        self.next.copy_from_slice(&number.to_be_bytes()[size_of::<u128>() - LEAPING..]);
        number >> (8 * LEAPING) == 0
    }
}

/// Bytes that are written at once.
const AT_ONCE: usize = 4 << 20;

/// The new tier, and what is on its way there.
struct Copying<'a> {
    new: &'a RocksHot,
    waiting: Vec<(Cid, Vec<u8>)>,
    bytes: usize,
    lost: BTreeSet<BlockKey>,
    rescued: Rescued,
}

impl<'a> Copying<'a> {
    fn to(new: &'a RocksHot) -> Self {
        Self { new, waiting: Vec::new(), bytes: 0, lost: BTreeSet::new(), rescued: Rescued::default() }
    }

    /// Whether the block was whole and is on its way.
    fn take(&mut self, key: &[u8], value: &[u8], trust: Trust) -> Result<bool> {
        // What is no key at all has no name to be lost under.
        let Ok(key) = BlockKey::from_bytes(key) else { return Ok(false) };
        let whole = record::decode(value).ok().filter(|(codec, data)| is_whole(&key, *codec, data, trust));
        let Some((codec, data)) = whole else {
            self.lost.insert(key);
            return Ok(false);
        };
        self.rescued.blocks += 1;
        self.rescued.bytes += ByteCount(data.len() as u64);
        self.bytes += data.len();
        self.waiting.push((key.to_cid(codec), data.to_vec()));
        if self.bytes >= AT_ONCE {
            self.write()?;
        }
        Ok(true)
    }

    /// All has been read. Under a name that was lost somewhere a whole block may have been found elsewhere.
    fn end(mut self) -> Result<Rescued> {
        self.write()?;
        self.new.sync()?;
        for key in self.lost {
            if !self.new.has(&key.to_cid(RAW))? {
                self.rescued.lost.push(key);
            }
        }
        Ok(self.rescued)
    }

    fn write(&mut self) -> Result<()> {
        let blocks: Vec<Block<'_>> =
            self.waiting.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        self.new.put_many(&blocks)?;
        self.waiting.clear();
        self.bytes = 0;
        Ok(())
    }
}

fn is_whole(key: &BlockKey, codec: u64, data: &[u8], trust: Trust) -> bool {
    let cid = key.to_cid(codec);
    if !digest::is_supported(cid.hash().code()) {
        return trust == Trust::Checked;
    }
    let is_believed = trust == Trust::Checked || matches!(codec, RAW | DAG_CBOR);
    is_believed && digest::verify(&cid, data).is_ok()
}
