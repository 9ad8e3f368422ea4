//! The compaction of the original, done plainly on the engine alone: no more than its algorithm.
//!
//! ```text
//!   mark       depth first, one `get` per block, one hash set of keys behind a lock
//!   collect    all keys against that set, candidates in memory
//!   transfer   one `get` per candidate, in random order, committed every 16,384
//!   purge      deletes in batches, wait until the engine has settled, compact everything
//! ```
//! Headers are walked from the head down; the roots that each contributes are walked by so many walkers, a whole
//! root by one of them, as in the original. Nothing may be missing.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use cid::Cid;
use splitstore_domain::links::scan_links;
use splitstore_domain::{BlockKey, Epoch, ObjectKind, Policy, Window, record, retain};
use splitstore_filecoin::FilecoinChain;
use splitstore_ports::ChainAccessor;

use crate::engine::{RawCold, RawHot};
use crate::order::shuffled;
use crate::workload::Record;

/// The engine alone.
pub(crate) struct Naive {
    hot: RawHot,
}

type Seen = Mutex<HashSet<BlockKey>>;

/// What the original moves, and deletes, at once.
const BATCH: usize = 16 * 1024;

impl Naive {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { hot: RawHot::open(path)? })
    }

    /// Keys of all that is live.
    pub(crate) fn mark(
        &self,
        head: &[Cid],
        walkers: usize,
        window: &dyn Fn(Epoch) -> Window,
        policy: &Policy,
    ) -> Result<HashSet<BlockKey>> {
        let seen = Seen::default();
        let roots = Mutex::new(self.roots(head, &seen, window, policy)?.into_iter());
        let work = || -> Result<()> {
            loop {
                let root = roots.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(root) = root else { return Ok(()) };
                self.walk(root, &seen)?;
            }
        };
        std::thread::scope(|threads| {
            let all: Vec<_> = (0..walkers).map(|_| threads.spawn(work)).collect();
            all.into_iter().try_for_each(|one| one.join().expect("a walker does not panic"))
        })?;
        Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keys of all that is not.
    pub(crate) fn collect(&self, live: &HashSet<BlockKey>) -> Result<Vec<BlockKey>> {
        let mut dead = Vec::new();
        let mut bad = Ok(());
        self.hot.each_key(|bytes| match BlockKey::from_bytes(bytes) {
            Ok(key) if live.contains(&key) => {}
            Ok(key) => dead.push(key),
            Err(error) => bad = Err(error),
        })?;
        bad.context("a key of hot")?;
        Ok(dead)
    }

    /// Copies to cold.
    pub(crate) fn transfer(&self, dead: &[BlockKey], cold: &RawCold) -> Result<()> {
        for batch in shuffled(dead.to_vec()).chunks(BATCH) {
            let record = |key: &BlockKey| -> Result<Record> {
                let value = self.hot.get(key)?.with_context(|| format!("block {key} is gone"))?;
                Ok((key.clone(), value))
            };
            cold.insert(&batch.iter().map(record).collect::<Result<Vec<_>>>()?)?;
        }
        Ok(())
    }

    /// Deletes, and gives the space back.
    pub(crate) fn purge(&self, dead: &[BlockKey]) -> Result<()> {
        dead.chunks(BATCH).try_for_each(|batch| self.hot.delete(batch))?;
        self.hot.sync()?;
        self.hot.settle()?;
        self.hot.compact()
    }

    /// Marks all headers; the roots they contribute.
    fn roots(
        &self,
        head: &[Cid],
        seen: &Seen,
        window: &dyn Fn(Epoch) -> Window,
        policy: &Policy,
    ) -> Result<Vec<Cid>> {
        let chain = FilecoinChain::new(std::sync::Arc::new(splitstore_memory::MemoryStore::hot()));
        let (mut roots, mut tipset, mut cut) = (Vec::new(), head.to_vec(), None);
        while !tipset.is_empty() {
            let key = splitstore_domain::TipsetKey::new(tipset.clone());
            roots.extend(chain.key_object(&key));
            let mut parents = Vec::new();
            for cid in tipset.iter().filter(|cid| is_first(seen, cid)) {
                let data = self.read(cid)?.with_context(|| format!("header {cid} is missing"))?;
                let header = chain.header(cid, &data)?;
                let cut = *cut.get_or_insert_with(|| window(header.height));
                roots.extend(retain::roots_of(&header, &cut, policy).map(|root| root.cid));
                if header.height > Epoch::GENESIS {
                    parents = header.parents.cids().to_vec();
                } else {
                    roots.extend(header.parents.cids());
                }
            }
            tipset = parents;
        }
        Ok(roots)
    }

    fn walk(&self, root: Cid, seen: &Seen) -> Result<()> {
        let mut stack = vec![root];
        while let Some(cid) = stack.pop() {
            if !ObjectKind::of(&cid).is_stored() || !is_first(seen, &cid) {
                continue;
            }
            if ObjectKind::of(&cid) == ObjectKind::Opaque {
                continue;
            }
            let data = self.read(&cid)?.with_context(|| format!("block {cid} is missing"))?;
            scan_links(&data, |link| stack.push(link.cid()))?;
        }
        Ok(())
    }

    fn read(&self, cid: &Cid) -> Result<Option<Vec<u8>>> {
        let Some(value) = self.hot.get(&BlockKey::from(cid))? else { return Ok(None) };
        Ok(Some(record::decode(&value)?.1.to_vec()))
    }
}

fn is_first(seen: &Seen, cid: &Cid) -> bool {
    seen.lock().unwrap_or_else(PoisonError::into_inner).insert(BlockKey::from(cid))
}
