//! A tier that no scan gets through any more, copied to a new one: what is whole comes along, what is not is named.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_conformance::sample::sized_block;
use splitstore_domain::BlockKey;
use splitstore_ports::{BlockReadExt, KeyScan};
use splitstore_rocksdb::Rescued;

use crate::damage::settle;
use crate::sample::open;

/// Blocks in the tier; a page has some sixteen of them.
const BLOCKS: u64 = 600;

struct Case {
    folder: tempfile::TempDir,
    blocks: Vec<(Cid, Vec<u8>)>,
}

impl Case {
    fn new() -> Self {
        Self::of(500)
    }

    fn of(bytes: usize) -> Self {
        Self::sized(BLOCKS, bytes)
    }

    fn many(blocks: u64) -> Self {
        Self::sized(blocks, 480)
    }

    fn sized(blocks: u64, bytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blocks: Vec<_> = (0..blocks).map(|n| sized_block(n, bytes)).collect();
        settle(&folder.path().join("old"), &blocks);
        Self { folder, blocks }
    }

    fn old(&self) -> PathBuf {
        self.folder.path().join("old")
    }

    /// Rescues what is there, and checks that it is what it should be.
    fn rescue(&self) -> Rescued {
        let path = self.folder.path().join("new");
        let (old, new) = (open(&self.old()), open(&path));
        let rescued = old.rescue_to(&new).unwrap();
        let mut there = 0;
        for (cid, data) in &self.blocks {
            if let Some(found) = new.get(cid).unwrap() {
                assert_eq!(found, *data);
                there += 1;
            }
        }
        let mut keys = Vec::new();
        new.keys().unwrap().next_batch(&mut keys, 20_000).unwrap();
        assert_eq!((there, keys.len() as u64), (rescued.blocks, rescued.blocks), "and nothing else");
        let silent = rescued.lost.is_empty() && rescued.gaps == 0;
        assert!(
            there == self.blocks.len() as u64 || !silent,
            "{there} are there, and none is said to be lost"
        );
        drop(new);
        fs::remove_dir_all(path).unwrap();
        rescued
    }
}

fn table(path: &Path) -> PathBuf {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|end| end == "sst")).max().unwrap()
}

/// Does this to some bytes of the table, rescues, and takes it back.
fn damaged(case: &Case, at: usize, bytes: &[u8]) -> Rescued {
    let table = table(&case.old());
    let file = fs::OpenOptions::new().read(true).write(true).open(&table).unwrap();
    let mut before = vec![0; bytes.len()];
    file.read_exact_at(&mut before, at as u64).unwrap();
    file.write_all_at(bytes, at as u64).unwrap();
    let rescued = case.rescue();
    file.write_all_at(&before, at as u64).unwrap();
    rescued
}

fn position(bytes: &[u8], of: &[u8]) -> usize {
    bytes.windows(of.len()).position(|window| window == of).unwrap()
}

#[test]
fn an_undamaged_tier_is_copied_whole() {
    let case = Case::new();
    let rescued = case.rescue();
    assert_eq!((rescued.blocks, rescued.bytes.0, rescued.gaps), (BLOCKS, BLOCKS * 500, 0));
    assert!(rescued.lost.is_empty());
}

#[test]
fn a_turned_bit_in_the_data_of_a_block_loses_that_block_alone_and_names_it() {
    let case = Case::new();
    let bytes = fs::read(table(&case.old())).unwrap();
    for (cid, data) in [&case.blocks[0], &case.blocks[99], &case.blocks[317]] {
        let at = position(&bytes, data) + 77;
        let rescued = damaged(&case, at, &[bytes[at] ^ 4]);
        assert_eq!((rescued.blocks, rescued.gaps), (BLOCKS - 1, 0));
        assert_eq!(rescued.lost, [BlockKey::from(cid)]);
    }
}

/// Nothing vouches for the codec but the page's checksum: a block of another one would be walked in another way.
#[test]
fn a_turned_bit_in_the_codec_is_not_believed() {
    let case = Case::new();
    let bytes = fs::read(table(&case.old())).unwrap();
    let (cid, data) = &case.blocks[40];
    let at = position(&bytes, data) - 1;
    assert_eq!(u64::from(bytes[at]), cid.codec());
    let rescued = damaged(&case, at, &[bytes[at] ^ 1]);
    assert_eq!(rescued.lost, [BlockKey::from(cid)]);
}

/// In the data blocks of the table, the first and the last page included.
#[test]
fn no_turned_bit_takes_more_than_a_few_blocks_or_brings_what_was_not_there() {
    let case = Case::new();
    let bytes = fs::read(table(&case.old())).unwrap();
    let end = 600 * 540;
    let mut most = 0;
    for n in 0..100_usize {
        let at = n * (end / 100) + n % 13;
        let rescued = damaged(&case, at, &[bytes[at] ^ (1 << (n % 8))]);
        most = most.max(BLOCKS - rescued.blocks);
    }
    assert!(most <= 32, "{most} blocks went with one bit: two pages and no more");
}

