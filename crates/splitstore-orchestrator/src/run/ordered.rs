//! The snapshot that a run marked by, once more, in key order, and which bit of the bitmap each block has.
//!
//! ```text
//!   marked by scan         the n-th key is the n-th bit; another key there is an error
//!   marked by link index   the bit is found by the key's names; a key without one is asked of the exact set
//! ```
//! A link index that has marked a block which the snapshot lacks is no longer believed, and the run ends.

use std::ops::ControlFlow;

use splitstore_domain::{BlockKey, MarkedBy};
use splitstore_ports::{BlockSnapshot, ErrorKind, KeyRange, PortError, ScannedBlock};

use crate::archive::ColdGets;
use crate::candidates::Fate;
use crate::error::Result;
use crate::graph::{Bitmap, InOrder, Index};
use crate::links;
use crate::sets::WalkSets;
use crate::store::Inner;
use crate::tenured::Tenured;

/// A snapshot, and how far it was looked at.
pub(super) struct Ordered<'a> {
    snapshot: Box<dyn BlockSnapshot + 'a>,
    from: Option<Vec<u8>>,
    places: Places,
    /// Blocks whose bits are marked as live.
    found: u64,
}

/// Is shown each block, and this of it, if it has one.
type Shown<'a, T> = dyn FnMut(Option<T>, &ScannedBlock<'_>) -> Result<ControlFlow<()>> + 'a;

/// Where the bits of keys are.
enum Places {
    /// The next key has this one.
    Next(u32),
    Named(InOrder),
}

/// Whether a look at what there is came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Whoever looked had enough.
    Some,
    All,
}

impl<'a> Ordered<'a> {
    pub(super) fn new(snapshot: Box<dyn BlockSnapshot + 'a>, marked: MarkedBy) -> Self {
        let places = match marked {
            MarkedBy::Links => Places::Named(InOrder::default()),
            MarkedBy::Scan | MarkedBy::Walk => Places::Next(0),
        };
        Self { snapshot, from: None, places, found: 0 }
    }

    /// Shows blocks from where it stands with what becomes of them, until `on_block` breaks off.
    pub(super) fn go_on(&mut self, fates: &Fates<'_>, on_block: &mut Shown<'_, Fate>) -> Result<Seen> {
        let mut found = 0;
        let seen = self.each(fates.index(), &mut |ordinal, block| {
            let marks = fates.marks(ordinal, block.key)?;
            found += u64::from(ordinal.is_some() && marks.is_live());
            on_block(fate(fates.gets, marks), block)
        });
        self.found += found;
        seen
    }

    /// All was seen: whether it was what the run has marked by.
    pub(super) fn check(&self, cx: &Inner, fates: &Fates<'_>) -> Result<()> {
        match self.places {
            Places::Next(_) => Ok(()),
            Places::Named(_) => links::check_all_found(cx, fates.live.len(), self.found),
        }
    }

    /// Shows blocks from where it stands with their ordinals, until `on_block` breaks off. Marked by scan, a snapshot that shows
    /// other keys than those of `index` is an error: nothing may be deleted on the strength of such a one.
    fn each(&mut self, index: &Index, on_block: &mut Shown<'_, u32>) -> Result<Seen> {
        let range = KeyRange { from: self.from.take(), to: None };
        let (mut broken, places) = (None, &mut self.places);
        self.snapshot.scan(&range, &mut |block| {
            let shown = places.of(block, index).and_then(|ordinal| on_block(ordinal, block));
            match shown {
                Ok(ControlFlow::Continue(())) => return ControlFlow::Continue(()),
                // The next look begins after this key: at the least bytes above it.
                Ok(ControlFlow::Break(())) => broken = Some(Ok([block.key.as_bytes(), &[0]].concat())),
                Err(error) => broken = Some(Err(error)),
            }
            ControlFlow::Break(())
        })?;
        let Some(from) = broken.transpose()? else {
            return self.places.all_seen(index).map(|()| Seen::All);
        };
        self.from = Some(from);
        Ok(Seen::Some)
    }
}

impl Places {
    /// The ordinal of the next block.
    fn of(&mut self, block: &ScannedBlock<'_>, index: &Index) -> Result<Option<u32>> {
        let key = block.key.as_bytes();
        match self {
            Self::Named(in_order) => Ok(in_order.find(index, key)),
            Self::Next(next) => {
                let ordinal = *next;
                *next = next.saturating_add(1);
                if index.is(ordinal, key) { Ok(Some(ordinal)) } else { Err(astray(block, ordinal)) }
            }
        }
    }

