//! The only graph walker: everything below some roots, each block once, in bounded batches.
//!
//! ```text
//!   stack of (key, reading, completeness, root)
//!     pop many, sort by key; of these a batch: read hot then cold, scan links, visit children, push the new ones
//!
//!   with a graph of hot (crate::graph):
//!     pop a batch; what the graph holds is followed in memory; the rest is read as above
//! ```
//! It is iterative: depth costs heap, never stack. A child is visited when it is pushed, so each block stands
//! on the stack at most once per reading. Leaves that are not opened are marked without being read, also when
//! they are absent (Lotus does the same: snapshots lack some raw leaves, such as actor code).
//! What happens to a missing or malformed block is its [`Sink`]'s decision.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::links::{Link, LinkError};
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_domain::retain::Completeness;
use splitstore_domain::{BlockKey, Epoch};
use splitstore_ports::{Reading, Visit};

use crate::children::{add_link, children_of};
use crate::error::Result;
use crate::graph::{Bitmap, Graph, Outside, Reached};
use crate::protection::Taken;
use crate::sets::WalkSets;
use crate::tenured::Tenured;
use crate::tiers::Tiers;

/// Blocks read in one step, and tasks sorted at once.
pub(crate) const BATCH: usize = 1024;
/// The same by many threads: the more are sorted at once, the more of them lie in one page of the engine.
const BATCH_SHARED: usize = 8 * 1024;
const SORTED_SHARED: usize = 1024 * 1024;
/// A batch below this is read by one thread.
const SHARED_MIN: usize = 2 * 1024;

/// What a walk does with what it meets.
pub(crate) trait Sink {
    /// A key was marked for the first time under its reading.
    fn marked(&mut self, _visit: &Visit) {}

    /// All roots so far are walked; headers come next.
    fn headers_begin(&mut self) {}

    /// A header has old messages, which move to cold.
    fn old_header(&mut self, _header: &Cid, _height: Epoch) {}

    /// A root that a header names is about to be walked.
    fn root(&mut self, _root: &Cid, _header: &Cid) {}

    /// A block was read.
    fn block(&mut self, _cid: &Cid, _data: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A block is in neither tier.
    fn missing(&mut self, missing: &Missing) -> Result<()>;

    /// A block could not be scanned.
    fn malformed(&mut self, cid: Cid, source: LinkError) -> Result<()>;
}

/// A block that was not found, and on whose behalf it was looked for.
pub(crate) struct Missing {
    pub(crate) cid: Cid,
    pub(crate) root: Cid,
    pub(crate) completeness: Completeness,
    pub(crate) reading: Reading,
}

impl Missing {
    /// Whether the retention table says that it must be there. A leaf that is not opened need not: a chain names the
    /// code of its actors, which its nodes hold elsewhere.
    pub(crate) fn is_fatal(&self) -> bool {
        match self.completeness {
            _ if self.reading == Reading::Opaque => false,
            Completeness::Strict => true,
            Completeness::WholeIfPresent => self.cid.hash() != self.root.hash(),
            Completeness::Lenient => false,
        }
    }
}

/// Whether blocks without links are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Marked only.
    Mark,
    /// Read and shown to the sink.
    Read,
}

/// A walk under way.
pub(crate) struct Walker<'a> {
    tiers: Tiers,
    sets: WalkSets,
    leaves: Leaves,
    stack: Vec<Task>,
    /// Taken from the stack, or from what a graph left unread, to be read next; in descending order of keys.
    sorted: Vec<Task>,
    graph: Option<Followed<'a>>,
    tenured: Option<Arc<Tenured>>,
    threads: usize,
    /// Tasks sorted at once.
    at_once: usize,
}

/// A graph that a walk follows.
struct Followed<'a> {
    graph: Arc<Graph<'a>>,
    /// What the walk met that the graph does not hold.
    outside: Outside,
    /// Tasks that must be read all the same.
    unread: Vec<Task>,
}

struct Task {
    visit: Visit,
    codec: u64,
    completeness: Completeness,
    root: Arc<Cid>,
}

impl Task {
    fn referenced(reference: &Visit) -> Self {
        let codec = if reference.reading == Reading::Opaque { RAW } else { DAG_CBOR };
        let root = Arc::new(reference.key.to_cid(codec));
        Self { visit: reference.clone(), codec, completeness: Completeness::Lenient, root }
    }

