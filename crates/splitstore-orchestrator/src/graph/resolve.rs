//! From names to ordinals: what each link of a piece leads to, proved by its block's sum.
//!
//! ```text
//!   names of about 1024 links -> places in the directory -> ids there -> ordinals -> their checks add up?
//!        yes                       edges, as ordinals
//!        one is in no block        kept by name: it may lead out of hot
//!        one is in two, or no      unread
//! ```
//! Each look-up misses the caches three times. Done one after the other a thread would wait for each; in stages over
//! many links the processor has a dozen of them under way.

use super::index::{Index, MANY, NONE};
use super::links::{LinkWriter, edge};
use super::names::Named;

/// Links, and blocks, looked up together.
const PART: usize = 1024;

/// Writes the links of blocks by ordinals of the index.
pub(super) fn resolve<'a>(
    blocks: impl Iterator<Item = Named<'a>>,
    index: &Index,
    mut writer: LinkWriter,
) -> LinkWriter {
    let mut part = Part::default();
    for block in blocks {
        part.blocks.push(block);
        if let Named::Slots(slots) = block {
            part.names.extend_from_slice(&slots[1..]);
        }
        if part.names.len().max(part.blocks.len()) >= PART {
            part.write(index, &mut writer);
        }
    }
    part.write(index, &mut writer);
    writer
}

/// Blocks that are resolved together.
#[derive(Default)]
struct Part<'a> {
    blocks: Vec<Named<'a>>,
    /// Of all of them.
    names: Vec<u64>,
    targets: Vec<u32>,
    checks: Vec<u64>,
}

impl Part<'_> {
    fn write(&mut self, index: &Index, writer: &mut LinkWriter) {
        index.look_up_many(&self.names, &mut self.targets);
        index.checks_of(&self.targets, &mut self.checks);
        let (mut rest, mut checks) = (self.targets.as_slice(), self.checks.as_slice());
        for block in self.blocks.drain(..) {
            match block {
                Named::None => writer.leaf(),
                Named::Unread => writer.unread(),
                Named::Slots(slots) => {
                    let ((targets, behind), (own, others)) =
                        (rest.split_at(slots.len() - 1), checks.split_at(slots.len() - 1));
                    (rest, checks) = (behind, others);
                    write(slots, targets, own, writer);
                }
            }
        }
        self.names.clear();
    }
}

fn write(slots: &[u64], targets: &[u32], checks: &[u64], writer: &mut LinkWriter) {
    if targets.contains(&MANY) {
        return writer.unread();
    }
    if targets.contains(&NONE) {
        return writer.named(slots);
    }
    let sum = checks.iter().fold(0_u64, |sum, check| sum.wrapping_add(*check));
    if sum == slots[0] {
        writer.edges(slots[1..].iter().zip(targets).map(|(name, target)| edge(*target, *name)));
    } else {
        writer.unread();
    }
}
