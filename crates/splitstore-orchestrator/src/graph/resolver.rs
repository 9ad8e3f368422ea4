//! From names to ordinals, in place, for blocks as they were written one after the other.
//!
//! ```text
//!   names of about 1024 links -> those met lately        name | check | ordinal      a small table
//!                             -> the rest: the index     (`index.rs`), and into the table
//!        -> do their checks add up?                      as in `resolve.rs`
//! ```

use super::index::{Index, MANY, NONE};
use super::links::edge;
use super::room;

/// Links looked up together.
const PART: usize = 1024;
/// Names that are kept at hand: two to the power of this.
const BITS: u32 = 16;

/// Resolves slabs, one after the other.
pub(super) struct Resolver<'a> {
    index: &'a Index,
    met: Vec<Target>,
    /// Blocks that are resolved together: where they begin.
    blocks: Vec<usize>,
    names: Vec<u64>,
    targets: Vec<Target>,
    absent: Absent,
}

/// What a name leads to.
#[derive(Clone, Copy)]
struct Target {
    name: u64,
    check: u64,
    ordinal: u32,
}

/// Names that are not at hand.
#[derive(Default)]
struct Absent {
    places: Vec<usize>,
    names: Vec<u64>,
    ordinals: Vec<u32>,
    checks: Vec<u64>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(index: &'a Index) -> Self {
        // A name that nothing has been kept for leads to no ordinal: a block that has it is looked at when it is walked.
        let nothing = Target { name: 0, check: 0, ordinal: NONE };
        let (blocks, names, targets, absent) = (Vec::new(), Vec::new(), Vec::new(), Absent::default());
        Self { index, met: vec![nothing; 1 << BITS], blocks, names, targets, absent }
    }

    /// All blocks of one slab.
    pub(super) fn resolve(&mut self, slab: &mut [u64]) {
        let mut at = 0;
        while at < slab.len() {
            if let Some(slots) = room::slots(slab, at) {
                self.blocks.push(at);
                self.names.extend_from_slice(&slots[1..]);
            }
            at = room::next(slab, at);
            if self.names.len() >= PART {
                self.write(slab);
            }
        }
        self.write(slab);
    }

    fn write(&mut self, slab: &mut [u64]) {
        self.look_up();
        let mut rest = self.targets.as_slice();
        for at in self.blocks.drain(..) {
            let Some([sum, names @ ..]) = room::slots(slab, at) else { continue };
            let (targets, behind) = rest.split_at(names.len());
            rest = behind;
            if targets.iter().any(|target| target.ordinal == NONE) {
                continue;
            }
            let total = targets.iter().fold(0_u64, |total, target| total.wrapping_add(target.check));
            if total != *sum || targets.iter().any(|target| target.ordinal == MANY) {
                room::doubt(slab, at);
            } else {
                room::put_edges(slab, at, targets.iter().map(|target| edge(target.ordinal, target.name)));
            }
        }
        self.names.clear();
    }

    fn look_up(&mut self) {
        let Absent { places, names, ordinals, checks } = &mut self.absent;
        places.clear();
        names.clear();
        self.targets.clear();
        for (place, name) in self.names.iter().enumerate() {
            let target = self.met[slot(*name)];
            if target.name != *name {
                places.push(place);
                names.push(*name);
            }
            self.targets.push(target);
        }
        self.index.look_up_many(names, ordinals);
        self.index.checks_of(ordinals, checks);
        let found = names.iter().zip(ordinals.iter().zip(checks.iter()));
        for (place, (name, (ordinal, check))) in places.iter().zip(found) {
            let target = Target { name: *name, check: *check, ordinal: *ordinal };
            self.targets[*place] = target;
            self.met[slot(*name)] = target;
        }
    }
}

fn slot(name: u64) -> usize {
    let mixed = name.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
    usize::try_from(mixed).expect("few bits")
}
