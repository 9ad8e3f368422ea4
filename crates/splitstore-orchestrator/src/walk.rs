//! The only graph walker: everything below some roots, each block once, in bounded batches.
//!
//! ```text
//!   stack of (key, reading, completeness, root)
//!     pop a batch, sort by key, read hot then cold, scan links, visit children, push the new ones
//! ```
//! It is iterative: depth costs heap, never stack. A child is visited when it is pushed, so each block stands
//! on the stack at most once per reading. Leaves that are not opened are marked without being read, also when
//! they are absent (Lotus does the same: snapshots lack some raw leaves, such as actor code).
//! What happens to a missing or malformed block is its [`Sink`]'s decision.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::links::{Link, LinkError, scan_links};
use splitstore_domain::object::{DAG_CBOR, RAW, identity_data};
use splitstore_domain::retain::Completeness;
use splitstore_domain::{BlockKey, ObjectKind};
use splitstore_ports::{MarkSet, Reading, Visit, VisitSet};

use crate::error::Result;
use crate::tiers::Tiers;

/// Blocks read in one step.
pub(crate) const BATCH: usize = 1024;

/// The sets of one walk: an exact one that gates it and has the last word, and perhaps one that is asked first.
#[derive(Clone)]
pub(crate) struct WalkSets {
    pub(crate) visits: Arc<dyn VisitSet>,
    /// May over-approximate: saves asking the exact set about most of what is unmarked.
    pub(crate) marks: Option<Arc<dyn MarkSet>>,
}

impl WalkSets {
    /// Marks what is visited; appends whether each visit is the first.
    pub(crate) fn visit(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        if let Some(marks) = &self.marks {
            let keys: Vec<BlockKey> = visits.iter().map(|visit| visit.key.clone()).collect();
            marks.mark_many(&keys)?;
        }
        Ok(self.visits.visit_many(visits, first)?)
    }

    fn visit_one(&self, visit: &Visit, sink: &mut dyn Sink) -> Result<()> {
        let mut first = Vec::with_capacity(1);
        self.visit(std::slice::from_ref(visit), &mut first)?;
        if first.contains(&true) {
            sink.marked(visit);
        }
        Ok(())
    }

    /// Whether the chain walk expanded this key as a header.
    fn is_header(&self, key: &BlockKey) -> Result<bool> {
        self.is_visited(&Visit { key: key.clone(), reading: Reading::Header })
    }

    /// Whether this visit was made, by whomever.
    pub(crate) fn is_visited(&self, visit: &Visit) -> Result<bool> {
        let mut before = Vec::with_capacity(1);
        self.visits.visited_many(std::slice::from_ref(visit), &mut before)?;
        Ok(before.contains(&true))
    }

    /// Whether each key is marked, exactly.
    pub(crate) fn marked(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        let mut answers = Vec::with_capacity(keys.len());
        let Some(marks) = &self.marks else {
            self.visits.has_many(keys, &mut answers)?;
            return Ok(answers);
        };
        marks.has_many(keys, &mut answers)?;
        let claimed = keys.iter().zip(&answers).filter_map(|(key, claimed)| claimed.then_some(key.clone()));
        let mut confirmed = Vec::with_capacity(keys.len());
        self.visits.has_many(&claimed.collect::<Vec<_>>(), &mut confirmed)?;
        answers
            .iter_mut()
            .filter(|claimed| **claimed)
            .zip(confirmed)
            .for_each(|(answer, exact)| *answer = exact);
        Ok(answers)
    }

    /// How many keys are marked.
    pub(crate) fn len(&self) -> u64 {
        self.visits.len()
    }
}

/// What a walk does with what it meets.
pub(crate) trait Sink {
    /// A key was marked for the first time under its reading.
    fn marked(&mut self, _visit: &Visit) {}

    /// All roots so far are walked; headers come next.
    fn headers_begin(&mut self) {}

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
}

