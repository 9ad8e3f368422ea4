//! Latency beside a compaction of a large store, against the same threads without one, in one run.
//!
//! ```text
//!   two readers, one writer   at full speed from the first segment to the last
//!   segments                  idle | busy | prepare mark collect transfer seal purge commit | idle again
//!                                     '- a fourth thread hashes instead of a compaction
//! ```
//! Four threads on fewer processors wait for each other, whatever the fourth does: what `busy` shows is the
//! machine's doing, what a phase shows beyond it is ours. Readers also time a hash of a block in memory, which
//! touches no store: that is the scheduler alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use multihash_codetable::{Code, MultihashDigest};
use splitstore::domain::{HeadChange, Phase, Settings, TipsetKey};
use splitstore::folder::{FolderSettings, Opening, StoreFolder};
use splitstore::ports::cid::Cid;
use splitstore::ports::{Block, BlockWrite, BlockWriteExt, ChainAccessor, Clock, Event, Observer};
use splitstore::system::SystemClock;
use splitstore::{SplitStore, Trigger, domain::digest};
use splitstore_fixtures::{Branch, ChainGenerator, ChainSpec};

use crate::segments::{Measured, Segment, Table};
use crate::{Dice, Op, Steal};

/// Blocks in one put of the loader.
const BATCH: usize = 1024;
/// Blocks that the writer puts in turn.
const RING: u64 = 100_000;
/// Bytes of each of them.
const WRITTEN: usize = 256;
const RAW: u64 = 0x55;
/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_millis(1);
/// Readers.
const READERS: usize = 2;
/// Readers and the writer.
const THREADS: usize = READERS + 1;

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct Orders {
    /// Height of the chain.
    pub epochs: u64,
    /// Actors in its state.
    pub actors: u64,
    /// How long the segments without a compaction last.
    pub each: Duration,
    /// Seed of the chain and of what is read.
    pub seed: u64,
}

/// The segment that all threads are in: the observer of the store whose compaction is measured.
#[derive(Debug, Default)]
pub struct Now(AtomicUsize);

impl Now {
    fn get(&self) -> Segment {
        Segment::at(self.0.load(Ordering::SeqCst))
    }

    fn set(&self, segment: Segment) {
        self.0.store(segment.index(), Ordering::SeqCst);
    }
}

impl Observer for Now {
    fn on_event(&self, event: &Event) {
        if let Event::PhaseStarted(phase) = event {
            self.set(Segment::Phase(*phase));
        }
    }
}

/// Loads a store in `folder`, compacts it under load, and gives latencies by segment.
pub fn run(folder: &Path, orders: &Orders) -> Result<Table> {
    let now = Arc::new(Now::default());
    let (store, live) = load(folder, orders, now.clone())?;
    let table = beside(store.store(), &live, &now, (orders.each, orders.seed))?;
    store.close().context("close the store")?;
    Ok(table)
}

/// Latencies of a store that has its chain and tells `now` of its phases, beside one compaction; `live` is read. How
/// long the segments without a compaction last, and the seed of what is read.
pub fn beside(store: &SplitStore, live: &[Cid], now: &Now, (each, seed): (Duration, u64)) -> Result<Table> {
    let (ring, clock) = ((0..RING).map(written).collect(), SystemClock::new());
    Bench { store, live, ring, now, clock, seed, turns: Default::default() }.run(each)
}

/// The store with its chain, and blocks that stay live.
fn load(folder: &Path, orders: &Orders, now: Arc<Now>) -> Result<(StoreFolder, Vec<Cid>)> {
    let kept = orders.epochs * 2 / 5;
    let windows = Settings {
        finality_epochs: kept / 4,
        boundary_finalities: 4,
        threshold_finalities: 5,
        ..Settings::default()
    };
    let path = folder.join("store");
    StoreFolder::create(&path, &FolderSettings { windows, ..FolderSettings::default() })?;
    let opening = Opening { trigger: Trigger::Manual, observer: now, ..Opening::default() };
    let store = StoreFolder::open_with(&path, &opening)?;
    let live = fill(&store, orders, orders.epochs - kept * 3 / 4)?;
    Ok((store, live))
}

/// Puts the chain, makes its last tipset the head; gives the blocks that came above `from`.
fn fill(store: &StoreFolder, orders: &Orders, from: u64) -> Result<Vec<Cid>> {
    let Orders { epochs, actors, seed, .. } = *orders;
    let mut chain = ChainGenerator::new(&ChainSpec { epochs, actors, seed, ..ChainSpec::default() })?;
    let (mut live, mut pending, mut head, mut blocks) = (Vec::new(), Vec::new(), Vec::new(), 0);
    loop {
        let first = pending.len();
        let made = chain.next_tipset(&mut |cid, data| {
            pending.push((*cid, data.to_vec()));
            Ok::<_, std::io::Error>(())
        })?;
        let Some(made) = made else { break };
        if made.branch == Branch::Canonical {
            head = made.key;
            if made.height > from {
                live.extend(pending[first..].iter().map(|(cid, _)| *cid));
            }
        }
        if pending.len() >= BATCH {
            blocks += pending.len();
            put(store, &mut pending)?;
        }
    }
    blocks += pending.len();
    put(store, &mut pending)?;
    let tipset = store.chain().tipset(&TipsetKey::new(head))?.context("the head was put")?;
    store.head_change(&HeadChange { apply: vec![tipset], ..HeadChange::default() })?;
    println!("{blocks} blocks put, {} of them to read", live.len());
    Ok(live)
}

