//! The machine: asks whether a subtree is there, or how large it is; told that it is, it writes a parent on top
//! and relies on all of it.
//!
//! Every fourth round it asks and writes nothing: the answer alone must keep what it speaks of, which nothing
//! else does.
//!
//! A run owes this only to who asked while it went on, from mark to purge. So the stage is read before the
//! question and after the last write; what was asked in no run is written down as such.

use std::collections::VecDeque;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use splitstore::domain::Phase;
use splitstore::ports::cid::Cid;
use splitstore::ports::{Block, BlockRead, BlockWrite};

use crate::load::Shared;
use crate::watch::Moment;
use crate::{Ack, Latencies, Op, Stage, dag};

/// Between two rounds.
const PAUSE: Duration = Duration::from_micros(700);
/// Rounds of one run that are looked at again after it.
const REMEMBERED: usize = 1024;

struct Machine<'a> {
    shared: &'a Shared<'a>,
    latencies: Latencies,
    /// What the run of this number owes.
    owed: VecDeque<Vec<Cid>>,
    run: u64,
}

/// Goes on with `round` until told to stop.
pub(crate) fn run(shared: &Shared<'_>, first: u64) -> Result<Latencies> {
    let mut machine = Machine { shared, latencies: Latencies::default(), owed: VecDeque::new(), run: 0 };
    for round in first.. {
        if !shared.goes_on() {
            break;
        }
        match round % 4 {
            3 => machine.ask(round)?,
            _ => machine.build(round)?,
        }
        machine.look_back()?;
        thread::park_timeout(PAUSE);
    }
    Ok(machine.latencies)
}

impl Machine<'_> {
    /// Asks for a subtree that nobody builds on, and writes it if it is not there.
    fn ask(&mut self, round: u64) -> Result<()> {
        let (shared, subtree) = (self.shared, dag::asked_for(self.shared.life.seed, round)?);
        let (top, _) = subtree.last().context("a subtree has a top")?;
        let asked = shared.watch.now();
        if !self.is_there(top, round)? {
            return self.put(&subtree).map(drop);
        }
        if in_one_run(asked, shared.watch.now()) {
            self.remember(subtree.iter().map(|(cid, _)| *cid).collect(), asked.run);
        }
        Ok(())
    }

    /// Three ways to ask; each promises the same.
    fn is_there(&self, cid: &Cid, round: u64) -> Result<bool> {
        let store = self.shared.folder.store();
        Ok(match round / 4 % 3 {
            0 => store.size(cid)?.is_some(),
            1 => store.get(cid)?.is_some(),
            _ => store.has(cid)?,
        })
    }

    /// Writes, and says when it was done.
    fn put(&mut self, blocks: &[(Cid, Vec<u8>)]) -> Result<Moment> {
        let blocks: Vec<Block<'_>> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        let store = self.shared.folder.store();
        let (put, _, wrote) = self.shared.timed(&mut self.latencies, Op::Put, || store.put_many(&blocks));
        put.context("put blocks of the machine")?;
        Ok(wrote)
    }

    /// Writes a parent on top of a subtree, and the subtree if it is not there.
    fn build(&mut self, round: u64) -> Result<()> {
        let shared = self.shared;
        let dag = dag::of_round(shared.life.seed, round)?;
        let [below @ .., parent] = dag.as_slice() else { return Ok(()) };
        let (top, _) = below.last().context("a subtree has a top")?;
        let asked = shared.watch.now();
        let new = if self.is_there(top, round)? { std::slice::from_ref(parent) } else { &dag };
        let wrote = self.put(new)?;
        let owed = in_one_run(asked, wrote);
        let run = if owed { shared.compactions + asked.run } else { 0 };
        shared.log.append(Ack::Parent { round, run })?;
        if owed {
            let cids: Vec<Cid> = dag.iter().map(|(cid, _)| *cid).collect();
            self.rely(&cids, asked)?;
            self.remember(cids, asked.run);
        }
        Ok(())
    }

    /// All of it must be there as long as the run goes on.
    fn rely(&self, cids: &[Cid], asked: Moment) -> Result<()> {
        for cid in cids {
            if !self.shared.folder.store().has(cid)? && in_one_run(asked, self.shared.watch.now()) {
                bail!("block {cid} is gone in run {} that was asked in {}", asked.run, asked.stage);
            }
        }
        Ok(())
    }

    fn remember(&mut self, cids: Vec<Cid>, run: u64) {
        if self.run != run {
            self.owed.clear();
            self.run = run;
        }
        if self.owed.len() < REMEMBERED {
            self.owed.push_back(cids);
        }
    }

    /// After its purge, and before the next one begins, a run must have left all that it owed. The look leaves
    /// no trace in the store.
    fn look_back(&mut self) -> Result<()> {
        let view = self.shared.folder.store().untracked();
        while !self.owed.is_empty() && self.is_over() {
            for cid in self.owed.pop_front().unwrap_or_default() {
                if !view.has(&cid)? && self.is_over() {
                    bail!("block {cid} is gone after run {} that had answered for it", self.run);
                }
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let now = self.shared.watch.now();
        let after = matches!(now.stage, Stage::Loaded(Phase::Commit | Phase::Idle));
        now.run == self.run && after
    }
}

fn in_one_run(first: Moment, last: Moment) -> bool {
    first.run == last.run && first.owes() && last.owes()
}
