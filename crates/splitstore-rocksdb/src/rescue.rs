//! Copies what can be read of a damaged hot tier into a new one. RocksDB ends every scan, and every compaction of its own, at
//! a page whose checksum is wrong; so a tier with one turned bit can be read block by block, but no longer be kept small.
//!
//! ```text
//!   checked     k k k k X                  k k k k ..      the engine's own scan, until a page fails its checksum
//!   page                k ? k k                            that page, read past the engine: all that hashes to its key (`page.rs`)
//!   behind it                   . . |                      the first place from which the engine reads on: leaps, then halves
//! ```
//! **Never unchecked.** The engine could read on without its checksums, but then it believes lengths and keys that nobody checked:
//! its search steps over sound blocks, and turned bits in lengths have ended the process. A damaged page is read here, each length against
//! what is there, entry after entry and from each restart. A block whose key ends a few bits from a hash of its data is taken under the hash.
//!
//! **Gaps.** Where the entries do not fill the page to its end, or one has no name, or the page is compressed, or none of data, or another
//! table has keys among those of the page, nobody knows what else was there.
//!
//! **Hashed.** All that is copied hashes to its key, where the hash is one that we know. Of an unchecked entry nothing
//! vouches for the codec, which no hash covers: a raw block and one of DAG-CBOR are two bits apart, others only one; so only
//! those two are believed. What is not is lost, and named by its key if that could be read.
//!
//! **Not copied** are notes: of marks, as no sealed run may be under way; of links, so the link index must go as well.
//! A deletion that the damage hides may bring back a dead block: the next compaction takes it again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cid::Cid;
use cid::multihash::Multihash;
use rocksdb::{DBRawIterator, ErrorKind as Rocks, LiveFile, ReadOptions};
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_domain::{BlockKey, ByteCount, digest, note, record};
use splitstore_ports::{Block, BlockRead, BlockWrite, PortError, Result};

use crate::RocksHot;
use crate::error::failed;
use crate::page::{self, Again, Extent};
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
        let (mut at, mut copy) = (Place::start(self)?, Copying::to(new));
        let mut stuck = Stuck { had: u64::MAX, leap: LEAST_LEAP };
        while let Some(damage) = self.copy_checked(&mut at, &mut copy)? {
            let from = at.next.clone();
            if let Some(last) = self.copy_page(&damage, &mut copy)? {
                at.pass_page(&last);
            }
            let goes_on = self.pass_damage(&mut at, &damage)?;
            if !goes_on || (at.next == from && !at.leap(stuck.leap(copy.rescued.blocks))) {
                break;
            }
            copy.rescued.gaps += u64::from(at.other_table_in(&from, &damage));
        }
        copy.end()
    }

    /// All from here to the end, or to a damaged page: what the engine says of it.
    fn copy_checked(&self, at: &mut Place, copy: &mut Copying<'_>) -> Result<Option<String>> {
        let mut iter = self.db.raw_iterator_opt(reading(READAHEAD));
        iter.seek(&at.next);
        while let Some((key, value)) = iter.item() {
            at.pass(key);
            copy.take(key, value)?;
            iter.next();
        }
        self.damage(&iter)
    }

    /// All that is whole in the page that the engine complains of; the last key of it.
    fn copy_page(&self, damage: &str, copy: &mut Copying<'_>) -> Result<Option<BlockKey>> {
        if !copy.seen.insert(damage.to_owned()) {
            return Ok(None);
        }
        let page = page::Place::parse(damage).map(|place| place.read(&self.path)).transpose();
        let page = page
            .map_err(|error| {
                PortError::io(format!("read a damaged page of hot tier {}", self.path.display()), error)
            })?
            .flatten();
        let (extent, last) = page.map_or(Ok((Extent::Broken, None)), |page| copy.take_page(&page))?;
        copy.rescued.gaps += u64::from(extent == Extent::Broken);
        Ok(last)
    }

    /// Goes to the first place, about, from which the engine does not complain of this page; `false` if there is none.
    fn pass_damage(&self, at: &mut Place, damage: &str) -> Result<bool> {
        // One that has failed answers for the next page as for this one: each look is by a new one.
        let is_passed = |from: &[u8]| {
            let mut iter = self.db.raw_iterator_opt(reading(0));
            iter.seek(from);
            self.damage(&iter).map(|found| found.as_deref() != Some(damage))
        };
        if is_passed(&at.next)? {
            return Ok(true);
        }
        let (mut before, mut leap) = (at.number(), LEAST_LEAP);
        let mut behind = loop {
            let Some(number) = before.checked_add(leap).filter(|number| number >> (8 * LEAPING) == 0) else {
                return Ok(false);
            };
            if is_passed(&key_of(number))? {
                break number;
            }
            (before, leap) = (number, leap * 2);
        };
        while behind - before > LEAST_LEAP {
            let middle = before + (behind - before) / 2;
            if is_passed(&key_of(middle))? { behind = middle } else { before = middle }
        }
        at.next = key_of(behind);
        Ok(true)
    }

    /// What the engine complains of, if that is damage.
    fn damage(&self, iter: &DBRawIterator<'_>) -> Result<Option<String>> {
        match iter.status() {
            Ok(()) => Ok(None),
            Err(error) if is_damage(&error) => Ok(Some(error.to_string())),
            Err(error) => Err(failed(format!("rescue hot tier {}", self.path.display()), error)),
        }
    }
}

