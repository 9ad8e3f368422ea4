//! Copies what can be read of a damaged hot tier into a new one. RocksDB ends every scan, and every compaction of its own, at
//! a page whose checksum is wrong; so a tier with one turned bit can be read block by block, but no longer be kept small.
//!
//! ```text
//!   checked     k k k k X                        k k k k ..      the engine's own scan, until a page fails its checksum
//!   unchecked           k ? k k, each time tried again /         the next entry that hashes to its key
//!   page                X                                        read past the engine as well: all that hashes to its key
//!   gap                     X .. X                               where there is none: further on, twice as far each time
//! ```
//! **Two ways through a damaged page**, as each alone may step over what is whole. The engine's search believes keys that
//! may be damaged, but it knows the other tables that hold keys between those of the page. Entries of a page that is not
//! compressed are read one after the other and from each restart (`page.rs`); whose key is a few bits from the hash of its data is
//! taken under the hash. If they do not fill the page to its end, or it cannot be read so, it is a gap: nobody knows what else was in it.
//!
//! **Hashed.** All that is copied hashes to its key, where the hash is one that we know. Of an unchecked entry nothing
//! vouches for the codec, which no hash covers: a raw block and one of DAG-CBOR are two bits apart, others only one; so only
//! those two are believed. What is not is lost, and named by its key if that could be read.
//!
//! **Not copied** are notes: of marks, as no sealed run may be under way; of links, so the link index must go as well.
//! A deletion that the damage hides may bring back a dead block: the next compaction takes it again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cid::Cid;
use rocksdb::{DBRawIterator, ErrorKind as Rocks, ReadOptions};
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_domain::{BlockKey, ByteCount, digest, note, record};
use splitstore_ports::{Block, BlockRead, BlockWrite, Result};

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
        if let Err(error) = iter.status() {
            at.page_is_known = self.copy_page(&error, copy)?;
        }
        self.ended(&iter)
    }

    /// All that is whole in the page that the engine complains of, if it says which.
    fn copy_page(&self, error: &rocksdb::Error, copy: &mut Copying<'_>) -> Result<bool> {
        let Some(place) = page::Place::parse(error.as_ref()) else { return Ok(false) };
        if copy.pages.insert((place.file.to_owned(), place.offset)) {
            let page = place.read(&self.path);
            let extent = page.map_or(Ok(Extent::Broken), |page| copy.take_page(&page))?;
            copy.rescued.gaps += u64::from(extent == Extent::Broken);
        }
        Ok(true)
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
        copy.rescued.gaps += u64::from(at.is_at_edge() && !at.page_is_known);
        Ok(if at.leap() { Ended::AtDamage } else { Ended::AtEnd })
    }

    fn ended(&self, iter: &DBRawIterator<'_>) -> Result<Ended> {
        match iter.status() {
            Ok(()) => Ok(Ended::AtEnd),
            Err(error) if is_damage(&error) => Ok(Ended::AtDamage),
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
    /// Whether the page that a reading ended at has been looked at by itself.
    page_is_known: bool,
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
        Ok(Self { next: Vec::new(), first, leap: FIRST_LEAP, page_is_known: false })
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
    /// By file and offset.
    pages: HashSet<(String, u64)>,
    /// What came out of them.
    from_pages: HashSet<BlockKey>,
    rescued: Rescued,
}

impl<'a> Copying<'a> {
    fn to(new: &'a RocksHot) -> Self {
        let (pages, from_pages) = (HashSet::new(), HashSet::new());
        let (waiting, lost, rescued) = (Vec::new(), BTreeSet::new(), Rescued::default());
        Self { new, waiting, bytes: 0, lost, pages, from_pages, rescued }
    }

    /// Whether the block was whole and is on its way.
    fn take(&mut self, key: &[u8], value: &[u8], trust: Trust) -> Result<bool> {
        // What is no key at all has no name to be lost under.
        let Ok(key) = BlockKey::from_bytes(key) else { return Ok(false) };
        if self.from_pages.contains(&key) {
            return Ok(true);
        }
        let whole = record::decode(value).ok().filter(|(codec, data)| is_whole(&key, *codec, data, trust));
        let Some((codec, data)) = whole else {
            if !self.is_saved_under_its_hash(&key, value) {
                self.lost.insert(key);
            }
            return Ok(false);
        };
        self.add(&key, codec, data)?;
        Ok(true)
    }

    /// Whether only the key is damaged, and the block came out of its page.
    fn is_saved_under_its_hash(&self, key: &BlockKey, value: &[u8]) -> bool {
        let own = record::decode(value).ok().and_then(|(codec, data)| own_key(key, codec, data));
        own.is_some_and(|own| self.from_pages.contains(&own))
    }

    /// All whole blocks of a page that are not there yet.
    fn take_page(&mut self, page: &[u8]) -> Result<Extent> {
        let (mut found, mut is_named) = (BTreeMap::new(), true);
        let extent = page::each_put(page, |key, value, again| {
            // What is shown again, and makes no sense, may never have been there.
            let is_first = again == Again::No;
            let Ok(key) = BlockKey::from_bytes(key) else {
                is_named &= !is_first;
                return;
            };
            match record::decode(value)
                .ok()
                .and_then(|(codec, data)| Some((own_key(&key, codec, data)?, codec, data)))
            {
                Some((own, codec, data)) => drop(found.insert(own, (codec, data.to_vec()))),
                None if is_first => drop(self.lost.insert(key)),
                None => {}
            }
        });
        self.write()?;
        for (key, (codec, data)) in found {
            if !self.new.has(&key.to_cid(codec))? {
                self.add(&key, codec, &data)?;
                self.from_pages.insert(key);
            }
        }
        Ok(if is_named { extent } else { Extent::Broken })
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

fn is_whole(key: &BlockKey, codec: u64, data: &[u8], trust: Trust) -> bool {
    let cid = key.to_cid(codec);
    if !digest::is_supported(cid.hash().code()) {
        return trust == Trust::Checked;
    }
    let is_believed = trust == Trust::Checked || matches!(codec, RAW | DAG_CBOR);
    is_believed && digest::verify(&cid, data).is_ok()
}

/// Bits of a key that damage may have turned, at most, for its data to say what it was.
const TURNED: u32 = 8;

/// The key that unchecked data is whole under: its own, or one that differs by a few bits.
fn own_key(key: &BlockKey, codec: u64, data: &[u8]) -> Option<BlockKey> {
    if is_whole(key, codec, data, Trust::Unchecked) {
        return Some(key.clone());
    }
    let digest = digest::digest_of(key.to_cid(codec).hash().code(), data)?;
    let (header, named) = key.as_bytes().split_last_chunk::<32>()?;
    let turned = named.iter().zip(&digest).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>();
    let own = BlockKey::from_bytes(&[header, &digest].concat()).ok()?;
    (turned <= TURNED && matches!(codec, RAW | DAG_CBOR)).then_some(own)
}