fn put(store: &StoreFolder, pending: &mut Vec<(Cid, Vec<u8>)>) -> Result<()> {
    let blocks: Vec<Block<'_>> = pending.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
    store.store().put_many(&blocks)?;
    pending.clear();
    Ok(())
}

/// What the threads share.
struct Bench<'a> {
    store: &'a SplitStore,
    live: &'a [Cid],
    ring: Vec<(Cid, Vec<u8>)>,
    now: &'a Now,
    clock: SystemClock,
    seed: u64,
    /// Operations of each thread.
    turns: [AtomicU64; THREADS],
}

impl Bench<'_> {
    fn run(&self, each: Duration) -> Result<Table> {
        thread::scope(|scope| {
            let thread = |number| scope.spawn(move || self.work(number));
            let threads: Vec<_> = (0..THREADS).map(thread).collect();
            let host = scope.spawn(|| self.watch_host());
            let conducted = self.conduct(each);
            self.now.set(Segment::Over);
            let mut table = Table::default();
            for thread in threads {
                table.merge(&thread.join().map_err(|_| anyhow!("a thread panicked"))??);
            }
            table.blame(host.join().map_err(|_| anyhow!("a thread panicked"))?);
            conducted.map(|()| table)
        })
    }

    fn watch_host(&self) -> Steal {
        let mut steal = Steal::default();
        while self.now.get() != Segment::Over {
            steal.sample(self.clock.elapsed());
            thread::park_timeout(Steal::EVERY);
        }
        // The count of what was taken last may be late.
        thread::park_timeout(Steal::EVERY * 2);
        steal.sample(self.clock.elapsed());
        steal
    }

    /// Goes from segment to segment.
    fn conduct(&self, each: Duration) -> Result<()> {
        // Caches fill, memtables reach their size.
        self.stay(each / 2, || thread::park_timeout(PAUSE));
        self.now.set(Segment::Idle);
        self.stay(each, || thread::park_timeout(PAUSE));
        self.now.set(Segment::Busy);
        self.stay(each, hash);
        self.now.set(Segment::Phase(Phase::Prepare));
        let report = self.store.compact().context("compact under load")?;
        self.now.set(Segment::IdleAgain);
        self.stay(each, || thread::park_timeout(PAUSE));
        eprintln!("{report}");
        Ok(())
    }

    /// Lets `time` pass, and more until each thread has begun and ended an operation in it.
    fn stay(&self, time: Duration, meanwhile: impl Fn()) {
        let (end, before) = (self.clock.elapsed() + time, self.turns());
        let moved = || self.turns().iter().zip(&before).all(|(now, before)| *now > before + 1);
        while self.now.get() != Segment::Over && (self.clock.elapsed() < end || !moved()) {
            meanwhile();
        }
    }

    fn turns(&self) -> [u64; THREADS] {
        self.turns.each_ref().map(|turns| turns.load(Ordering::SeqCst))
    }

    /// A thread that fails ends them all.
    fn work(&self, number: usize) -> Result<Table> {
        let done = if number < READERS { self.read(number) } else { self.write() };
        self.now.set(Segment::Over);
        done
    }

    fn read(&self, number: usize) -> Result<Table> {
        let (mut dice, mut measured) = (Dice::new(self.seed, number as u64), Measured::new(self.clock));
        let (control, data) = written(0);
        while self.now.get() != Segment::Over {
            let cid = dice.pick(self.live).context("there are live blocks")?;
            let found = measured.time(Op::Get, || self.now.get(), || self.store.get(cid))?;
            ensure!(found.is_some(), "live block {cid} is not there in {}", self.now.get());
            measured.time(Op::Control, || self.now.get(), || digest::verify(&control, &data).is_ok());
            self.turns[number].fetch_add(1, Ordering::SeqCst);
        }
        Ok(measured.table)
    }

    fn write(&self) -> Result<Table> {
        let mut measured = Measured::new(self.clock);
        for (cid, data) in self.ring.iter().cycle() {
            if self.now.get() == Segment::Over {
                break;
            }
            measured.time(Op::Put, || self.now.get(), || self.store.put(cid, data))?;
            self.turns[READERS].fetch_add(1, Ordering::SeqCst);
        }
        Ok(measured.table)
    }
}

fn hash() {
    let data = [7; 4096];
    std::hint::black_box(Code::Blake2b256.digest(std::hint::black_box(&data)));
}

fn written(number: u64) -> (Cid, Vec<u8>) {
    let data = number.to_le_bytes().repeat(WRITTEN / 8);
    (Cid::new_v1(RAW, Code::Blake2b256.digest(&data)), data)
}
