//! Blocks out of a page whose checksum is wrong. The engine checks a page of 8 KiB as a whole, and gives back none of it; most
//! blocks in it are as they were put, and their own hashes say which.
//!
//! The engine can read on without its checksums, but then it trusts lengths that nobody checked. So the page is read past
//! the engine and its cache (`page.rs`). What is served hashes to its CID; where the page gives nothing the engine's own error stands.
//!
//! **Only the newest version.** A page may hold a deletion of a key and, behind it, the put that it hides: a snapshot was open
//! between them. So the first entry of a key decides, also if it is what the damage has hit, and so does not count where the
//! entry before it could not be read.

use std::sync::atomic::Ordering;

use cid::Cid;
use splitstore_domain::{BlockKey, digest, record};

use crate::RocksHot;
use crate::page::{PUT, Place, SUFFIX, Walk, split};

impl RocksHot {
    /// The data of a block that the engine could not read for damage around it.
    pub(crate) fn salvage(&self, cid: &Cid, key: &BlockKey, error: &rocksdb::Error) -> Option<Vec<u8>> {
        if error.kind() != rocksdb::ErrorKind::Corruption || !digest::is_supported(cid.hash().code()) {
            return None;
        }
        let page = Place::parse(error.as_ref())?.read(&self.path).ok()??;
        let data = search(&page, cid, key)?;
        self.salvaged.fetch_add(1, Ordering::Relaxed);
        Some(data)
    }
}

/// The data of the block in a page, if its newest version is there and whole.
fn search(page: &[u8], cid: &Cid, key: &BlockKey) -> Option<Vec<u8>> {
    let (entries, restarts) = split(page)?;
    for start in std::iter::once(0).chain(restarts) {
        let mut walk = Walk { entries, at: start, key: Vec::new() };
        // Whatever stands before a restart may be a newer version.
        let mut is_newest = start == 0;
        while let Some(value) = walk.step() {
            let Some((user, suffix)) = walk.key.split_last_chunk::<SUFFIX>() else { break };
            if is_newest && differs_by_a_bit(user, key.as_bytes()) {
                // The type is the lowest byte of eight, little end first.
                let record = (suffix[0] == PUT).then_some(value)?;
                let (_, data) = record::decode(record).ok()?;
                return digest::verify(cid, data).is_ok().then(|| data.to_vec());
            }
            is_newest = true;
        }
    }
    None
}