    fn all_seen(&self, index: &Index) -> Result<()> {
        let Self::Next(seen) = *self else { return Ok(()) };
        let known = index.len();
        if seen == known {
            return Ok(());
        }
        let attempt = format!("scan hot again: its snapshot held {known} blocks, and now {seen}");
        Err(PortError::bare(ErrorKind::Corrupt, attempt).into())
    }
}

fn astray(block: &ScannedBlock<'_>, ordinal: u32) -> crate::Error {
    let cid = block.key.to_cid(block.codec);
    let attempt = format!("scan hot again: block {ordinal} of its snapshot is now {cid}");
    PortError::bare(ErrorKind::Corrupt, attempt).into()
}

/// What becomes of the blocks of a snapshot.
pub(super) struct Fates<'s> {
    sets: Sets<'s>,
    live: &'s Bitmap,
    moving: Option<&'s Bitmap>,
    gets: ColdGets,
}

/// Sets that a bitmap stands in front of, and what is live besides.
#[derive(Clone, Copy)]
pub(super) struct Sets<'s> {
    pub(super) live: &'s WalkSets,
    pub(super) moving: Option<&'s WalkSets>,
    pub(super) tenured: Option<&'s Tenured>,
}

/// How many blocks of hot there are, and what becomes of them.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub(super) all: u64,
    /// Leave hot.
    pub(super) leave: u64,
    /// Go to cold, at most: cold may have some of those that stay.
    pub(super) for_cold: u64,
}

impl<'s> Fates<'s> {
    /// `None` for sets without a bitmap.
    pub(super) fn of(sets: Sets<'s>, gets: ColdGets) -> Option<Self> {
        Some(Self { sets, live: sets.live.bitmap()?, moving: sets.moving.and_then(WalkSets::bitmap), gets })
    }

    pub(super) fn index(&self) -> &'s Index {
        self.live.index()
    }

    /// Who came by a block.
    fn marks(&self, ordinal: Option<u32>, key: &BlockKey) -> Result<Marks> {
        let Some(ordinal) = ordinal else { return self.sets.marks(key) };
        let moves = self.moving.is_some_and(|moving| moving.is_marked(ordinal));
        Ok(Marks::of([self.live.is_marked(ordinal), moves]))
    }

    pub(super) fn count(&self) -> Counts {
        let all = u64::from(self.index().len());
        let leave = all - self.live.len();
        let for_cold = match self.gets {
            ColdGets::Dead => leave,
            ColdGets::Old => self.moving.map_or(0, Bitmap::len),
            ColdGets::Everything => all,
            ColdGets::Nothing => 0,
        };
        Counts { all, leave, for_cold }
    }
}

impl Sets<'_> {
    /// Who came by a block that no bitmap has.
    fn marks(&self, key: &BlockKey) -> Result<Marks> {
        let keys = std::slice::from_ref(key);
        // From here on the marks stand alone: what is final and hot is among them.
        self.tenured.map_or(Ok(()), |tenured| tenured.visit(keys, self.live))?;
        let is_marked = |sets: &WalkSets| sets.marked(keys).map(|marked| marked.contains(&true));
        Ok(Marks::of([is_marked(self.live)?, self.moving.map_or(Ok(false), is_marked)?]))
    }
}

/// Which walks came by a block.
#[derive(Clone, Copy)]
pub(super) enum Marks {
    Nobody,
    Live,
    /// The one below old messages and receipts of the chain.
    Old,
    Both,
}

impl Marks {
    pub(super) const fn of([live, old]: [bool; 2]) -> Self {
        match [live, old] {
            [false, false] => Self::Nobody,
            [true, false] => Self::Live,
            [false, true] => Self::Old,
            [true, true] => Self::Both,
        }
    }

    const fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Both)
    }
}

