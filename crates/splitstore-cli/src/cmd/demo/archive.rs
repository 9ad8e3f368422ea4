//! A chain replayed from an archive, as a node would have met it: each tipset comes with the blocks that are new
//! in it.
//!
//! ```text
//!   archive -> source store -> tipsets from low to high -> walk what is new below each -> demo's store
//! ```
//! A snapshot holds headers to genesis, messages and states only near its head. The replay begins at the lowest
//! tipset from which on all messages are there; the headers below it, and genesis, come with the first tipset.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use splitstore::domain::links::scan_links;
use splitstore::domain::{BlockKey, ByteCount, Epoch, HeaderView, ObjectKind, Tipset, TipsetKey};
use splitstore::folder::StoreFolder;
use splitstore::import::{Progress, import_blocks};
use splitstore::ports::cid::Cid;
use splitstore::ports::{BlockRead, ChainAccessor};

use super::feed::{Fed, Feed, Put};
use crate::exit::BadUsage;
use crate::opened;
use crate::output::Output;
use crate::progress::ImportProgress;

/// The replay of an archive.
pub(super) struct ArchiveFeed {
    source: StoreFolder,
    title: String,
    span_epochs: u64,
    head: Epoch,
    /// To be handed out, the lowest last.
    tipsets: Vec<TipsetKey>,
    /// Tipsets below the first, which come with it; none when they have come.
    below: Option<TipsetKey>,
    seen: HashSet<BlockKey>,
}

impl ArchiveFeed {
    /// Imports `file` into the source store at `path` and finds its chain.
    pub(super) fn open(file: &Path, path: &Path, output: Output) -> Result<Self> {
        let source = StoreFolder::open_with(path, &opened::opening())?;
        let mut progress = ImportProgress::new(output, source.clock().elapsed());
        let mut show = |at: &Progress| {
            progress.at(at, source.clock().elapsed());
            ControlFlow::Continue(())
        };
        let imported = import_blocks(&source, file, &mut show);
        progress.finish();
        let imported = imported?;
        let no_chain = BadUsage("this archive is no chain: its roots are no block headers, give another one");
        let head = imported.head.ok_or(no_chain)?;
        let (first, tipsets) = tipsets_with_messages(&source, &head)?;
        let title = format!(
            "{}: {} blocks, {}, replayed from height {} to {}",
            file.display(),
            imported.blocks,
            ByteCount(imported.bytes),
            first.height,
            head.height,
        );
        let span_epochs = head.height.since(first.height).epochs();
        let below = (!first.parents.is_empty()).then(|| first.parents.clone());
        Ok(Self { source, title, span_epochs, head: head.height, tipsets, below, seen: HashSet::new() })
    }

    /// Hands out all headers below the first tipset, and what stands below genesis' header.
    fn put_below(&mut self, put: &mut Put<'_>) -> Result<()> {
        let mut next = self.below.take();
        while let Some(key) = next {
            let tipset = read(&self.source, &key)?;
            self.put_key(&key, put)?;
            for cid in key.cids() {
                let header = self.put_header(cid, put)?;
                if header.height == Epoch::GENESIS {
                    self.put_new(vec![header.state], put)?;
                }
            }
            next = (!tipset.parents.is_empty()).then_some(tipset.parents);
        }
        Ok(())
    }

    fn put_header(&mut self, cid: &Cid, put: &mut Put<'_>) -> Result<HeaderView> {
        let data =
            self.source.store().get(cid)?.with_context(|| format!("header {cid} is not in the archive"))?;
        if self.seen.insert(BlockKey::from(cid)) {
            put(cid, &data)?;
        }
        Ok(self.source.chain().header(cid, &data)?)
    }

    /// The block that some nodes store for a tipset's key, if it is there.
    fn put_key(&mut self, key: &TipsetKey, put: &mut Put<'_>) -> Result<()> {
        self.put_new(self.source.chain().key_object(key).into_iter().collect(), put)
    }

    /// Hands out what is below these roots and was not yet; what is not in the archive is skipped.
    fn put_new(&mut self, roots: Vec<Cid>, put: &mut Put<'_>) -> Result<()> {
        let mut open = roots;
        while let Some(cid) = open.pop() {
            if !ObjectKind::of(&cid).is_stored() || !self.seen.insert(BlockKey::from(&cid)) {
                continue;
            }
            let Some(data) = self.source.store().get(&cid)? else { continue };
            if ObjectKind::of(&cid) == ObjectKind::Dag {
                let scanned = scan_links(&data, |link| open.push(link.cid()));
                scanned.with_context(|| format!("read links of block {cid}"))?;
            }
            put(&cid, &data)?;
        }
        Ok(())
    }
}

impl Feed for ArchiveFeed {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn span_epochs(&self) -> u64 {
        self.span_epochs
    }

    fn snapshot(&self) -> Option<Epoch> {
        Some(self.head)
    }

    fn next(&mut self, put: &mut Put<'_>) -> Result<Option<Fed>> {
        self.put_below(put)?;
        let Some(key) = self.tipsets.pop() else { return Ok(None) };
        self.put_key(&key, put)?;
        for cid in key.cids() {
            let header = self.put_header(cid, put)?;
            self.put_new(vec![header.state, header.receipts, header.messages], put)?;
        }
        Ok(Some(Fed::Head(key)))
    }
}

/// The lowest tipset from which on messages are there, and the keys from the head down to it.
fn tipsets_with_messages(source: &StoreFolder, head: &Tipset) -> Result<(Tipset, Vec<TipsetKey>)> {
    let (mut lowest, mut keys) = (head.clone(), vec![head.key.clone()]);
    while !lowest.parents.is_empty() {
        let parent = read(source, &lowest.parents)?;
        if parent.height >= lowest.height {
            let (child, parent) = (&lowest.key, &parent.key);
            return Err(anyhow!("parents {parent} of tipset {child} are not below it"));
        }
        if !has_messages(source, &parent)? {
            break;
        }
        keys.push(parent.key.clone());
        lowest = parent;
    }
    Ok((lowest, keys))
}

fn has_messages(source: &StoreFolder, tipset: &Tipset) -> Result<bool> {
    let Some(cid) = tipset.key.cids().first() else { return Ok(false) };
    let data = source.store().get(cid)?.unwrap_or_default();
    Ok(source.store().has(&source.chain().header(cid, &data)?.messages)?)
}

fn read(source: &StoreFolder, key: &TipsetKey) -> Result<Tipset> {
    let tipset = source.chain().tipset(key)?;
    tipset.with_context(|| format!("tipset {key} is not in the archive: its chain breaks off there"))
}