    fn cid(&self) -> Cid {
        self.visit.key.to_cid(self.codec)
    }
}

/// What one step did.
#[derive(Default, Clone, Copy)]
pub(crate) struct Walked {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

impl<'a> Walker<'a> {
    pub(crate) fn new(tiers: Tiers, sets: WalkSets, leaves: Leaves) -> Self {
        Self {
            tiers,
            sets,
            leaves,
            stack: Vec::new(),
            sorted: Vec::new(),
            graph: None,
            tenured: None,
            threads: 1,
            at_once: BATCH,
        }
    }

    /// Follows links of `graph` instead of reading blocks that it holds. The sets have its bitmap, and no sink is
    /// shown what was not read.
    pub(crate) fn with_graph(self, graph: Arc<Graph<'a>>) -> Self {
        let graph = Followed { graph, outside: Outside::default(), unread: Vec::new() };
        Self { graph: Some(graph), ..self }
    }

    /// Reads long batches by so many threads. No sink is shown what they read.
    pub(crate) fn with_threads(self, threads: usize) -> Self {
        let at_once = if threads > 1 { SORTED_SHARED } else { BATCH };
        Self { threads, at_once, ..self }
    }

    /// Sorts no more at once than it reads: slower, and what is left to walk stays small.
    pub(crate) fn sparing(self) -> Self {
        Self { at_once: self.at_once.min(BATCH_SHARED), ..self }
    }

    /// Does not go into headers that are final where it meets them as blocks, and marks what is of them as its walk
    /// of the chain would.
    pub(crate) fn with_tenured(self, tenured: Option<Arc<Tenured>>) -> Self {
        if let (Some(tenured), Some(bitmap)) = (&tenured, self.sets.bitmap()) {
            tenured.mark(bitmap);
        }
        Self { tenured, ..self }
    }

    pub(crate) fn is_idle(&self) -> bool {
        let unread = self.graph.as_ref().map_or(&[][..], |followed| &followed.unread);
        self.stack.is_empty() && self.sorted.is_empty() && unread.is_empty()
    }

    pub(crate) fn sets(&self) -> &WalkSets {
        &self.sets
    }

    /// Adds a root.
    pub(crate) fn push(&mut self, root: &Cid, completeness: Completeness, sink: &mut dyn Sink) -> Result<()> {
        let mut children = Children::default();
        children.add_cid(root, completeness, &Arc::new(*root));
        self.visit(children, sink).map(|_| ())
    }

    /// Adds a block that is kept but never opened, and may be absent.
    pub(crate) fn push_leaf(&mut self, cid: &Cid, sink: &mut dyn Sink) -> Result<()> {
        let visit = Visit { key: BlockKey::from(cid), reading: Reading::Opaque };
        let (completeness, root) = (Completeness::Lenient, Arc::new(*cid));
        self.visit(Children(vec![Task { visit, codec: cid.codec(), completeness, root }]), sink).map(|_| ())
    }

    /// Adds a key that somebody referenced; what is missing below it is tolerated.
    ///
    /// It is read even if it was visited before: then it may have been missing, and only a block that was read
    /// has its children marked. A walk that stopped half-way never counts as done. Headers of the chain are the
    /// exception: the retention table has said what is kept below them.
    pub(crate) fn push_reference(&mut self, reference: &Visit, sink: &mut dyn Sink) -> Result<()> {
        if self.sets.is_header(&reference.key)? {
            return Ok(());
        }
        if let Some(tenured) = self.tenured.as_ref().filter(|tenured| tenured.has_header(&reference.key)) {
            return tenured.visit(std::slice::from_ref(&reference.key), &self.sets);
        }
        self.sets.visit_one(reference, sink)?;
        if reference.reading != Reading::Opaque {
            self.stack.push(Task::referenced(reference));
        }
        Ok(())
    }

    /// Adds what was referenced since the run began. Of what was found only that is walked which no walk has
    /// visited: [`Taken`] says why the rest was read.
    pub(crate) fn push_taken(&mut self, taken: &Taken, sink: &mut dyn Sink) -> Result<()> {
        for found in taken.found.chunks(BATCH) {
            let visited = self.sets.visited(found)?;
            let left = found.iter().zip(visited).filter(|(_, visited)| !visited);
            left.map(|(found, _)| found).try_for_each(|found| self.push_reference(found, sink))?;
        }
        taken.written.iter().try_for_each(|written| self.push_reference(written, sink))
    }