/// A key that reads as one behind all others must not end the copying: what comes after it is there as well.
#[test]
fn a_key_that_was_turned_to_stand_far_behind_its_place_hides_nothing_else() {
    let case = Case::new();
    let bytes = fs::read(table(&case.old())).unwrap();
    for (cid, _) in &case.blocks {
        // Where a key stands whole; a scan ends at a note's, which begins with ten times these bits.
        let key = BlockKey::from(cid);
        let Some(at) = bytes.windows(36).position(|window| window == key.as_bytes()) else { continue };
        for (byte, bits) in [(0, 0x5f_u8), (4, 0xff), (4, 0x80), (9, 0x7f)] {
            let rescued = damaged(&case, at + byte, &[bytes[at + byte] ^ bits]);
            assert!(BLOCKS - rescued.blocks <= 32, "{} are lost", BLOCKS - rescued.blocks);
        }
        if at > 60_000 {
            break;
        }
    }
}

/// Many blocks a page: the engine's search in it believes keys that stand whole, and passes over sound blocks.
#[test]
fn a_key_that_was_turned_to_stand_before_its_place_loses_nothing() {
    let case = Case::of(60);
    let bytes = fs::read(table(&case.old())).unwrap();
    let mut tried = 0;
    for (cid, _) in &case.blocks {
        let key = cid.hash().to_bytes();
        let digest = key.len() - 32;
        let Some(at) = bytes.windows(key.len()).position(|window| window == key) else { continue };
        if at > 60_000 {
            // The index is behind the data.
            continue;
        }
        let bits: &[u8] = if key[digest] < 0x80 { &[0x80, 0x01] } else { &[0x80, 0x40] };
        for bit in bits {
            let rescued = damaged(&case, at + digest, &[key[digest] ^ bit]);
            assert_eq!((rescued.blocks, rescued.lost.len()), (BLOCKS, 0), "{rescued:?}");
        }
        tried += 1;
    }
    assert!(tried >= 20, "{tried} keys stand whole");
}

/// Anywhere in the data pages of small blocks, lengths included: whatever is lost, it is said.
#[test]
fn no_turned_bit_loses_a_block_without_a_word() {
    let case = Case::of(60);
    let bytes = fs::read(table(&case.old())).unwrap();
    for n in 0..150_usize {
        let at = n * (40_000 / 150) + n % 29;
        damaged(&case, at, &[bytes[at] ^ (1 << (n % 8))]);
    }
}

/// An engine that has failed at a page answers for the next one as for that, if it is asked the same way again.
#[test]
fn a_turned_bit_in_any_page_loses_nothing_of_the_pages_beside_it() {
    let case = Case::many(6_000);
    let bytes = fs::read(table(&case.old())).unwrap();
    let mut blocks: Vec<_> = case.blocks.iter().map(|(cid, data)| (BlockKey::from(cid), data)).collect();
    blocks.sort_unstable();
    // One in every third page, about.
    for (key, data) in blocks.iter().skip(7).step_by(48) {
        let at = position(&bytes, data) + 50;
        let rescued = damaged(&case, at, &[bytes[at] ^ 2]);
        assert_eq!((rescued.blocks, rescued.gaps), (case.blocks.len() as u64 - 1, 0), "{key}");
        assert_eq!(rescued.lost, std::slice::from_ref(key));
    }
}

#[test]
fn keys_that_share_a_damaged_hash_code_are_found_under_their_own() {
    let case = Case::new();
    let bytes = fs::read(table(&case.old())).unwrap();
    let first = case.blocks.iter().map(|(cid, _)| BlockKey::from(cid)).min().unwrap();
    // Where a key stands whole, and the ones after it share its first bytes.
    let at = position(&bytes, first.as_bytes());
    let rescued = damaged(&case, at, &[bytes[at] ^ 8]);
    assert_eq!((rescued.blocks, rescued.gaps, rescued.lost), (BLOCKS, 0, Vec::new()));
}

#[test]
fn pages_of_zeros_are_gaps_and_the_rest_comes_along() {
    let case = Case::new();
    let len = fs::metadata(table(&case.old())).unwrap().len();
    assert!(len > 300_000);
    for (at, pages) in [(0_usize, 1_u64), (100_000, 1), (150_000, 4), (290_000, 2)] {
        let rescued = damaged(&case, at, &vec![0; usize::try_from(pages).unwrap() * 8192]);
        assert!(rescued.gaps > 0 || !rescued.lost.is_empty());
        let gone = BLOCKS - rescued.blocks;
        assert!(gone <= (pages + 2) * 17, "{gone} blocks went with {pages} pages at {at}");
    }
}

#[test]
fn what_is_still_in_the_log_comes_along() {
    let case = Case::new();
    let more: BTreeSet<_> = (BLOCKS..BLOCKS + 50).map(|n| sized_block(n, 300)).collect();
    crate::sample::put(&open(&case.old()), &more.iter().cloned().collect::<Vec<_>>());
    let (old, new) = (open(&case.old()), open(&case.folder.path().join("new")));
    assert_eq!(old.rescue_to(&new).unwrap().blocks, BLOCKS + 50);
}
