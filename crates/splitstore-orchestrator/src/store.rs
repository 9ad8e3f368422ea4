//! The store as a node sees it: two-tier reads, one write path, compaction on demand and by head change.
//!
//! ```text
//!   get/has/view/size   identity CID? -> from the CID
//!                       hot (through the filter, if one is on) -> cold
//!   put_many            mark or record -> hot
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use splitstore_domain::retain::{self, Root};
use splitstore_domain::trigger::{self, Decision};
use splitstore_domain::{
    Audit, CompactionPlan, CompactionReport, Epoch, HeadChange, HeaderView, Pacing, Phase, PhaseReport,
    Policy, TierSizes, Tipset, Window,
};
use splitstore_ports::{
    ChainAccessor, Clock, ErrorKind, Event, FileSystem, HeadListener, Interrupt, Observer, PortError,
    Result as PortResult,
};

use crate::components::{Components, ExactFactory, MarkSets, Options, Trigger};
use crate::conductor::{Conductor, Room};
use crate::control::{Failure, UnderWay};
use crate::error::{Error, Result, with_causes};
use crate::forks::Forks;
use crate::ledger::Ledger;
use crate::links::LinkIndex;
use crate::pacer::Pacer;
use crate::protection::Protection;
use crate::protector::Protector;
use crate::recover::Found;
use crate::run::{Purging, Run, Step};
use crate::tiers::Tiers;

/// A block store of two tiers that compacts itself. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct SplitStore {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share, and what a run works on.
pub(crate) struct Inner {
    pub(crate) tiers: Tiers,
    pub(crate) files: Arc<dyn FileSystem>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) marks: MarkSets,
    pub(crate) spill: Option<Arc<dyn ExactFactory>>,
    pub(crate) ledger: Ledger,
    pub(crate) forks: Forks,
    /// Headers that no walk has to pass again.
    pub(crate) tenured: crate::tenured::Keeper,
    pub(crate) links: LinkIndex,
    pub(crate) options: Options,
    pub(crate) protection: Protection,
    pub(crate) protectors: Mutex<Vec<Arc<dyn Protector>>>,
    pub(crate) conductor: Conductor,
    pub(crate) pacer: Pacer,
    /// For adapters that work long in one call.
    pub(crate) interrupt: Interrupt,
    /// What `status` shows.
    pub(crate) under_way: Mutex<UnderWay>,
    /// What the run under way will move, and delete at most, in blocks; known once it has collected.
    pub(crate) planned: Mutex<(u64, u64)>,
    /// Held for the whole of a run: one at a time.
    running: Mutex<()>,
    chain: OnceLock<Arc<dyn ChainAccessor>>,
    worker: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// What a store knows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Boundary of the last finished compaction, or the head at the first start.
    pub base: Option<Epoch>,
    /// Finished compactions.
    pub compactions: u64,
    /// The chain's head.
    pub head: Option<Tipset>,
    /// Where a run stands, with its counts so far.
    pub phase: PhaseReport,
    /// Bytes on disk.
    pub sizes: TierSizes,
    /// Blocks that hot has read out of damaged pages since the store was opened: if there are any, the disk loses data.
    pub salvaged: u64,
    /// Logs of hot that had damage before sound records when the store was opened: what they held from there on is gone.
    pub damaged_logs: Vec<PathBuf>,
    /// The last run that failed since the store was opened, unless one has succeeded after it.
    pub last_failure: Option<Failure>,
}

