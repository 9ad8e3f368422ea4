//! The sets of one walk, asked as one.
//!
//! ```text
//!   bitmap   what hot held when the run began, while a run marks by scan        exact
//!   marks    may over-approximate, if a store has one                           its "no" is final
//!   visits   everything else, and after collection everything                   exact: gates the walk
//! ```

use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{MarkSet, Reading, Visit, VisitSet};

use crate::error::Result;
use crate::graph::Bitmap;
use crate::walk::Sink;

/// The sets of one walk: an exact one that gates it and has the last word, and perhaps one that is asked first.
#[derive(Clone)]
pub(crate) struct WalkSets {
    pub(crate) visits: Arc<dyn VisitSet>,
    /// May over-approximate: saves asking the exact set about most of what is unmarked.
    pub(crate) marks: Option<Arc<dyn MarkSet>>,
    /// Stands for both where it knows a key.
    bitmap: Option<Arc<Bitmap>>,
}

impl WalkSets {
    /// Sets that know nothing of a snapshot.
    pub(crate) fn new(visits: Arc<dyn VisitSet>, marks: Option<Arc<dyn MarkSet>>) -> Self {
        Self { visits, marks, bitmap: None }
    }

    /// The same sets, with a bitmap in front.
    pub(crate) fn with_bitmap(self, bitmap: Bitmap) -> Self {
        Self { bitmap: Some(Arc::new(bitmap)), ..self }
    }

    /// The bitmap, while there is one.
    pub(crate) fn bitmap(&self) -> Option<&Bitmap> {
        self.bitmap.as_deref()
    }

    /// Goes on without the bitmap, whose marks have been visited in the sets behind it.
    pub(crate) fn settled(self) -> Self {
        Self { bitmap: None, ..self }
    }

    /// Marks what is visited; appends whether each visit is the first.
    pub(crate) fn visit(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        let Some(bitmap) = self.bitmap() else { return self.settle(visits, first) };
        let begin = first.len();
        let mut outside = Vec::new();
        for visit in visits {
            let known = bitmap.find(&visit.key);
            if known.is_none() {
                outside.push((first.len(), visit.clone()));
            }
            first.push(known.is_some_and(|ordinal| bitmap.visit(ordinal, visit.reading)));
        }
        debug_assert_eq!(first.len() - begin, visits.len());
        let (places, outside): (Vec<usize>, Vec<Visit>) = outside.into_iter().unzip();
        let mut answers = Vec::with_capacity(outside.len());
        self.settle(&outside, &mut answers)?;
        places.into_iter().zip(answers).for_each(|(place, answer)| first[place] = answer);
        Ok(())
    }

    /// The same in the sets behind the bitmap, also for keys that it knows.
    pub(crate) fn settle(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
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
        if let Some((bitmap, ordinal)) = self.known(&visit.key) {
            return Ok(bitmap.is_visited(ordinal, visit.reading));
        }
        let mut before = Vec::with_capacity(1);
        self.visits.visited_many(std::slice::from_ref(visit), &mut before)?;
        Ok(before.contains(&true))
    }

    /// The ordinal of a key that the bitmap knows.
    fn known(&self, key: &BlockKey) -> Option<(&Bitmap, u32)> {
        self.bitmap().and_then(|bitmap| Some((bitmap, bitmap.find(key)?)))
    }

    /// Whether each key is marked, exactly.
    pub(crate) fn marked(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        let mut answers = self.marked_behind(keys)?;
        for (key, answer) in keys.iter().zip(&mut answers) {
            *answer |= self.known(key).is_some_and(|(bitmap, ordinal)| bitmap.is_marked(ordinal));
        }
        Ok(answers)
    }

    fn marked_behind(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
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
        self.visits.len() + self.bitmap().map_or(0, Bitmap::len)
    }
}