    /// Marks a block that is about to be written, and adds its children.
    pub(crate) fn offer(&mut self, reference: &Visit, data: &[u8], sink: &mut dyn Sink) -> Result<()> {
        if self.sets.is_header(&reference.key)? {
            return Ok(());
        }
        let task = Task::referenced(reference);
        self.sets.visit_one(reference, sink)?;
        let mut children = Children::default();
        sink.block(&task.cid(), data)?;
        children.read(&task, data).or_else(|source| sink.malformed(task.cid(), source))?;
        self.visit(children, sink).map(|_| ())
    }

    /// Walks everything that is left.
    pub(crate) fn run(&mut self, sink: &mut dyn Sink) -> Result<Walked> {
        let mut total = Walked::default();
        while !self.is_idle() {
            let walked = self.step(sink)?;
            total.objects += walked.objects;
            total.bytes += walked.bytes;
        }
        Ok(total)
    }

    /// Walks one batch: follows what a graph holds, or reads.
    pub(crate) fn step(&mut self, sink: &mut dyn Sink) -> Result<Walked> {
        let most = if self.threads > 1 { BATCH_SHARED } else { BATCH };
        let mut left = &mut self.stack;
        if let (Some(followed), Some(bitmap)) = (&mut self.graph, self.sets.bitmap()) {
            if !left.is_empty() {
                return followed.follow(bitmap, take_batch(left, BATCH));
            }
            left = &mut followed.unread;
        }
        if self.sorted.is_empty() {
            self.sorted = take_batch(left, self.at_once);
            self.sorted.sort_unstable_by(|a, b| b.visit.key.cmp(&a.visit.key));
        }
        let mut batch = take_batch(&mut self.sorted, most);
        batch.reverse();
        self.read(&batch, sink)
    }

    /// Reads tasks, in ascending order of keys, and pushes the children that are new.
    fn read(&mut self, batch: &[Task], sink: &mut dyn Sink) -> Result<Walked> {
        let parts = if self.threads > 1 && batch.len() >= SHARED_MIN {
            look_shared(&self.tiers, batch, self.threads)?
        } else {
            vec![look(&self.tiers, batch, &mut |cid, data| sink.block(cid, data))?]
        };
        let mut walked = Walked::default();
        for Looked { children, objects, bytes, missing, malformed } in parts {
            for (cid, source) in malformed {
                sink.malformed(cid, source)?;
            }
            for missing in &missing {
                sink.missing(missing)?;
            }
            if let Some(followed) = &mut self.graph {
                followed.note_outside(&children);
            }
            walked.bytes += bytes;
            walked.objects += objects + self.visit(children, sink)?;
        }
        Ok(walked)
    }