impl SplitStore {
    /// Composes a store and takes up what a crash left behind: a run that had not sealed is dropped; of one that
    /// had, the filter is on before this returns, and its purge is finished: on a thread of its own with
    /// [`Trigger::Automatic`], before this returns with [`Trigger::Manual`], and by whoever steps
    /// [`SplitStore::begin_rest`] with [`Trigger::Stepped`].
    pub fn open(components: Components, options: Options) -> Result<Self> {
        let Components { hot, cold, meta, files, clock, observer, marks, spill } = components;
        let ledger = Ledger::new(meta.clone());
        let links = LinkIndex::new(&options, &*hot, &ledger)?;
        let inner = Arc::new(Inner {
            tiers: Tiers::new(hot, cold),
            files,
            clock,
            observer,
            marks,
            spill,
            ledger,
            forks: Forks::new(meta, options.policy.settings().finality_epochs),
            tenured: crate::tenured::Keeper::default(),
            links,
            conductor: Conductor::new(options.sync),
            pacer: Pacer::new(options.pacing),
            options,
            protection: Protection::default(),
            protectors: Mutex::default(),
            interrupt: Interrupt::new(),
            under_way: Mutex::default(),
            planned: Mutex::default(),
            running: Mutex::default(),
            chain: OnceLock::new(),
            worker: Mutex::default(),
        });
        let store = Self { inner };
        crate::links::open(&store.inner)?;
        if crate::recover::recover(&store.inner)? == Found::Sealed {
            match store.inner.options.trigger {
                Trigger::Manual => store.inner.finish_earlier()?,
                // Reads and writes go through the filter meanwhile.
                Trigger::Automatic => store.spawn(|inner| inner.standing_back(|| inner.finish_earlier())),
                Trigger::Stepped => {}
            }
        }
        Ok(store)
    }

    /// Gives the store its chain. The base of a new store is the head it first sees.
    ///
    /// The store holds `chain` as long as it lives. A chain that reads its blocks from this store reads them through
    /// [`SplitStore::untracked`]: one that held a clone would keep the store, and so its engines, open for ever, and
    /// each header that it reads would count as touched.
    pub fn start(&self, chain: Arc<dyn ChainAccessor>) -> Result<()> {
        if let Some(head) = chain.heaviest()? {
            self.inner.ledger.base_or_set(head.height)?;
            self.inner.observe(&head);
        }
        let listener: Arc<dyn HeadListener> = Arc::new(Listener(Arc::downgrade(&self.inner)));
        let chain = self.inner.chain.get_or_init(|| chain);
        Ok(chain.subscribe(listener)?)
    }

    /// Notes that a snapshot up to `head` is being taken in. At and below that height a state or a list of
    /// messages may be absent as a whole: the snapshot did not hold it. A new store takes the first head it
    /// sees for its snapshot.
    pub fn note_snapshot(&self, head: Epoch) -> Result<()> {
        Ok(self.inner.ledger.set_snapshot(head)?)
    }

    /// Asks `protector` for roots at the start of every run.
    pub fn add_protector(&self, protector: Arc<dyn Protector>) {
        self.inner.protectors.lock().push(protector);
    }

    /// Compacts now, whatever the trigger says, and returns when that is over.
    pub fn compact(&self) -> Result<CompactionReport> {
        self.inner.compact(self.inner.window_now()?)
    }

    /// What compacting now would do; changes nothing.
    pub fn plan(&self) -> Result<CompactionPlan> {
        let mut run = self.begin_plan()?;
        loop {
            if let Step::Planned(plan) = self.inner.next_step(&mut run)? {
                return Ok(plan);
            }
        }
    }

