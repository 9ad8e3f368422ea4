//! Plays a chain into a store: puts blocks, moves the head, compacts when the trigger says so.

use anyhow::{Context, Result};
use splitstore::domain::trigger::Decision;
use splitstore::domain::{HeadChange, TipsetKey};
use splitstore::folder::StoreFolder;
use splitstore::ports::cid::Cid;
use splitstore::ports::{Block, BlockWrite, ChainAccessor};

use super::feed::{Fed, Feed};
use super::judge::Judge;
use super::report::Report;

/// Blocks in one put.
const BATCH: usize = 4096;

/// Plays all of `chain`. A chain too short to compact by itself is compacted once at its end.
pub(super) fn play(folder: &StoreFolder, chain: &mut dyn Feed, report: &mut Report) -> Result<()> {
    let mut judge = Judge::default();
    let mut blocks: Vec<(Cid, Vec<u8>)> = Vec::new();
    let began = folder.clock().elapsed();
    if let Some(height) = chain.snapshot() {
        folder.store().note_snapshot(height)?;
    }
    loop {
        blocks.clear();
        let fed = chain.next(&mut |cid, data| {
            blocks.push((*cid, data.to_vec()));
            Ok(())
        })?;
        put(folder, &blocks)?;
        judge.expect(&blocks);
        match fed {
            None => break,
            Some(Fed::Aside) => {}
            Some(Fed::Head(key)) => {
                if let Some(Decision::Compact(_)) = move_head(folder, &key)? {
                    compact(folder, &judge, report)?;
                }
            }
        }
    }
    if report.compactions() == 0 {
        compact(folder, &judge, report)?;
    }
    report.played(judge.blocks(), judge.bytes(), folder.clock().elapsed().saturating_sub(began));
    Ok(())
}

fn put(folder: &StoreFolder, blocks: &[(Cid, Vec<u8>)]) -> Result<()> {
    for chunk in blocks.chunks(BATCH) {
        let batch: Vec<Block<'_>> = chunk.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        folder.store().put_many(&batch)?;
    }
    Ok(())
}

fn move_head(folder: &StoreFolder, key: &TipsetKey) -> Result<Option<Decision>> {
    let tipset = folder.chain().tipset(key)?;
    let tipset = tipset.with_context(|| format!("tipset {key} was put and is not there"))?;
    Ok(folder.head_change(&HeadChange { apply: vec![tipset], ..HeadChange::default() })?)
}

fn compact(folder: &StoreFolder, judge: &Judge, report: &mut Report) -> Result<()> {
    let done = folder.store().compact()?;
    let began = folder.clock().elapsed();
    let verdict = judge.judge(folder)?;
    report.compaction(done, &verdict, folder.clock().elapsed().saturating_sub(began))
}