/// A page that is wrong, or that the disk does not give.
fn is_damage(error: &rocksdb::Error) -> bool {
    match error.kind() {
        Rocks::Corruption => true,
        Rocks::IOError => error.as_ref().contains("Input/output error"),
        _ => false,
    }
}

fn reading(ahead: usize) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    options.set_readahead_size(ahead);
    options.set_iterate_upper_bound(note::FIRST);
    options
}

/// Where the next reading begins.
struct Place {
    next: Vec<u8>,
    tables: Vec<LiveFile>,
}

/// So many bytes of a key are leapt in; the last eight of them are digest in every key.
const LEAPING: usize = 12;
/// The least leap over what cannot be read, in the number that those bytes make: a billion blocks lie a thousand times as far apart.
const LEAST_LEAP: u128 = 1 << 24;

/// An engine that words one place in two ways seems to be past it, and is not.
struct Stuck {
    /// Blocks copied when it last was.
    had: u64,
    leap: u128,
}

impl Stuck {
    /// How far to leap: twice as far as before, as long as nothing is copied.
    fn leap(&mut self, blocks: u64) -> u128 {
        self.leap = if blocks == self.had { self.leap.saturating_mul(2) } else { LEAST_LEAP };
        self.had = blocks;
        self.leap
    }
}

impl Place {
    /// Before the least key of all tables, so that there is something to leap from.
    fn start(store: &RocksHot) -> Result<Self> {
        let tables = store.db.live_files();
        let tables =
            tables.map_err(|error| failed(format!("list files of {}", store.path.display()), error))?;
        Ok(Self { next: Vec::new(), tables })
    }

    /// Behind this key.
    fn pass(&mut self, key: &[u8]) {
        self.next.clear();
        self.next.extend_from_slice(key);
        self.next.push(0);
    }

    /// Behind the last key of a page; a damaged one may seem to be before what was passed.
    fn pass_page(&mut self, last: &BlockKey) {
        if *last.as_bytes() >= *self.next {
            self.pass(last.as_bytes());
        }
    }

    /// So much further on; `false` behind all keys.
    fn leap(&mut self, leap: u128) -> bool {
        let number = self.number().saturating_add(leap);
        self.next = key_of(number);
        number >> (8 * LEAPING) == 0
    }

    /// What lies before the first table is damaged nowhere.
    fn number(&self) -> u128 {
        let first =
            self.tables.iter().filter_map(|table| table.start_key.as_deref()).min().unwrap_or_default();
        let next = first.max(&self.next);
        let byte = |at: usize| u128::from(next.get(at).copied().unwrap_or_default());
        (0..LEAPING).fold(0, |number, at| number << 8 | byte(at))
    }

    /// Whether a table may have keys from there to here that is not the damaged one.
    fn other_table_in(&self, from: &[u8], damage: &str) -> bool {
        let here = self.next.as_slice();
        self.tables.iter().any(|table| {
            let begins = table.start_key.as_deref().unwrap_or_default();
            let ends = table.end_key.as_deref().unwrap_or_default();
            !damage.contains(table.name.trim_start_matches('/')) && begins < here && ends >= from
        })
    }
}

/// The least key whose first bytes make this number.
fn key_of(number: u128) -> Vec<u8> {
    number.to_be_bytes()[size_of::<u128>() - LEAPING..].to_vec()
}

/// Bytes that are written at once.
const AT_ONCE: usize = 4 << 20;