    /// Begins a run that the caller steps: for schedulers and simulators. If the purge of an earlier run is
    /// unfinished it comes first, in steps of this run.
    pub fn begin(&self) -> Result<Run<'_>> {
        self.inner.begin(self.inner.window_now()?)
    }

    /// Begins a run that ends with [`Step::Planned`] and changes nothing.
    pub fn begin_plan(&self) -> Result<Run<'_>> {
        Ok(self.begin()?.dry())
    }

    /// Takes up the purge of a run that sealed before the last restart, or failed after its seal, for the caller to
    /// step; `None` if there is none. It ends with [`Step::FinishedEarlier`].
    pub fn begin_rest(&self) -> Result<Option<Run<'_>>> {
        self.inner.begin_rest()
    }

    /// Looks at a new head and says what it asks for. With [`Trigger::Automatic`] the run starts on a thread
    /// of its own. A head change that only reverts asks for nothing.
    ///
    /// What it reverts is remembered, durably, and kept by every run as the chain itself is, until the head is more
    /// than a finality past it. A node makes its new head durable after this has returned. If it fails, the store relies
    /// on some of what the change names and not on all of it: a node makes the same call again before it goes on.
    pub fn head_change(&self, change: &HeadChange) -> Result<Option<Decision>> {
        let remembered = self.inner.forks.remember(change);
        // What is reverted too: a run may have begun between the chain's new head and the line above. All of it even
        // if something fails: a chain may have moved already when it tells.
        let relied = self.inner.rely_on_tipsets(change);
        remembered.and(relied)?;
        let Some(head) = change.apply.last() else { return Ok(None) };
        let base = self.inner.ledger.base_or_set(head.height)?;
        let decision = self.inner.decide(head, base)?;
        match &decision {
            Decision::Compact(window) => self.start_worker(*window),
            Decision::Wait(why) => self.inner.observer.on_event(&Event::Waiting(why.clone())),
        }
        Ok(Some(decision))
    }

    /// Waits until no run that a head change started is active.
    pub fn wait_idle(&self) {
        let worker = self.inner.worker.lock().take();
        if let Some(worker) = worker {
            // A panic of the worker has been printed where it happened; the lock it held is free.
            let _ = worker.join();
        }
    }

    /// Checks every block's hash and that everything live is there.
    pub fn audit(&self) -> Result<Audit> {
        crate::audit::audit(&self.inner)
    }

    /// Base, counts, sizes, phase.
    pub fn info(&self) -> Result<Info> {
        let inner = &self.inner;
        Ok(Info {
            base: inner.ledger.base()?,
            compactions: inner.ledger.index()?,
            head: inner.chain.get().map(|chain| chain.heaviest()).transpose()?.flatten(),
            phase: inner.under_way.lock().report,
            sizes: inner.tiers.sizes()?,
            salvaged: inner.tiers.salvaged(),
            damaged_logs: inner.tiers.damaged_logs().to_vec(),
            last_failure: self.last_failure(),
        })
    }

    /// Makes everything written so far durable, cold first: what left hot must be there.
    pub fn flush(&self) -> Result<()> {
        self.inner.tiers.cold.sync()?;
        Ok(self.inner.tiers.hot.sync()?)
    }

    /// Stops a run between two of its steps, and lets none take a step afterwards. Waits for nothing: who steps a
    /// [`Run`] calls this, drops the run, and closes.
    pub fn stop(&self) {
        self.inner.interrupt.raise();
        self.inner.conductor.close();
    }

    /// Stops a run between two of its steps, waits for it, and makes everything durable. A run that had sealed is
    /// finished by the next open. No run starts afterwards, of this handle or a clone; reads and writes still go
    /// through.
    ///
    /// It waits for one step at most, in any phase, and for no longer than [`Options::close_within`] (5 s), measured
    /// on the wall and not on the clock port; then it syncs both tiers, which takes what the engines take. If the step
    /// lasts longer, as one call to a slow disk may, the answer is [`Error::StillRunning`]: everything acknowledged is
    /// durable all the same, and the run ends with that step.
    pub fn close(&self) -> Result<()> {
        self.stop();
        if self.inner.running.try_lock_for(self.inner.options.close_within).is_none() {
            self.flush()?;
            return Err(Error::StillRunning(self.inner.under_way.lock().report.phase));
        }
        // A thread that comes for the lock only now takes no step.
        self.wait_idle();
        self.flush()
    }

    /// The settings in force.
    pub fn policy(&self) -> &Policy {
        &self.inner.options.policy
    }

    fn start_worker(&self, window: Window) {
        if self.inner.options.trigger == Trigger::Automatic && !self.inner.running.is_locked() {
            self.spawn(move |inner| inner.compact(window).map(|_| ()));
        }
    }

    /// Runs `work` on a thread of its own, unless one is at work already. The observer hears of a failure, and
    /// the next head change tries again.
    fn spawn(&self, work: impl FnOnce(&Inner) -> Result<()> + Send + 'static) {
        let mut worker = self.inner.worker.lock();
        if worker.as_ref().is_some_and(|worker| !worker.is_finished()) {
            return;
        }
        let inner = self.inner.clone();
        let observer = inner.observer.clone();
        let run = move || {
            // A run reports its own failure as an event when it fails.
            let _ = work(&inner);
        };
        match std::thread::Builder::new().name("splitstore-compact".into()).spawn(run) {
            Ok(handle) => *worker = Some(handle),
            Err(error) => observer.on_event(&Event::Failed(Phase::Prepare, error.to_string())),
        }
    }
}

