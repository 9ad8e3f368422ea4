//! The blocks of one moment as a graph in memory: one ordered pass over hot reads every block once, and walks
//! then follow links without reading any.
//!
//! ```text
//!   snapshot    k0   k1   k2   k3 ..            every block of hot, in key order: n-th key, ordinal n
//!   index       id   id   id   id               63 bits of each key, ascending, and 64 bits under a secret
//!   names            [k3 k0]   [k2 x]           as scanned: 63 bits of each target; x is in no block of the snapshot
//!   links            [3 0]     [k2 x]           resolved: ordinals, where each is proved to be the right one
//!   bitmap      .    1    .    1                what a walk has visited
//!
//!   frontier -> edges -> mark what is new -> next frontier           (level by level, on threads)
//! ```
//! At 2.3 links each, about 16 bytes per block for keys and 23 for names while a scan is made; then 11 for links instead
//! of names.
//!
//! | file | what |
//! |---|---|
//! | `keyed.rs`, `index.rs`, `in_order.rs` | short names of keys, and the ordinals they lead to |
//! | `build.rs`, `names.rs` | one pass over ranges: keys, and links by name |
//! | `resolve.rs`, `links.rs` | names to ordinals; links packed |
//! | `follow.rs`, `bitmap.rs` | everything below some blocks; what was visited |
//! | `parts.rs`, `added.rs`, `room.rs`, `resolver.rs`, `assemble.rs` | a graph that is not scanned but read, from the link index ([`crate::links`]) |
//! | `survivors.rs`, `facts.rs` | what of a graph the link index keeps; what it says of one block |
//!
//! # Why the marks are those of the walk
//!
//! A walk that reads blocks follows a link by its whole key. This one has 63 bits of it, which whoever writes blocks
//! can make collide on purpose. So links are followed only if they are *sure*, and a block with one that is not is
//! given back, to be read and followed key by key:
//!
//! - An id that two keys of the snapshot share under one header, or that neither a key of the snapshot nor one block met outside of
//!   it has, is unsure.
//! - What all links of a block lead to must add up to the sum of its targets' checks, 64-bit hashes of whole keys
//!   under a secret of this process. If one led to another key than it names (it leaves hot, and its
//!   target shares an id with a block of hot), the sum differs but for one chance in 2^64, which nobody can improve
//!   without the secret; then none of the block's links is followed.
//!
//! This is decided once for each block, when its links are resolved. Blocks whose links leave hot keep them by name,
//! and it is decided when a walk comes by, which may have met the outside block by then.
//!
//! So every link that is followed leads where the walk would go, every one that is not is walked by reading, and by
//! induction over the levels both mark the same blocks under the same readings. Collisions cost reads, nothing else.
//! Whoever names a block from outside (a root, a reference, a block of cold) is looked up by both names, 127 bits.
//! Tests run whole compactions with ids of 8 and 16 bits, where nearly everything collides.
//!
//! What a link says of its target decides how it is read. A block that another codec was kept for has no links
//! here; met as DAG-CBOR it is given back, like one that is malformed, and the walk decides.

mod added;
mod assemble;
mod bitmap;
mod build;
mod facts;
mod follow;
mod in_order;
mod index;
mod keyed;
mod links;
mod names;
mod parts;
mod resolve;
mod resolver;
mod room;
mod sealed;
mod spread;
mod survivors;

use std::ops::ControlFlow;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{BlockSnapshot, ErrorKind, KeyRange, PortError, Result, ScannedBlock};

pub(crate) use added::{Added, Noted, links_of};
pub(crate) use bitmap::Bitmap;
pub(crate) use build::Piece;
pub(crate) use facts::Disagreement;
pub(crate) use follow::{Outside, Reached};
pub(crate) use in_order::InOrder;
pub(crate) use index::Index;
pub(crate) use keyed::{ID_BITS, Keyed, Short, header_len};
pub(crate) use parts::Parts;
pub(crate) use sealed::Written;
pub(crate) use survivors::Survivors;

pub(crate) use links::Links;

/// Blocks that a graph can number: an edge takes 31 bits.
pub(crate) const BLOCKS_MAX: u32 = u32::MAX >> 2;

/// All blocks of a snapshot with their links.
pub(crate) struct Graph<'a> {
    snapshot: Box<dyn BlockSnapshot + 'a>,
    index: Arc<Index>,
    links: Links,
    threads: usize,
}

impl<'a> Graph<'a> {
    /// Joins the pieces of a snapshot, in the order of its ranges, and resolves their links.
    pub(crate) fn join(
        snapshot: Box<dyn BlockSnapshot + 'a>,
        pieces: Vec<Piece>,
        keyed: Arc<Keyed>,
        threads: usize,
    ) -> Result<Self> {
        let (index, links) = build::join(pieces, keyed, threads)?;
        Ok(Self { snapshot, index: Arc::new(index), links, threads })
    }

    /// Its keys.
    pub(crate) const fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The whole key of an ordinal, from the snapshot.
    pub(crate) fn key(&self, ordinal: u32) -> Result<BlockKey> {
        let mut found = None;
        self.find(ordinal, &mut |block| found = Some(block.key.clone()))?;
        found.ok_or_else(|| {
            let attempt = format!("find block {ordinal} of a snapshot of hot again");
            PortError::bare(ErrorKind::Corrupt, attempt)
        })
    }

    /// Shows every block of the snapshot with its ordinal, if it has one.
    pub(crate) fn each_block(
        &self,
        see: &mut dyn FnMut(Option<u32>, &ScannedBlock<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        self.snapshot
            .scan(&KeyRange::default(), &mut |block| see(self.index.find(block.key.as_bytes()), block))
    }

    /// Shows the block of an ordinal, if the snapshot has it.
    fn find(&self, ordinal: u32, see: &mut dyn FnMut(&ScannedBlock<'_>)) -> Result<()> {
        let (least, id) = (self.index.least_key(ordinal), self.index.id(ordinal));
        self.snapshot.look(&least, &mut |block| {
            if self.index.is(ordinal, block.key.as_bytes()) {
                see(block);
                return ControlFlow::Break(());
            }
            // Ids ascend with keys: behind this one it cannot be.
            let same_id = self.index.keyed.short(block.key.as_bytes()).id == id;
            if same_id { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    }
}