    /// Pushes the children met for the first time; returns how many of them are not opened.
    fn visit(&mut self, children: Children, sink: &mut dyn Sink) -> Result<u64> {
        let visits: Vec<Visit> = children.0.iter().map(|task| task.visit.clone()).collect();
        let mut first = Vec::with_capacity(visits.len());
        self.sets.visit(&visits, &mut first)?;
        let goes_into = |visit: &Visit| {
            let tenured = self.tenured.as_ref().filter(|_| visit.reading == Reading::Dag);
            tenured.is_none_or(|tenured| !tenured.has_header(&visit.key))
        };
        let new = children.0.into_iter().zip(first);
        let new = new.filter(|(task, first)| *first && goes_into(&task.visit)).map(|(task, _)| task);
        let mut unopened = 0;
        for task in new {
            sink.marked(&task.visit);
            if task.visit.reading == Reading::Opaque && self.leaves == Leaves::Mark {
                unopened += 1;
            } else {
                self.stack.push(task);
            }
        }
        Ok(unopened)
    }
}

fn take_batch(stack: &mut Vec<Task>, most: usize) -> Vec<Task> {
    stack.split_off(stack.len().saturating_sub(most))
}

/// What came of reading some tasks.
#[derive(Default)]
struct Looked {
    children: Children,
    objects: u64,
    bytes: u64,
    missing: Vec<Missing>,
    malformed: Vec<(Cid, LinkError)>,
}

/// Reads tasks in key order, and finds their children.
fn look(tiers: &Tiers, tasks: &[Task], show: &mut dyn FnMut(&Cid, &[u8]) -> Result<()>) -> Result<Looked> {
    let cids: Vec<Cid> = tasks.iter().map(Task::cid).collect();
    let mut looked = Looked::default();
    let mut failed = Ok(());
    let missed = tiers.view_many(&cids, &mut |index, data| {
        looked.objects += 1;
        looked.bytes += data.len() as u64;
        if failed.is_ok() {
            failed = show(&cids[index], data);
            looked.read(&tasks[index], &cids[index], data);
        }
    })?;
    failed?;
    let missing = |index: usize| {
        let task: &Task = &tasks[index];
        Missing {
            cid: cids[index],
            root: *task.root,
            completeness: task.completeness,
            reading: task.visit.reading,
        }
    };
    looked.missing.extend(missed.into_iter().map(missing));
    Ok(looked)
}

/// The same by many threads, a part of the keys each; what each has found, in key order.
fn look_shared(tiers: &Tiers, tasks: &[Task], threads: usize) -> Result<Vec<Looked>> {
    let work = |part| look(tiers, part, &mut |_, _| Ok(()));
    let mut parts = tasks.chunks(tasks.len().div_ceil(threads));
    let mine = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let mine = std::iter::once(work(mine));
        let others = others.into_iter().map(|other| other.join().expect("reading blocks does not panic"));
        mine.chain(others).collect()
    })
}

impl Looked {
    fn read(&mut self, task: &Task, cid: &Cid, data: &[u8]) {
        if let Err(source) = self.children.read(task, data) {
            self.malformed.push((*cid, source));
        }
    }
}

impl Followed<'_> {
    /// Follows those that the graph holds to the end. What must be read is kept for the next steps, on behalf of
    /// the root below which it was reached.
    fn follow(&mut self, bitmap: &Bitmap, batch: Vec<Task>) -> Result<Walked> {
        let (mut starts, mut tasks) = (Vec::new(), Vec::new());
        for task in batch {
            let ordinal =
                if task.visit.reading == Reading::Dag { bitmap.find(&task.visit.key) } else { None };
            if let Some(ordinal) = ordinal {
                starts.push(ordinal);
                tasks.push(task);
            } else {
                self.unread.push(task);
            }
        }
        let closed = self.graph.close(bitmap, &self.outside, &starts);
        for Reached { block, start } in closed.unread {
            let task = &tasks[start as usize];
            let visit = Visit { key: self.graph.key(block)?, reading: Reading::Dag };
            let (completeness, root) = (task.completeness, task.root.clone());
            self.unread.push(Task { visit, codec: DAG_CBOR, completeness, root });
        }
        Ok(Walked { objects: closed.objects, bytes: 0 })
    }

    /// Remembers children that the graph does not hold: they are about to be visited.
    fn note_outside(&mut self, children: &Children) {
        for Visit { key, reading } in children.0.iter().map(|task| &task.visit) {
            if self.graph.index().find(key.as_bytes()).is_none() {
                self.outside.note(&self.graph, key.as_bytes(), *reading);
            }
        }
    }
}

/// Children of a batch, before it is known which are new.
#[derive(Default)]
struct Children(Vec<Task>);

impl Children {
    fn read(&mut self, task: &Task, data: &[u8]) -> Result<(), LinkError> {
        if task.visit.reading == Reading::Opaque {
            return Ok(());
        }
        let mut add = |link: &Link<'_>, reading| self.add(link, reading, task.completeness, &task.root);
        children_of(data, &mut add)
    }

    fn add_cid(&mut self, cid: &Cid, completeness: Completeness, root: &Arc<Cid>) {
        let bytes = cid.to_bytes();
        if let Some(link) = Link::parse(&bytes) {
            add_link(&link, &mut |link, reading| self.add(link, reading, completeness, root));
        }
    }

    fn add(&mut self, link: &Link<'_>, reading: Reading, completeness: Completeness, root: &Arc<Cid>) {
        let key = BlockKey::from_bytes(link.multihash()).expect("a link's multihash was checked by the scan");
        let visit = Visit { key, reading };
        self.0.push(Task { visit, codec: link.codec(), completeness, root: root.clone() });
    }
}
