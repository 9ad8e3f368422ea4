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
use super::names::{Named, Names};

/// Links, and blocks, looked up together.
const PART: usize = 1024;

/// The links of a piece by ordinals of the index that all pieces make.
pub(super) fn resolve(names: &Names, index: &Index) -> LinkWriter {
    let mut writer = LinkWriter::default();
    writer.counts.reserve_exact(names.len());
    writer.words.reserve_exact(names.slots());
    let mut part = Part::default();
    for block in names.blocks() {
        part.blocks.push(block);
        if let Named::Slots(slots) = block {
            part.names.extend_from_slice(&slots[1..]);
        }
        if part.names.len().max(part.blocks.len()) >= PART {
            part.write(index, &mut writer);
        }
    }
    part.write(index, &mut writer);
    writer.words.shrink_to_fit();
    writer
}

/// Blocks that are resolved together.
#[derive(Default)]
struct Part<'a> {
    blocks: Vec<Named<'a>>,
    /// Of all of them.
    names: Vec<u64>,
    targets: Vec<u32>,
}

impl Part<'_> {
    fn write(&mut self, index: &Index, writer: &mut LinkWriter) {
        index.look_up_many(&self.names, &mut self.targets);
        let mut rest = self.targets.as_slice();
        for block in self.blocks.drain(..) {
            match block {
                Named::None => writer.leaf(),
                Named::Unread => writer.unread(),
                Named::Slots(slots) => {
                    let (targets, behind) = rest.split_at(slots.len() - 1);
                    rest = behind;
                    write(slots, targets, index, writer);
                }
            }
        }
        self.names.clear();
    }
}

fn write(slots: &[u64], targets: &[u32], index: &Index, writer: &mut LinkWriter) {
    if targets.contains(&MANY) {
        return writer.unread();
    }
    if targets.contains(&NONE) {
        return writer.named(slots);
    }
    let sum = targets.iter().fold(0_u64, |sum, target| sum.wrapping_add(index.check(*target)));
    if sum == slots[0] {
        writer.edges(slots[1..].iter().zip(targets).map(|(name, target)| edge(*target, *name)));
    } else {
        writer.unread();
    }
}