/// What becomes of a block.
///
/// Under `messages` one that is live and hangs from what moves is copied with it: cold holds whatever is below a block
/// that it holds, or a later run would drop from hot what only hot has, once a reorganisation has taken the header from
/// the chain that led there. For the same reason everything is copied where nothing is known of cold.
pub(super) const fn fate(gets: ColdGets, marks: Marks) -> Option<Fate> {
    match (gets, marks) {
        (ColdGets::Old, Marks::Both) | (ColdGets::Everything, Marks::Live | Marks::Both) => Some(Fate::Copy),
        (_, Marks::Live | Marks::Both) => None,
        (ColdGets::Dead | ColdGets::Everything, _) | (ColdGets::Old, Marks::Old) => Some(Fate::Transfer),
        (ColdGets::Old | ColdGets::Nothing, _) => Some(Fate::Drop),
    }
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    use std::sync::Arc;

    use splitstore_domain::BlockKey;
    use splitstore_domain::object::RAW;
    use splitstore_ports::{Interrupt, OnBlock, Result as PortResult};

    use super::*;
    use crate::graph::{Graph, ID_BITS, Keyed, Piece};

    /// Empty blocks with these keys.
    struct Keys(Vec<BlockKey>);

    impl BlockSnapshot for Keys {
        fn estimated_len(&self) -> PortResult<u64> {
            Ok(self.0.len() as u64)
        }

        fn ranges(&self, _parts: usize) -> PortResult<Vec<KeyRange>> {
            Ok(vec![KeyRange::default()])
        }

        fn scan(&self, range: &KeyRange, on_block: OnBlock<'_>) -> PortResult<()> {
            let from = range.from.as_deref().unwrap_or_default();
            for key in self.0.iter().filter(|key| key.as_bytes() >= from) {
                if on_block(&ScannedBlock { key, codec: RAW, data: &[] }).is_break() {
                    break;
                }
            }
            Ok(())
        }
    }

    fn keys(numbers: &[u8]) -> Vec<BlockKey> {
        let key = |number: &u8| [&[0x12, 0x20][..], &[*number; 32]].concat();
        numbers.iter().map(|number| BlockKey::from_bytes(&key(number)).expect("a multihash")).collect()
    }

    fn graph(numbers: &[u8]) -> Graph<'static> {
        let (snapshot, keyed) = (Keys(keys(numbers)), Arc::new(Keyed::random(ID_BITS)));
        let piece =
            Piece::read(&snapshot, &KeyRange::default(), &keyed, &Interrupt::new()).expect("it is sound");
        Graph::join(Box::new(snapshot), vec![piece], keyed, 1).expect("it is small")
    }

    /// Looks at these blocks `most` at a time; what was seen.
    fn seen(graph: &Graph<'_>, numbers: &[u8], most: usize) -> Result<Vec<u32>> {
        let seen = placed(graph, MarkedBy::Scan, numbers, most)?;
        Ok(seen.into_iter().map(|ordinal| ordinal.expect("a scan has all of them")).collect())
    }

    fn placed(graph: &Graph<'_>, by: MarkedBy, numbers: &[u8], most: usize) -> Result<Vec<Option<u32>>> {
        let mut ordered = Ordered::new(Box::new(Keys(keys(numbers))), by);
        let mut seen = Vec::new();
        loop {
            let before = seen.len();
            let end = ordered.each(graph.index(), &mut |ordinal, _| {
                seen.push(ordinal);
                let enough = seen.len() - before == most;
                Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            if end == Seen::All {
                return Ok(seen);
            }
        }
    }

    #[test]
    fn every_block_is_seen_once_however_many_at_a_time() {
        let graph = graph(&[1, 2, 3, 4, 5]);
        for most in [1, 2, 5, 6] {
            assert_eq!(seen(&graph, &[1, 2, 3, 4, 5], most).unwrap(), [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn an_index_need_not_have_every_block_of_the_snapshot() {
        let graph = graph(&[1, 3, 5]);
        for most in [1, 2, 6] {
            let placed = placed(&graph, MarkedBy::Links, &[0, 1, 3, 4, 6], most).unwrap();
            assert_eq!(placed, [None, Some(0), Some(1), None, None]);
        }
    }

    #[test]
    fn a_snapshot_that_shows_other_keys_the_second_time_is_an_error() {
        let graph = graph(&[1, 2, 3]);
        for other in [&[1, 2][..], &[1, 2, 3, 4], &[1, 3], &[0, 1, 2, 3], &[1, 2, 4], &[]] {
            let error = seen(&graph, other, 2).unwrap_err().to_string();
            assert!(error.contains("scan hot again"), "{other:?}: {error}");
        }
    }
}