/// Hears the chain without keeping the store alive: the chain reads through the store, so a strong reference
/// would be a circle, and the engines' locks would never be released.
struct Listener(Weak<Inner>);

impl HeadListener for Listener {
    fn head_changed(&self, change: &HeadChange) -> PortResult<()> {
        let Some(inner) = self.0.upgrade() else { return Ok(()) };
        let heard = SplitStore { inner }.head_change(change);
        heard.map(|_| ()).map_err(|error| match error {
            Error::Port(error) => error,
            error => PortError::new(ErrorKind::Unavailable, "look at a head change", error),
        })
    }
}

impl Inner {
    /// Runs one compaction to its end, pausing when it should.
    pub(crate) fn compact(&self, window: Window) -> Result<CompactionReport> {
        self.standing_back(|| self.run_to_end(window))
    }

    /// Works on a thread of its own that stands back behind the caller's and all others, unless runs are to be fast.
    /// The caller's thread cannot: it could not step forward again.
    fn standing_back<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.options.pacing == Pacing::Fast {
            return work();
        }
        let background = || {
            self.clock.stand_back();
            work()
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("splitstore-run".into());
            let thread = thread.spawn_scoped(scope, background);
            let thread = thread.map_err(|error| {
                PortError::new(ErrorKind::Unavailable, "start a thread for a compaction", error)
            })?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn run_to_end(&self, window: Window) -> Result<CompactionReport> {
        let mut run = self.begin(window)?;
        loop {
            self.conductor.wait_to_go_on(run.phase());
            if let Step::Finished(report) = self.next_step(&mut run)? {
                return Ok(*report);
            }
        }
    }

    /// One step; then waits for as long as the step asks.
    fn next_step(&self, run: &mut Run<'_>) -> Result<Step> {
        let step = run.step()?;
        self.wait_after(&step);
        Ok(step)
    }

    fn wait_after(&self, step: &Step) {
        if let Step::Waiting(phase, until) | Step::Resting(phase, until) = step {
            self.conductor.wait(*phase, until.saturating_sub(self.clock.elapsed()));
        }
    }

    /// The node relies on these tipsets, and on the objects that their keys are stored as. The first error, after all.
    fn rely_on_tipsets(&self, change: &HeadChange) -> PortResult<()> {
        let chain = self.chain.get();
        let tipsets = change.apply.iter().chain(&change.revert);
        let cids = tipsets.flat_map(|Tipset { key, .. }| {
            key.cids().iter().copied().chain(chain.and_then(|chain| chain.key_object(key)))
        });
        cids.map(|cid| self.rely_on(&cid)).fold(Ok(()), Result::and)
    }

    /// What a new head asks for.
    fn decide(&self, head: &Tipset, base: Epoch) -> Result<Decision> {
        self.observe(head);
        self.conductor.observe_room(self.room()?);
        let decision = trigger::decide(head.height, base, &self.options.policy);
        let Decision::Compact(_) = &decision else { return Ok(decision) };
        Ok(self.conductor.reason_to_wait(self.clock.elapsed()).map_or(decision, Decision::Wait))
    }

    /// Tells the gates of a head and its age.
    fn observe(&self, head: &Tipset) {
        let age = self.clock.unix_seconds().saturating_sub(head.timestamp);
        self.conductor.observe_head(head.height, Duration::from_secs(age));
    }

    /// Whether a disk is so full that a run cannot wait.
    fn room(&self) -> Result<Room> {
        let Some(least) = self.options.pressure else { return Ok(Room::Enough) };
        let free = self.free_anywhere()?;
        Ok(if free.is_some_and(|free| free < least) { Room::Short } else { Room::Enough })
    }

    /// Ends a purge that a crash or a failure interrupted, pausing when it should.
    fn finish_earlier(&self) -> Result<()> {
        while let Some(mut run) = self.begin_rest()? {
            while !run.is_over() {
                self.conductor.wait_to_go_on(run.phase());
                let step = run.step()?;
                // Nobody reads before open has returned: no rests then.
                if !matches!(step, Step::Resting(..)) || self.options.trigger != Trigger::Manual {
                    self.wait_after(&step);
                }
            }
        }
        Ok(())
    }

    fn begin_rest(&self) -> Result<Option<Run<'_>>> {
        let exclusive = self.running.try_lock().ok_or(Error::Busy)?;
        Ok(self.unfinished()?.map(|purging| Run::rest(self, exclusive, purging)))
    }