impl Missing {
    /// Whether the retention table says that it must be there.
    pub(crate) fn is_fatal(&self) -> bool {
        match self.completeness {
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
pub(crate) struct Walker {
    tiers: Tiers,
    sets: WalkSets,
    leaves: Leaves,
    stack: Vec<Task>,
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

impl Walker {
    pub(crate) fn new(tiers: Tiers, sets: WalkSets, leaves: Leaves) -> Self {
        Self { tiers, sets, leaves, stack: Vec::new() }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.stack.is_empty()
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
        self.sets.visit_one(reference, sink)?;
        if reference.reading != Reading::Opaque {
            self.stack.push(Task::referenced(reference));
        }
        Ok(())
    }

    /// Marks a block that is about to be written, and adds its children.
    pub(crate) fn offer(&mut self, reference: &Visit, data: &[u8], sink: &mut dyn Sink) -> Result<()> {
        if self.sets.is_header(&reference.key)? {
            return Ok(());
        }
        let task = Task::referenced(reference);
        self.sets.visit_one(reference, sink)?;
        let mut children = Children::default();
        children.read(&task, &task.cid(), data, sink)?;
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

    /// Reads one batch and pushes its new children.
    pub(crate) fn step(&mut self, sink: &mut dyn Sink) -> Result<Walked> {
        let mut batch = self.stack.split_off(self.stack.len().saturating_sub(BATCH));
        batch.sort_unstable_by(|a, b| a.visit.key.cmp(&b.visit.key));
        let cids: Vec<Cid> = batch.iter().map(Task::cid).collect();
        let mut children = Children::default();
        let mut walked = Walked::default();
        let mut failed = Ok(());
        let missed = self.tiers.view_many(&cids, &mut |index, data| {
            walked.objects += 1;
            walked.bytes += data.len() as u64;
            if failed.is_ok() {
                failed = children.read(&batch[index], &cids[index], data, sink);
            }
        })?;
        failed?;
        for index in missed {
            let task = &batch[index];
            let (root, completeness) = (*task.root, task.completeness);
            sink.missing(&Missing { cid: cids[index], root, completeness })?;
        }
        walked.objects += self.visit(children, sink)?;
        Ok(walked)
    }

    /// Pushes the children met for the first time; returns how many of them are not opened.
    fn visit(&mut self, children: Children, sink: &mut dyn Sink) -> Result<u64> {
        let visits: Vec<Visit> = children.0.iter().map(|task| task.visit.clone()).collect();
        let mut first = Vec::with_capacity(visits.len());
        self.sets.visit(&visits, &mut first)?;
        let new = children.0.into_iter().zip(first).filter_map(|(task, first)| first.then_some(task));
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

/// Children of a batch, before it is known which are new.
#[derive(Default)]
struct Children(Vec<Task>);

impl Children {
    fn read(&mut self, task: &Task, cid: &Cid, data: &[u8], sink: &mut dyn Sink) -> Result<()> {
        sink.block(cid, data)?;
        if task.visit.reading == Reading::Opaque {
            return Ok(());
        }
        let scanned = scan_links(data, |link| self.add_link(&link, task.completeness, &task.root));
        scanned.or_else(|source| sink.malformed(*cid, source))
    }

    fn add_cid(&mut self, cid: &Cid, completeness: Completeness, root: &Arc<Cid>) {
        let bytes = cid.to_bytes();
        if let Some(link) = Link::parse(&bytes) {
            self.add_link(&link, completeness, root);
        }
    }

    fn add_link(&mut self, link: &Link<'_>, completeness: Completeness, root: &Arc<Cid>) {
        let reading = match link.kind() {
            ObjectKind::Dag => Reading::Dag,
            ObjectKind::Opaque => Reading::Opaque,
            ObjectKind::Identity => return self.add_inline(&link.cid(), completeness, root),
            ObjectKind::Unitary => return,
        };
        let key = BlockKey::from_bytes(link.multihash()).expect("a link's multihash was checked by the scan");
        let visit = Visit { key, reading };
        self.0.push(Task { visit, codec: link.codec(), completeness, root: root.clone() });
    }

    /// Links inside an identity CID count as links of the block that holds it. Each level is shorter than the
    /// one around it and the outermost has 64 bytes at most, so this ends soon.
    fn add_inline(&mut self, cid: &Cid, completeness: Completeness, root: &Arc<Cid>) {
        let Some(data) = identity_data(cid).filter(|_| cid.codec() == DAG_CBOR) else { return };
        let mut inner = Vec::new();
        // Inline data that is no DAG-CBOR has no links that any reader could follow.
        if scan_links(data, |link| inner.push(link)).is_ok() {
            for link in &inner {
                self.add_link(link, completeness, root);
            }
        }
    }
}
