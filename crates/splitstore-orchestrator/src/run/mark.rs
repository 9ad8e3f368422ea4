//! Mark: the chain inside the window, and every reference that came in meanwhile.
//!
//! Two walks share the pass: the live one, and under policy `messages` one over old messages and receipts,
//! whose blocks may leave hot but move to cold.
//!
//! By scan (`scan.rs`) a graph of hot is made first, and both walks follow it where it knows a block; then the
//! marks are a bitmap over the snapshot, with the exact set behind it for everything else.

use std::collections::HashMap;
use std::sync::Arc;

use cid::Cid;
use splitstore_domain::links::LinkError;
use splitstore_domain::retain::Scope;
use splitstore_domain::{ColdPolicy, Epoch, HeaderView, MarkReport, PhaseReport, TipsetKey};
use splitstore_ports::BlockSnapshot;

use super::absent::Absent;
use super::awaited::{Awaited, Next};
use super::linked::{self, Learned};
use super::prepare::{self, Prepared, new_sets};
use super::scan::{Scanned, Scanning, processors};
use super::{Advance, Work, count};
use crate::archive::{Archive, OldHeaders};
use crate::chain_walk::{ChainWalk, ROOTS};
use crate::error::{Error, Result};
use crate::graph::{Bitmap, Graph};
use crate::sets::WalkSets;
use crate::store::Inner;
use crate::tenured::{Passed, Tenured};
use crate::walk::{Leaves, Missing, Sink, Walker};

/// Evidence: everything inside the window, and every reference so far, is marked.
pub(crate) struct Marked<'a> {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    /// What moves to cold under policy `messages`.
    pub(crate) moving: Option<WalkSets>,
    /// What cold gets.
    pub(crate) archive: Archive,
    pub(crate) missing: Absent,
    /// Live, too; a bitmap has it already.
    pub(crate) tenured: Option<Arc<Tenured>>,
    /// The snapshot that bitmaps of the sets are of.
    pub(crate) snapshot: Option<Box<dyn BlockSnapshot + 'a>>,
    /// What the link index is to keep.
    pub(crate) learned: Option<Learned>,
    /// How it was done.
    pub(crate) marking: MarkReport,
}

/// The phase under way.
pub(crate) enum Marking<'a> {
    /// A graph of hot is being made, to walk from these by.
    Scan(Box<Scanning<'a>>, Tips),
    Walk(Box<Walking<'a>>),
}

/// Where walks begin.
pub(crate) struct Tips {
    head: TipsetKey,
    /// Reverted tipsets.
    forks: Vec<TipsetKey>,
}

/// The walks under way.
pub(crate) struct Walking<'a> {
    work: Work,
    marking: MarkReport,
    graph: Option<Arc<Graph<'a>>>,
    walk: ChainWalk<'a>,
    tenured: Option<Arc<Tenured>>,
    /// Under the roots of headers.
    tolerance: Tolerance,
    /// Reverted tipsets: walked when the chain is.
    forks: Vec<TipsetKey>,
    /// Under references.
    awaited: Awaited,
}

impl<'a> Marking<'a> {
    pub(crate) fn new(cx: &'a Inner, prepared: Prepared) -> Result<Self> {
        // Of this moment: heads that come later are references, one that goes would be missed.
        let tips = Tips { head: cx.head()?.key, forks: cx.forks.beside(prepared.work.window.head)? };
        let mut prepared = prepared;
        if let Some(graph) = linked::begin(cx, &mut prepared)? {
            return Ok(Self::Walk(Box::new(Walking::new(cx, prepared, tips, Some(Arc::new(graph)))?)));
        }
        Ok(match Scanning::begin(cx, prepared)? {
            Ok(scanning) => Self::Scan(Box::new(scanning), tips),
            Err(mut prepared) => {
                prepare::spill(cx, &mut prepared)?;
                Self::Walk(Box::new(Walking::new(cx, prepared, tips, None)?))
            }
        })
    }

    pub(crate) fn step(self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Marked<'a>>> {
        match self {
            Self::Scan(scanning, tips) => match scanning.step(cx, meter)? {
                Scanned::More(scanning) => Ok(Advance::More(Self::Scan(Box::new(scanning), tips))),
                Scanned::All(prepared, graph) => {
                    let walking = Walking::new(cx, prepared, tips, Some(Arc::new(graph)))?;
                    Ok(Advance::More(Self::Walk(Box::new(walking))))
                }
            },
            Self::Walk(walking) => Ok(match walking.step(cx, meter)? {
                Advance::More(walking) => Advance::More(Self::Walk(Box::new(walking))),
                Advance::Wait(walking, until) => Advance::Wait(Self::Walk(Box::new(walking)), until),
                Advance::Done(marked) => Advance::Done(marked),
            }),
        }
    }
}

