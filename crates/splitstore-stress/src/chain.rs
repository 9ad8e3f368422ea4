//! The chain of a life: made from its seed as far as it is needed, every block kept to compare with.
//!
//! Memory: all blocks so far; about half a megabyte per 50 tipsets under the crash load.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use splitstore::domain::ObjectKind;
use splitstore::ports::cid::Cid;
use splitstore_fixtures::oracle::Blocks;
use splitstore_fixtures::{Branch, ChainGenerator, TipsetOut};

use crate::Life;

/// A chain in the making.
pub struct Chain {
    generator: ChainGenerator,
    blocks: Blocks,
    order: Vec<Cid>,
    tipsets: Vec<Made>,
    by_key: BTreeMap<Vec<Cid>, u64>,
}

/// A tipset, and which blocks came with it.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// Its place among all tipsets, forks too.
    pub(crate) number: u64,
    /// Its headers.
    pub(crate) key: Vec<Cid>,
    pub(crate) height: u64,
    pub(crate) branch: Branch,
    first: usize,
    end: usize,
}

impl Chain {
    /// The chain of `life`, nothing made yet.
    pub fn new(life: &Life) -> Result<Self> {
        let generator = ChainGenerator::new(&life.spec())?;
        let (blocks, order) = (Blocks::new(), Vec::new());
        Ok(Self { generator, blocks, order, tipsets: Vec::new(), by_key: BTreeMap::new() })
    }

    /// The tipset `number`, made if it was not yet.
    pub(crate) fn tipset(&mut self, number: u64) -> Result<&Made> {
        let index = usize::try_from(number)?;
        while self.tipsets.len() <= index {
            self.make()?;
        }
        self.tipsets.get(index).context("a tipset that was just made")
    }

    fn make(&mut self) -> Result<()> {
        let (first, blocks, order) = (self.order.len(), &mut self.blocks, &mut self.order);
        let made = self.generator.next_tipset(&mut |cid, bytes| {
            if ObjectKind::of(cid).is_stored() {
                order.push(*cid);
                blocks.insert(*cid, bytes.to_vec());
            }
            Ok::<_, std::io::Error>(())
        })?;
        let TipsetOut { key, height, branch } = made.context("the chain has an end after all")?;
        let (number, end) = (self.tipsets.len() as u64, self.order.len());
        self.by_key.insert(key.clone(), number);
        self.tipsets.push(Made { number, key, height, branch, first, end });
        Ok(())
    }

    /// The number of the tipset with these headers, if it was made.
    pub(crate) fn find(&self, key: &[Cid]) -> Option<u64> {
        self.by_key.get(key).copied()
    }

    /// The tipset to go on with when `number` is the head: the one after the last on the chain, so that what a
    /// fork brought is put again.
    pub(crate) fn after(&self, number: u64) -> u64 {
        let up_to = self.tipsets.iter().take_while(|made| made.number <= number);
        up_to.filter(|made| made.branch == Branch::Canonical).last().map_or(0, |made| made.number + 1)
    }

    /// The new blocks of a tipset, each after those it links to.
    pub(crate) fn blocks_of(&self, made: &Made) -> Vec<(Cid, Vec<u8>)> {
        let order = self.order.get(made.first..made.end).unwrap_or_default();
        order.iter().filter_map(|cid| Some((*cid, self.blocks.get(cid)?.clone()))).collect()
    }

    /// All blocks up to the first `count` of the tipset `number`, in order.
    pub(crate) fn put_before(&self, number: u64, count: u64) -> &[Cid] {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let made = usize::try_from(number).ok().and_then(|index| self.tipsets.get(index));
        let end = made.map_or(0, |made| made.end.min(made.first.saturating_add(count)));
        self.order.get(..end).unwrap_or_default()
    }

    /// Every block made so far.
    pub(crate) const fn blocks(&self) -> &Blocks {
        &self.blocks
    }
}
