//! The sets of one walk, asked as one.
//!
//! ```text
//!   frozen   what was marked before the seal began to write it; nobody adds to it any more
//!   bitmap   what hot held when the run began, if it marked by scan or index     exact
//!   marks    may over-approximate, if a store has one                           its "no" is final
//!   visits   everything else                                                    exact: gates the walk
//! ```

use std::io::Write;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{MarkSet, Reading, Result as PortResult, Visit, VisitSet};

use crate::error::Result;
use crate::graph::Bitmap;
use crate::walk::Sink;

/// The sets of one walk: an exact one that gates it and has the last word, and perhaps one that is asked first.
#[derive(Clone)]
pub(crate) struct WalkSets {
    visits: Arc<dyn VisitSet>,
    /// May over-approximate: saves asking the exact set about most of what is unmarked.
    marks: Option<Arc<dyn MarkSet>>,
    /// Stands for both where it knows a key.
    bitmap: Option<Arc<Bitmap>>,
    /// Asked before all of these.
    frozen: Option<Arc<WalkSets>>,
}

impl WalkSets {
    /// Sets that know nothing of a snapshot.
    pub(crate) fn new(visits: Arc<dyn VisitSet>, marks: Option<Arc<dyn MarkSet>>) -> Self {
        Self { visits, marks, bitmap: None, frozen: None }
    }

    /// The same sets, with a bitmap in front.
    pub(crate) fn with_bitmap(self, bitmap: Bitmap) -> Self {
        Self { bitmap: Some(Arc::new(bitmap)), ..self }
    }

    /// The bitmap, while there is one.
    pub(crate) fn bitmap(&self) -> Option<&Bitmap> {
        self.bitmap.as_deref()
    }

    /// The bitmap, to be kept.
    pub(crate) fn shared_bitmap(&self) -> Option<Arc<Bitmap>> {
        self.bitmap.clone()
    }

    /// What is visited from here on goes into `later`: these sets stay as they are.
    pub(crate) fn frozen(self, later: Arc<dyn VisitSet>) -> Self {
        Self { frozen: Some(Arc::new(self)), ..Self::new(later, None) }
    }

    /// Writes what is in the exact set, without what is frozen.
    pub(crate) fn seal_visits(&self, out: &mut dyn Write) -> PortResult<()> {
        self.visits.seal(out)
    }

    /// Marks what is visited; appends whether each visit is the first.
    pub(crate) fn visit(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        let Some(frozen) = &self.frozen else { return self.visit_here(visits, first) };
        let before = frozen.visited(visits)?;
        visit_but(visits, &before, first, |rest, first| self.visit_here(rest, first))
    }

    fn visit_here(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        let Some(bitmap) = self.bitmap() else { return self.visit_behind(visits, first) };
        let ordinals: Vec<Option<u32>> = visits.iter().map(|visit| bitmap.find(&visit.key)).collect();
        let begin = first.len();
        let known: Vec<bool> = ordinals.iter().map(Option::is_some).collect();
        visit_but(visits, &known, first, |outside, first| self.visit_behind(outside, first))?;
        for (place, (visit, ordinal)) in first[begin..].iter_mut().zip(visits.iter().zip(ordinals)) {
            if let Some(ordinal) = ordinal {
                *place = bitmap.visit(ordinal, visit.reading);
            }
        }
        Ok(())
    }

    fn visit_behind(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        if let Some(marks) = &self.marks {
            let keys: Vec<BlockKey> = visits.iter().map(|visit| visit.key.clone()).collect();
            marks.mark_many(&keys)?;
        }
        Ok(self.visits.visit_many(visits, first)?)
    }

    pub(crate) fn visit_one(&self, visit: &Visit, sink: &mut dyn Sink) -> Result<()> {
        let mut first = Vec::with_capacity(1);
        self.visit(std::slice::from_ref(visit), &mut first)?;
        if first.contains(&true) {
            sink.marked(visit);
        }
        Ok(())
    }

    /// Whether the chain walk expanded this key as a header.
    pub(crate) fn is_header(&self, key: &BlockKey) -> Result<bool> {
        self.is_visited(&Visit { key: key.clone(), reading: Reading::Header })
    }

    /// Whether this visit was made, by whomever.
    pub(crate) fn is_visited(&self, visit: &Visit) -> Result<bool> {
        Ok(self.visited(std::slice::from_ref(visit))?.contains(&true))
    }

    /// Whether each visit was made, by whomever.
    pub(crate) fn visited(&self, visits: &[Visit]) -> PortResult<Vec<bool>> {
        let mut before = Vec::with_capacity(visits.len());
        match self.bitmap() {
            None => self.visits.visited_many(visits, &mut before)?,
            Some(bitmap) => {
                for visit in visits {
                    match bitmap.find(&visit.key) {
                        Some(ordinal) => before.push(bitmap.is_visited(ordinal, visit.reading)),
                        None => self.visits.visited_many(std::slice::from_ref(visit), &mut before)?,
                    }
                }
            }
        }
        if let Some(frozen) = &self.frozen {
            let earlier = frozen.visited(visits)?;
            before.iter_mut().zip(earlier).for_each(|(before, earlier)| *before |= earlier);
        }
        Ok(before)
    }

    /// The ordinal of a key that the bitmap knows.
    fn known(&self, key: &BlockKey) -> Option<(&Bitmap, u32)> {
        self.bitmap().and_then(|bitmap| Some((bitmap, bitmap.find(key)?)))
    }

    /// Whether each key is marked, exactly.
    pub(crate) fn marked(&self, keys: &[BlockKey]) -> PortResult<Vec<bool>> {
        let mut answers = self.marked_behind(keys)?;
        if let Some(frozen) = &self.frozen {
            let before = frozen.marked(keys)?;
            answers.iter_mut().zip(before).for_each(|(answer, before)| *answer |= before);
        }
        for (key, answer) in keys.iter().zip(&mut answers) {
            *answer |= self.known(key).is_some_and(|(bitmap, ordinal)| bitmap.is_marked(ordinal));
        }
        Ok(answers)
    }

    fn marked_behind(&self, keys: &[BlockKey]) -> PortResult<Vec<bool>> {
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
        let bitmap = self.bitmap().map_or(0, Bitmap::len);
        self.visits.len() + bitmap + self.frozen.as_ref().map_or(0, |frozen| frozen.len())
    }
}

/// Visits those that are not `taken`, by `rest`; the others are no first visits.
fn visit_but(
    visits: &[Visit],
    taken: &[bool],
    first: &mut Vec<bool>,
    rest: impl FnOnce(&[Visit], &mut Vec<bool>) -> Result<()>,
) -> Result<()> {
    let left = visits.iter().zip(taken).filter_map(|(visit, taken)| (!taken).then_some(visit.clone()));
    let left: Vec<Visit> = left.collect();
    let mut answers = Vec::with_capacity(left.len());
    rest(&left, &mut answers)?;
    let mut answers = answers.into_iter();
    first.extend(taken.iter().map(|taken| !taken && answers.next().unwrap_or(false)));
    Ok(())
}