/// Whether two keys are the same but for one bit at most: the damage may be in the key.
fn differs_by_a_bit(one: &[u8], other: &[u8]) -> bool {
    let bits = one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>();
    one.len() == other.len() && bits <= 1
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt;

    use splitstore_conformance::sample::sized_block;
    use splitstore_ports::{BlockDelete, BlockRead, BlockReadExt, BlockScan, BlockWriteExt};

    use super::*;
    use crate::RocksOptions;

    /// An entry after one with this key.
    fn entry(before: &[u8], key: &[u8], kind: u8, value: &[u8], page: &mut Vec<u8>) -> Vec<u8> {
        let key = [key, &[kind, 0, 0, 0, 0, 0, 0, 0]].concat();
        let shared = before.iter().zip(&key).take_while(|(one, other)| one == other).count();
        for mut number in [shared, key.len() - shared, value.len()] {
            while number > 0x7f {
                page.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
                number >>= 7;
            }
            page.push(u8::try_from(number).unwrap());
        }
        page.extend_from_slice(&key[shared..]);
        page.extend_from_slice(value);
        key
    }

    /// A page of these blocks, in key order, with a restart at each fourth.
    fn page(blocks: &[(Cid, Vec<u8>)]) -> Vec<u8> {
        let (mut page, mut restarts, mut before) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (cid, data)) in blocks.iter().enumerate() {
            if at % 4 == 0 {
                before.clear();
                restarts.push(u32::try_from(page.len()).unwrap());
            }
            let mut value = Vec::new();
            record::encode(cid.codec(), data, &mut value);
            before = entry(&before, BlockKey::from(cid).as_bytes(), PUT, &value, &mut page);
        }
        restarts.push(u32::try_from(restarts.len()).unwrap());
        page.extend(restarts.into_iter().flat_map(u32::to_le_bytes));
        page
    }

    /// A deletion, and at a restart the put that it hides. Where the deletion cannot be read nothing says that there was none.
    #[test]
    fn what_stands_at_a_restart_is_not_taken_for_the_newest_version() {
        let (cid, data) = sized_block(7, 500);
        let (mut page, mut value, key) = (Vec::new(), Vec::new(), BlockKey::from(&cid));
        record::encode(cid.codec(), &data, &mut value);
        entry(&[], key.as_bytes(), 0, &[], &mut page);
        let restart = u32::try_from(page.len()).unwrap();
        entry(&[], key.as_bytes(), PUT, &value, &mut page);
        page.extend([0, restart, 2].into_iter().flat_map(u32::to_le_bytes));
        assert_eq!(search(&page, &cid, &key), None, "it is deleted");
        // More bytes shared with the key before than that has.
        page[0] = 0x7f;
        assert_eq!(search(&page, &cid, &key), None, "it may be deleted");
    }

    fn blocks() -> Vec<(Cid, Vec<u8>)> {
        let mut blocks: Vec<_> =
            (0..40).map(|n| sized_block(n, 30 + usize::try_from(n).unwrap() * 9)).collect();
        blocks.sort_by_key(|(cid, _)| BlockKey::from(cid));
        blocks
    }

    /// Whatever is in the page, in bits and in bursts, also in its last bytes: nothing wrong, no panic.
    #[test]
    fn no_damage_makes_it_panic_or_serve_what_is_wrong() {
        let (blocks, mut state) = (blocks(), 0x9e37_79b9_7f4a_7c15_u64);
        let whole = page(&blocks);
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).unwrap()
        };
        let mut served = 0;
        for round in 0..3_000 {
            let mut damaged = whole.clone();
            for _ in 0..=random(3) {
                let tail = whole.len() - 48;
                let at = if random(3) == 0 { tail + random(48) } else { random(whole.len()) };
                let burst = (1 + random(12)).min(whole.len() - at);
                damaged[at..at + burst]
                    .iter_mut()
                    .for_each(|byte| *byte = u8::try_from(random(256)).unwrap());
            }
            if round % 10 == 0 {
                damaged.truncate(random(whole.len()));
            }
            for (cid, data) in &blocks {
                if let Some(found) = search(&damaged, cid, &BlockKey::from(cid)) {
                    assert_eq!(found, *data);
                    served += 1;
                }
            }
        }
        assert!(served > 3_000 * 20, "{served} blocks of {} came out", 3_000 * 40);
    }

    /// The engine keeps a deletion and what it hides for a snapshot. A bit that makes the one look like a put, or hides it,
    /// does not bring the other back.
    #[test]
    fn a_deleted_block_does_not_come_back_from_behind_a_damaged_deletion() {
        let (cid, data) = sized_block(7, 500);
        let folder = tempfile::tempdir().unwrap();
        let open = || RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let store = open();
        store.put(&cid, &data).unwrap();
        let snapshot = store.snapshot().unwrap();
        store.delete_many(&[BlockKey::from(&cid)]).unwrap();
        store.db.flush().unwrap();
        let table = store.db.live_files().unwrap().remove(0);
        drop(snapshot);
        drop(store);
        let table = folder.path().join(table.name.trim_start_matches('/'));
        let (whole, key) = (fs::read(&table).unwrap(), BlockKey::from(&cid));
        let at = whole.windows(key.as_bytes().len()).position(|window| window == key.as_bytes()).unwrap();
        let kind = at + key.as_bytes().len();
        assert_eq!(whole[kind], 0, "a deletion");
        for (byte, bit) in [(kind, 1), (at + 5, 1), (at - 1, 8), (at - 2, 2)] {
            let file = fs::OpenOptions::new().write(true).open(&table).unwrap();
            file.write_all_at(&[whole[byte] ^ bit], byte as u64).unwrap();
            let store = open();
            store.get(&cid).unwrap_err();
            store.has(&cid).unwrap_err();
            drop(store);
            file.write_all_at(&[whole[byte]], byte as u64).unwrap();
        }
        assert_eq!(open().get(&cid).unwrap(), None);
    }
}
