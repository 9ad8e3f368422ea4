//! Walks a chain: headers level by level down to genesis, and below each header the roots that the caller
//! names for it.
//!
//! ```text
//!   headers of tipsets until there are many roots -> the DAGs below, whole -> headers of tipsets ..
//! ```
//! What lies below one root more is little, as epochs share nearly all of their state: many roots at a time make
//! long batches, which are read in key order, or followed by many threads. All of them are held in memory.
//!
//! Compaction, verification and export are this one walk with other roots and another sink.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::retain::{Root, Scope};
use splitstore_domain::{BlockKey, Epoch, HeaderView, TipsetKey};
use splitstore_ports::{ChainAccessor, Reading, Visit};

use crate::error::Result;
use crate::sets::WalkSets;
use crate::tenured::Passed;
use crate::tiers::Tiers;
use crate::walk::{BATCH, Missing, Sink, Walked, Walker};

/// Roots that are walked together, about, if nobody says otherwise.
pub(crate) const ROOTS: usize = BATCH / 2;

/// What a header contributes, in the order it is to be walked.
pub(crate) type RootsOf<'a> = &'a dyn Fn(&HeaderView) -> Vec<Root>;

/// A walk under way.
pub(crate) struct ChainWalk<'a> {
    tiers: Tiers,
    chain: Arc<dyn ChainAccessor>,
    headers: Vec<Cid>,
    pub(crate) live: Walker<'a>,
    /// Takes the roots of scope `Cold`, if there are any.
    moving: Option<Walker<'a>>,
    /// Ends where an earlier run has been, if this one is to.
    passed: Option<Passed>,
    /// Roots and tipsets since all before were walked, and how many are walked together.
    roots: usize,
    together: usize,
}

impl<'a> ChainWalk<'a> {
    pub(crate) fn new(
        tiers: Tiers,
        chain: Arc<dyn ChainAccessor>,
        live: Walker<'a>,
        moving: Option<Walker<'a>>,
    ) -> Self {
        let (headers, passed, roots, together) = (Vec::new(), None, 0, ROOTS);
        Self { tiers, chain, headers, live, moving, passed, roots, together }
    }

    /// The same, going below so many roots together, about.
    pub(crate) fn together(self, roots: usize) -> Self {
        Self { together: roots, ..self }
    }

    /// The same, taking note of what it passes, and ending at what was passed before.
    pub(crate) fn passing(self, passed: Passed) -> Self {
        Self { passed: Some(passed), ..self }
    }

    /// The chain has been walked: what is pushed from here on is not final.
    pub(crate) const fn chain_ends(&mut self) {
        if let Some(passed) = &mut self.passed {
            passed.chain_ends();
        }
    }

    /// The sets of both walks, and what was passed.
    pub(crate) fn into_parts(self) -> (WalkSets, Option<WalkSets>, Option<Passed>) {
        (self.live.sets().clone(), self.moving.map(|moving| moving.sets().clone()), self.passed)
    }

    /// Adds a tipset's headers, each once, and the object that its key is stored as.
    ///
    /// A header counts as visited as plain DAG-CBOR, too: a reference to a header of the chain must not drag in
    /// everything below it, which is the whole chain with all its states.
    pub(crate) fn push_tipset(&mut self, key: &TipsetKey, sink: &mut dyn Sink) -> Result<()> {
        let visits = |reading| -> Vec<Visit> {
            key.cids().iter().map(|cid| Visit { key: BlockKey::from(cid), reading }).collect()
        };
        let mut first = Vec::with_capacity(key.cids().len());
        self.live.sets().visit(&visits(Reading::Header), &mut first)?;
        self.live.sets().visit(&visits(Reading::Dag), &mut Vec::new())?;
        let new = key.cids().iter().zip(first).filter_map(|(cid, first)| first.then_some(*cid));
        self.headers.extend(new);
        // It has no links, and it need not be there.
        self.chain.key_object(key).map_or(Ok(()), |object| self.live.push_leaf(&object, sink))
    }

    /// Reads one batch; `None` when everything was walked.
    pub(crate) fn step(&mut self, roots_of: RootsOf<'_>, sink: &mut dyn Sink) -> Result<Option<Walked>> {
        if self.roots < self.together && !self.headers.is_empty() {
            return self.step_headers(roots_of, sink).map(Some);
        }
        if !self.live.is_idle() {
            return self.live.step(sink).map(Some);
        }
        if let Some(moving) = self.moving.as_mut().filter(|moving| !moving.is_idle()) {
            return moving.step(sink).map(Some);
        }
        self.roots = 0;
        if self.headers.is_empty() {
            let Some(genesis) = self.passed.as_mut().and_then(Passed::genesis_left) else { return Ok(None) };
            self.push_tipset(&TipsetKey::new(genesis), sink)?;
        }
        self.step_headers(roots_of, sink).map(Some)
    }

    fn step_headers(&mut self, roots_of: RootsOf<'_>, sink: &mut dyn Sink) -> Result<Walked> {
        if self.roots == 0 {
            sink.headers_begin();
        }
        // A tipset counts even if nothing below it is walked: its key object may be.
        self.roots += 1;
        let batch = self.headers.split_off(self.headers.len().saturating_sub(BATCH));
        let mut views = Vec::with_capacity(batch.len());
        let mut walked = Walked::default();
        let mut failed = Ok(());
        let missing = self.tiers.view_many(&batch, &mut |index, data| {
            walked.objects += 1;
            walked.bytes += data.len() as u64;
            if failed.is_ok() {
                let view = self.chain.header(&batch[index], data).map_err(Into::into);
                failed = view
                    .map(|view| views.push((batch[index], view)))
                    .and_then(|()| sink.block(&batch[index], data));
            }
        })?;
        failed?;
        for index in missing {
            let cid = batch[index];
            let completeness = splitstore_domain::retain::Completeness::Strict;
            sink.missing(&Missing { cid, root: cid, completeness, reading: Reading::Header })?;
        }
        views.iter().try_for_each(|(cid, view)| self.expand(cid, view, roots_of, sink))?;
        Ok(walked)
    }

    fn expand(
        &mut self,
        cid: &Cid,
        header: &HeaderView,
        roots_of: RootsOf<'_>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let roots = roots_of(header);
        if let Some(passed) = &mut self.passed {
            let is_final = passed.is_final(&BlockKey::from(cid), header.height);
            if is_final && roots.is_empty() {
                passed.end();
                return Ok(());
            }
            if !is_final {
                passed.pass(cid, header, self.chain.key_object(&header.parents).as_ref());
            }
        }
        if roots.iter().any(|root| root.scope == Scope::Cold) {
            sink.old_header(cid, header.height);
        }
        for root in roots {
            sink.root(&root.cid, cid);
            self.roots += 1;
            let walker = match (root.scope, &mut self.moving) {
                (Scope::Cold, Some(moving)) => moving,
                (Scope::Cold | Scope::Hot, _) => &mut self.live,
            };
            walker.push(&root.cid, root.completeness, sink)?;
        }
        if header.height > Epoch::GENESIS {
            return self.push_tipset(&header.parents, sink);
        }
        // What genesis names as its parents is no header. It stays if it is there: exports hold it (Lotus never
        // marks it, and loses it).
        header.parents.cids().iter().try_for_each(|cid| self.live.push_leaf(cid, sink))
    }
}
