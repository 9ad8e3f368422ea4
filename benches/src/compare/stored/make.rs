//! Makes a store: one thread generates, the other writes.
//!
//! ```text
//!   blocks .. | compact, close, open | blocks .. | full reclaim | dry run: what is live
//! ```

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow};
use cid::Cid;
use splitstore_domain::Settings;
use splitstore_fixtures::{Branch, ChainGenerator};
use splitstore_orchestrator::MarkStrategy;
use splitstore_ports::{Block, BlockWrite, HotStore, Interrupt, NoObserver, ReclaimMode};

use super::{NOTE, Note, RECENT};
use crate::compare::plan::Plan;
use crate::compose::{self, Composed, hot_path};
use crate::probes::files;

/// Blocks in one put.
const BATCH: usize = 4096;
/// Batches that may wait.
const WAITING: usize = 16;
/// CIDs of live blocks that are kept, about.
const RECENTS: u64 = 200_000;

type Blocks = Vec<(Cid, Vec<u8>)>;

/// What the generator sends.
enum Sent {
    Blocks(Blocks),
    /// All blocks up to this head have been sent: compact.
    Compact(Vec<Cid>),
}

/// The head, and what is live for sure.
struct Made {
    head: Vec<Cid>,
    recent: Vec<Cid>,
}

pub(super) fn make(folder: &Path, plan: &Plan) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let made = fill(folder, plan)?;
    let composed = open(folder, plan)?;
    let hot = composed.hot.maintenance().context("rocksdb can reclaim")?;
    hot.reclaim(ReclaimMode::Full, &Interrupt::new())?;
    composed.start(&made.head)?;
    let tally = composed.store.plan()?;
    let dead = tally.candidates();
    composed.store.close()?;
    drop(composed);
    write_recent(&folder.join(RECENT), &made.recent)?;
    let note = Note {
        plan: plan.fingerprint(),
        name: plan.name.into(),
        finality: plan.finality,
        head: made.head.iter().map(Cid::to_string).collect(),
        blocks: tally.keep.blocks + dead.blocks,
        bytes: tally.keep.bytes.0 + dead.bytes.0,
        files: files::size(&hot_path(folder))?,
        live: tally.keep.blocks,
    };
    Ok(std::fs::write(folder.join(NOTE), serde_json::to_string_pretty(&note)?)?)
}

fn open(folder: &Path, plan: &Plan) -> Result<Composed> {
    // It keeps a link index; who does not want it opens the store in another way.
    let settings = Settings { finality_epochs: plan.finality, ..Settings::default() };
    compose::open_as(folder, settings, MarkStrategy::Links, Arc::new(NoObserver))
}

fn fill(folder: &Path, plan: &Plan) -> Result<Made> {
    let (send, receive) = sync_channel(WAITING);
    thread::scope(|scope| {
        let generator = scope.spawn(move || generate(plan, &send));
        let written = write(folder, plan, &receive);
        // A generator that still sends is told that nobody listens.
        drop(receive);
        let made = generator.join().map_err(|_| anyhow!("the generator panicked"))?;
        written.and(made)
    })
}

fn write(folder: &Path, plan: &Plan, receive: &Receiver<Sent>) -> Result<()> {
    let mut composed = open(folder, plan)?;
    for sent in receive {
        match sent {
            Sent::Blocks(blocks) => {
                let blocks: Vec<_> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
                composed.store.put_many(&blocks)?;
            }
            Sent::Compact(head) => {
                composed.start(&head)?;
                composed.store.compact()?;
                composed.store.close()?;
                drop(composed);
                composed = open(folder, plan)?;
            }
        }
    }
    Ok(composed.store.close()?)
}

fn generate(plan: &Plan, send: &SyncSender<Sent>) -> Result<Made> {
    let mut chain = ChainGenerator::new(&plan.spec)?;
    // Inside the window, with room for what its first tipsets share with those before.
    let from = plan.spec.epochs.saturating_sub(plan.finality * 3);
    let send = |sent| send.send(sent).map_err(|_| anyhow!("the writer has ended"));
    let (mut pending, mut recent, mut head) = (Blocks::new(), Vec::new(), Vec::new());
    let mut compacted = false;
    loop {
        let first = pending.len();
        let made = chain.next_tipset(&mut |cid, data| {
            pending.push((*cid, data.to_vec()));
            Ok::<_, io::Error>(())
        })?;
        let Some(made) = made else { break };
        if made.branch == Branch::Canonical {
            head = made.key;
            if made.height > from {
                recent.extend(pending.iter().skip(first).map(|(cid, _)| *cid));
            }
        }
        let due = !compacted && made.branch == Branch::Canonical && made.height >= plan.compacted;
        if pending.len() >= BATCH || due {
            send(Sent::Blocks(std::mem::take(&mut pending)))?;
        }
        if due {
            compacted = true;
            send(Sent::Compact(head.clone()))?;
        }
    }
    send(Sent::Blocks(pending))?;
    let each = recent.len().div_ceil(usize::try_from(RECENTS)?).max(1);
    Ok(Made { head, recent: recent.into_iter().step_by(each).collect() })
}

fn write_recent(path: &Path, cids: &[Cid]) -> Result<()> {
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    cids.iter().try_for_each(|cid| file.write_all(&cid.to_bytes()))?;
    Ok(file.flush()?)
}