    pub(crate) fn begin(&self, window: Window) -> Result<Run<'_>> {
        let exclusive = self.running.try_lock().ok_or(Error::Busy)?;
        let unfinished = self.unfinished()?;
        Ok(Run::new(self, exclusive, window, unfinished))
    }

    /// The purge that an earlier run left. To fail here is to have failed: it is told, and the next run waits.
    fn unfinished(&self) -> Result<Option<Purging>> {
        crate::recover::unfinished(self).inspect_err(|error| self.failed(Phase::Purge, error))
    }

    /// A run failed in this phase: it is told, and the next one waits.
    pub(crate) fn failed(&self, phase: Phase, error: &Error) {
        let was_stopped = matches!(error, Error::Stopped(_) | Error::Held { .. });
        self.conductor.broke_off(phase, (!was_stopped).then(|| with_causes(error)), self.clock.elapsed());
        self.observer.on_event(&Event::Failed(phase, error.to_string()));
    }

    /// The chain, once there is one.
    pub(crate) fn chain(&self) -> Result<&Arc<dyn ChainAccessor>> {
        self.chain.get().ok_or(Error::NotStarted)
    }

    /// The head, once there is one.
    pub(crate) fn head(&self) -> Result<Tipset> {
        self.chain()?.heaviest()?.ok_or(Error::NoHead)
    }

    /// The cut at the present head.
    pub(crate) fn window_now(&self) -> Result<Window> {
        let head = self.head()?;
        let base = self.ledger.base()?.unwrap_or(Epoch::GENESIS);
        Ok(Window::at(head.height, base, &self.options.policy))
    }

    /// Does a job of this name while there is no run, with a folder that is empty before and gone afterwards.
    pub(crate) fn exclusively<T>(&self, job: &str, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let _exclusive = self.running.try_lock().ok_or(Error::Busy)?;
        let folder = self.work().join(job);
        self.files.remove_dir(&folder)?;
        self.files.create_dir(&folder)?;
        let done = work(&folder);
        let removed = self.files.remove_dir(&folder);
        let done = done?;
        removed?;
        Ok(done)
    }

    /// The roots of a header inside `window`: what is missing below them ends a run, or does not.
    pub(crate) fn roots_of(&self, window: Window) -> Result<impl Fn(&HeaderView) -> Vec<Root> + use<'_>> {
        let snapshot = self.ledger.snapshot()?;
        let compacted = self.ledger.index()? > 0;
        let policy = &self.options.policy;
        Ok(move |header: &HeaderView| {
            let roots = retain::roots_of(header, &window, policy);
            let imported = snapshot.is_some_and(|snapshot| header.height <= snapshot);
            // Below the base an earlier run, perhaps with narrower windows, dropped parts as a whole.
            let cut = compacted && header.height < window.base;
            roots.map(|root| if imported || cut { root.of_snapshot() } else { root }).collect()
        })
    }

    /// The folder that runs work in.
    pub(crate) fn work(&self) -> PathBuf {
        self.options.folder.join("work")
    }
}