/// The new tier, and what is on its way there.
struct Copying<'a> {
    new: &'a RocksHot,
    waiting: Vec<(Cid, Vec<u8>)>,
    bytes: usize,
    lost: BTreeSet<BlockKey>,
    /// What the engine has complained of.
    seen: HashSet<String>,
    /// What came out of damaged pages.
    from_pages: HashSet<BlockKey>,
    rescued: Rescued,
}

impl<'a> Copying<'a> {
    fn to(new: &'a RocksHot) -> Self {
        let (seen, from_pages) = (HashSet::new(), HashSet::new());
        let (waiting, lost, rescued) = (Vec::new(), BTreeSet::new(), Rescued::default());
        Self { new, waiting, bytes: 0, lost, seen, from_pages, rescued }
    }

    /// A block whose page the engine has checked.
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        // What is no key at all has no name to be lost under.
        let Ok(key) = BlockKey::from_bytes(key) else { return Ok(()) };
        if self.from_pages.contains(&key) {
            return Ok(());
        }
        let whole = record::decode(value).ok().filter(|(codec, data)| is_whole(&key, *codec, data));
        if let Some((codec, data)) = whole {
            return self.add(&key, codec, data);
        }
        self.lost.insert(key);
        Ok(())
    }

    /// All whole blocks of a page that are not there yet; how much of it that was, and the last of all.
    fn take_page(&mut self, page: &[u8]) -> Result<(Extent, Option<BlockKey>)> {
        let (mut found, mut is_named) = (BTreeMap::new(), true);
        let extent = page::each_put(page, |key, value, again| {
            // What is shown again, and makes no sense, may never have been there.
            let is_first = again == Again::No;
            let Ok(key) = BlockKey::from_bytes(key) else {
                is_named &= !is_first;
                return;
            };
            let decoded = record::decode(value).ok();
            let own = decoded.and_then(|(codec, data)| Some((own_key(&key, codec, data)?, codec, data)));
            match own {
                Some((own, codec, data)) => drop(found.insert(own, (codec, data.to_vec()))),
                None if is_first => drop(self.lost.insert(key)),
                None => {}
            }
        });
        self.write()?;
        let last = found.last_key_value().map(|(key, _)| key.clone());
        for (key, (codec, data)) in found {
            if !self.new.has(&key.to_cid(codec))? {
                self.add(&key, codec, &data)?;
                self.from_pages.insert(key);
            }
        }
        Ok((if is_named { extent } else { Extent::Broken }, last))
    }

    fn add(&mut self, key: &BlockKey, codec: u64, data: &[u8]) -> Result<()> {
        self.rescued.blocks += 1;
        self.rescued.bytes += ByteCount(data.len() as u64);
        self.bytes += data.len();
        self.waiting.push((key.to_cid(codec), data.to_vec()));
        if self.bytes >= AT_ONCE { self.write() } else { Ok(()) }
    }

    /// All has been read. Under a name that was lost somewhere a whole block may have been found elsewhere; then what was lost
    /// there may have been another, or hidden more.
    fn end(mut self) -> Result<Rescued> {
        self.write()?;
        self.new.sync()?;
        for key in self.lost {
            if self.new.has(&key.to_cid(RAW))? {
                self.rescued.gaps += 1;
            } else {
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

/// Whether a block of a page that was checked is what its key says. A hash that we do not know says nothing: then the page vouches.
fn is_whole(key: &BlockKey, codec: u64, data: &[u8]) -> bool {
    let cid = key.to_cid(codec);
    !digest::is_supported(cid.hash().code()) || digest::verify(&cid, data).is_ok()
}

/// Bits of a key that damage may have turned, at most, for its data to say what it was.
const TURNED: u32 = 8;

/// The key that unchecked data is whole under: its own, or one whose digest differs by a few bits, whatever the hash is said to be: keys
/// that share their first bytes with a damaged one are damaged with it.
fn own_key(key: &BlockKey, codec: u64, data: &[u8]) -> Option<BlockKey> {
    if !matches!(codec, RAW | DAG_CBOR) {
        return None;
    }
    let named = key.as_bytes().last_chunk::<32>();
    let own = [digest::BLAKE2B_256, digest::SHA2_256].into_iter().find_map(|code| {
        let named = named?;
        let digest = digest::digest_of(code, data)?;
        let turned = named.iter().zip(&digest).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>();
        let hash = Multihash::<64>::wrap(code, &digest).ok()?;
        (turned <= TURNED).then(|| BlockKey::from(&Cid::new_v1(codec, hash)))
    });
    // A key that is its own data.
    own.or_else(|| digest::verify(&key.to_cid(codec), data).is_ok().then(|| key.clone()))
}
