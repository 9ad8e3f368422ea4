//! The node: puts the chain tipset by tipset and moves the head, which starts compactions.
//!
//! ```text
//!   per tipset   take in hand -> put in batches of 16 -> what its messages share with older ones, again
//!                -> head change
//!   a fork       is applied too, and reverted by the tipset that follows; which then is reverted itself for a
//!                while, in favour of the fork, and applied again without another put
//!   per 16       flush, note it in the log, sync the log
//! ```

use std::time::Duration;

use anyhow::{Context, Result};
use splitstore::domain::{HeadChange, Tipset, TipsetKey};
use splitstore::ports::cid::Cid;
use splitstore::ports::{Block, BlockWrite, ChainAccessor, Clock};
use splitstore_fixtures::{Branch, oracle};

use crate::chain::Made;
use crate::live::LiveTipset;
use crate::load::{Forks, Loaded, Shared, sound};
use crate::{Ack, Acknowledged, Chain, Latencies, Op, Stage, Survives, check};

/// Blocks in one put.
const BATCH: usize = 16;
/// Tipsets between two flushes.
const FLUSH_EVERY: u64 = 16;

type Blocks = Vec<(Cid, Vec<u8>)>;

pub(crate) struct Node<'a> {
    shared: &'a Shared<'a>,
    chain: &'a mut Chain,
    next: u64,
    fork: Option<Rival>,
    forks: Forks,
    loaded: Loaded,
}

/// The fork that is the head.
struct Rival {
    number: u64,
    tipset: Tipset,
}

impl<'a> Node<'a> {
    /// A node that goes on with the tipset `next`.
    pub(crate) fn new(shared: &'a Shared<'a>, chain: &'a mut Chain, next: u64, forks: Forks) -> Self {
        let loaded = Loaded { latencies: Latencies::default(), checked: 0, checks: 0 };
        Self { shared, chain, next, fork: None, forks, loaded }
    }

    /// Runs until told to stop, or until the clock says `until`.
    pub(crate) fn run(mut self, until: Option<Duration>, check_every: Option<Duration>) -> Result<Loaded> {
        let clock = self.shared.clock;
        let mut check_at = check_every.map(|every| clock.elapsed() + every);
        while self.shared.goes_on() && until.is_none_or(|until| clock.elapsed() < until) {
            self.step()?;
            if let (Some(at), Some(every)) = (check_at, check_every)
                && clock.elapsed() >= at
            {
                self.check()?;
                check_at = Some(clock.elapsed() + every);
            }
        }
        self.shared.folder.store().wait_idle();
        Ok(self.loaded)
    }

    fn step(&mut self) -> Result<()> {
        let made = self.chain.tipset(self.next)?.clone();
        let mut blocks = self.chain.blocks_of(&made);
        self.put(&blocks, Some(made.number))?;
        let again = self.shared_with_older(&made, &blocks)?;
        self.put(&again, None)?;
        blocks.extend(again);
        let tipset = self.tipset(&made)?;
        let rival = self.fork.take();
        let revert = rival.iter().map(|rival| rival.tipset.clone()).collect();
        self.move_head(made.number, revert, tipset.clone())?;
        match made.branch {
            Branch::Fork => self.fork = Some(Rival { number: made.number, tipset }),
            Branch::Canonical => {
                self.turn_back(&made, tipset, rival)?;
                self.show(&made, blocks)?;
                self.shared.in_hand.put_down();
            }
        }
        self.next += 1;
        if self.next.is_multiple_of(FLUSH_EVERY) {
            self.shared.folder.store().flush()?;
            self.shared.log.append(Ack::Flushed(made.number))?;
            self.shared.log.sync()?;
        }
        Ok(())
    }