impl<'a> Walking<'a> {
    fn new(cx: &Inner, prepared: Prepared, tips: Tips, graph: Option<Arc<Graph<'a>>>) -> Result<Self> {
        let Prepared { work, sets, marking } = prepared;
        let walker = |sets: WalkSets| {
            let walker = |sets| {
                let walker = Walker::new(cx.tiers.clone(), sets, Leaves::Mark).with_threads(processors());
                // There was no memory for a graph.
                if marking.marks_on_disk { walker.sparing() } else { walker }
            };
            match &graph {
                Some(graph) => {
                    walker(sets.with_bitmap(Bitmap::new(graph.index().clone()))).with_graph(graph.clone())
                }
                None => walker(sets),
            }
        };
        let moving = match cx.options.policy.cold() {
            ColdPolicy::Messages if marking.marks_on_disk => {
                Some(walker(prepare::spilled(cx, &work.folder, "moving")?))
            }
            ColdPolicy::Messages => Some(walker(new_sets(cx, &work.folder, "moving")?)),
            ColdPolicy::Universal | ColdPolicy::Discard => None,
        };
        let tenured = cx.tenured.get(cx)?;
        let live = walker(sets).with_tenured(tenured.clone());
        let mut walk = ChainWalk::new(cx.tiers.clone(), cx.chain()?.clone(), live, moving)
            .passing(Passed::new(tenured.clone(), work.window.boundary))
            .together(if marking.marks_on_disk { ROOTS } else { cx.options.batches.roots.get() });
        let mut tolerance = Tolerance::new(OldHeaders::read(cx)?);
        // The head may be newer than the one the window was cut at: that keeps more, never less.
        walk.push_tipset(&tips.head, &mut tolerance)?;
        let forks = tips.forks;
        let awaited = Awaited::new(cx.options.missing);
        Ok(Self { work, marking, graph, walk, tenured, tolerance, forks, awaited })
    }

    fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Marked<'a>>> {
        let every_root = cx.roots_of(self.work.window)?;
        // Old messages of a fork are nobody's archive: they would be there without what only the chain keeps below them.
        let forks = self.tolerance.under == Under::Forks;
        let roots_of = |header: &HeaderView| {
            let roots = every_root(header).into_iter();
            roots.filter(|root| !forks || root.scope == Scope::Hot).collect()
        };
        if let Some(walked) = self.walk.step(&roots_of, &mut self.tolerance)? {
            count(meter, walked.objects, walked.bytes);
            return Ok(Advance::More(self));
        }
        if !self.forks.is_empty() {
            self.tolerance.under = Under::Forks;
            self.walk.chain_ends();
            for key in self.forks.drain(..) {
                self.walk.push_tipset(&key, &mut self.tolerance)?;
            }
            return Ok(Advance::More(self));
        }
        let references = cx.protection.take_references();
        if references.is_empty() {
            return self.await_missing(cx);
        }
        self.walk.live.push_taken(&references, &mut self.awaited)?;
        let walked = self.walk.live.run(&mut self.awaited)?;
        count(meter, walked.objects, walked.bytes);
        Ok(Advance::More(self))
    }

    /// Everything is marked but what was missing below references: looks again, or ends.
    fn await_missing(mut self, cx: &Inner) -> Result<Advance<Self, Marked<'a>>> {
        match self.awaited.next(cx.clock.elapsed()) {
            Next::GiveUp(given_up) => {
                let Tolerance { mut missing, old, .. } = self.tolerance;
                let archive = old.archive(cx.options.policy.cold());
                for cid in given_up {
                    missing.add(cid);
                }
                // The walkers go, and with them all hold on the graph but this one: its links are freed.
                let (sets, moving, passed) = self.walk.into_parts();
                if let Some(passed) = passed {
                    cx.tenured.hold(passed);
                }
                if let (Some(tenured), Some(bitmap)) = (&self.tenured, sets.bitmap()) {
                    tenured.mark_headers(bitmap);
                }
                let graph = self.graph.map(|graph| Arc::into_inner(graph).expect("no walker is left"));
                let (snapshot, links) = graph.map(Graph::split).unzip();
                let learned = links.filter(|_| cx.links.is_kept()).zip(sets.shared_bitmap());
                let learned = learned.map(|(links, bitmap)| Learned::new(links, bitmap));
                let (work, marking, tenured) = (self.work, self.marking, self.tenured);
                let marked =
                    Marked { work, sets, moving, archive, missing, tenured, snapshot, learned, marking };
                Ok(Advance::Done(marked))
            }
            Next::Wait(until) => Ok(Advance::Wait(self, until)),
            Next::Look(again) => {
                for visit in &again {
                    self.walk.live.push_reference(visit, &mut self.awaited)?;
                }
                self.walk.live.run(&mut self.awaited)?;
                Ok(Advance::More(self))
            }
        }
    }
}

/// Missing blocks end the run under strict roots and are counted under lenient ones, and below all reverted tipsets.
struct Tolerance {
    under: Under,
    missing: Absent,
    old: OldHeaders,
    /// The headers that are being walked, by root.
    headers: HashMap<Cid, Cid>,
}

impl Tolerance {
    fn new(old: OldHeaders) -> Self {
        Self { under: Under::Chain, missing: Absent::default(), old, headers: HashMap::new() }
    }
}

/// What is walked at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Under {
    Chain,
    /// The chain has been walked, so whatever is new hangs from reverted tipsets.
    Forks,
}

impl Sink for Tolerance {
    fn missing(&mut self, missing: &Missing) -> Result<()> {
        let Missing { cid, root, .. } = *missing;
        if missing.is_fatal() && self.under == Under::Chain {
            return Err(Error::MissingLive {
                cid,
                root,
                header: self.headers.get(&root).copied().map(Box::new),
            });
        }
        self.missing.add(cid);
        Ok(())
    }

    fn headers_begin(&mut self) {
        self.headers.clear();
    }

    fn old_header(&mut self, header: &Cid, height: Epoch) {
        self.old.meet(header, height);
    }

    fn root(&mut self, root: &Cid, header: &Cid) {
        self.headers.insert(*root, *header);
    }

    fn malformed(&mut self, cid: Cid, source: LinkError) -> Result<()> {
        Err(Error::Malformed { cid, source })
    }
}