    fn put(&mut self, blocks: &Blocks, tipset: Option<u64>) -> Result<()> {
        let shared = self.shared;
        shared.in_hand.take_up(blocks.iter().map(|(cid, _)| *cid));
        let mut done = 0;
        for chunk in blocks.chunks(BATCH) {
            let batch: Vec<Block<'_>> = chunk.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
            let store = shared.folder.store();
            let (put, ..) = shared.timed(&mut self.loaded.latencies, Op::Batch, || store.put_many(&batch));
            put.context("put blocks of a tipset")?;
            done += batch.len() as u64;
            if let Some(tipset) = tipset {
                shared.log.append(Ack::Put { tipset, blocks: done })?;
            }
        }
        Ok(())
    }

    /// Messages and receipts of this tipset that the generator made for an older one, such as the empty list.
    /// A node writes them anew, and has to: the store may have let go of them.
    fn shared_with_older(&self, made: &Made, new: &Blocks) -> Result<Blocks> {
        let mut roots = Vec::new();
        for cid in &made.key {
            let data = self.chain.blocks().get(cid).context("a header that the chain made")?;
            let header = self.shared.folder.chain().header(cid, data)?;
            roots.extend([header.messages, header.receipts]);
        }
        let blocks = self.chain.blocks();
        let mut below = oracle::reachable(blocks, roots)?;
        for (cid, _) in new {
            below.remove(cid);
        }
        Ok(below.into_iter().filter_map(|cid| Some((cid, blocks.get(&cid)?.clone()))).collect())
    }

    fn tipset(&self, made: &Made) -> Result<Tipset> {
        let tipset = self.shared.folder.chain().tipset(&TipsetKey::new(made.key.clone()))?;
        tipset.with_context(|| format!("tipset {} was put and is not there", made.number))
    }

    fn move_head(&self, number: u64, revert: Vec<Tipset>, apply: Tipset) -> Result<()> {
        let shared = self.shared;
        shared.live.moving_to(apply.height.height());
        shared.log.append(Ack::Moving(number))?;
        let change = HeadChange { revert, apply: vec![apply] };
        shared.folder.head_change(&change).with_context(|| format!("move the head to {number}"))?;
        shared.log.append(Ack::Head(number))
    }

    /// A reorganisation and back: every other fork becomes the head once more, for as long as a flush takes, or
    /// until the run that its head may have started is over.
    fn turn_back(&self, made: &Made, tipset: Tipset, rival: Option<Rival>) -> Result<()> {
        let Some(rival) = rival.filter(|rival| rival.number.is_multiple_of(2)) else { return Ok(()) };
        if self.forks == Forks::Trusted {
            self.shared.in_hand.put_down();
        }
        self.move_head(rival.number, vec![tipset.clone()], rival.tipset.clone())?;
        match rival.number % 4 {
            0 => self.shared.folder.store().wait_idle(),
            _ => self.shared.folder.store().flush()?,
        }
        self.move_head(made.number, vec![rival.tipset], tipset)
    }

    /// Lets readers have what hangs from the new head. Nothing keeps genesis' messages, so it is left out.
    fn show(&self, made: &Made, blocks: Blocks) -> Result<()> {
        if made.height == 0 {
            return Ok(());
        }
        let all: oracle::Blocks = blocks.into_iter().collect();
        let below = oracle::reachable(&all, made.key.iter().copied())?;
        let blocks = all.into_iter().filter(|(cid, _)| below.contains(cid)).collect();
        self.shared.live.push(LiveTipset { height: made.height, blocks });
        Ok(())
    }

    /// Checks all laws between two runs; the others go on.
    fn check(&mut self) -> Result<()> {
        let shared = self.shared;
        shared.folder.store().wait_idle();
        let stage = shared.watch.now().stage;
        shared.watch.enter(Stage::Checking);
        let acked = Acknowledged::read(shared.log.path(), Survives::Everything)?;
        let verdict = sound(check(shared.folder, shared.life, self.chain, &acked)?)?;
        shared.watch.enter(stage);
        self.loaded.checked += verdict.blocks;
        self.loaded.checks += 1;
        Ok(())
    }
}
