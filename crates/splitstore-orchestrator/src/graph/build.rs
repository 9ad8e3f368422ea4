//! Making a graph: ranges of a snapshot are read side by side, joined in key order, and their links resolved.
//!
//! ```text
//!   range 1   ids checks names  \      each array grows with its range, untouched room is no memory;
//!   range 2   ids checks names   >     joining appends range by range and frees each at once, so the peak
//!   range 3   ids checks names  /      is what all ranges hold and one array of one range
//!
//!   ids, checks -> index;  names + index -> links, a range per thread, each half as large as its names
//! ```

use std::ops::ControlFlow;
use std::sync::Arc;

use splitstore_domain::object::DAG_CBOR;
use splitstore_ports::{BlockSnapshot, ErrorKind, Interrupt, KeyRange, PortError, Result, ScannedBlock};

use super::BLOCKS_MAX;
use super::index::Index;
use super::keyed::{Keyed, header_len};
use super::links::{LinkWriter, Links};
use super::names::{Names, name};
use super::resolve::resolve;
use super::spread::spread;
use crate::children::children_of;

/// Blocks between two looks at the interrupt.
const PATIENCE: usize = 4096;

/// What one range held.
pub(crate) struct Piece {
    groups: Vec<(Box<[u8]>, u32)>,
    ids: Vec<u64>,
    checks: Vec<u64>,
    names: Names,
    bytes: u64,
}

impl Piece {
    /// Reads every block of a range.
    pub(crate) fn read(
        snapshot: &dyn BlockSnapshot,
        range: &KeyRange,
        keyed: &Keyed,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let (groups, ids, checks) = (Vec::new(), Vec::new(), Vec::new());
        let mut piece = Self { groups, ids, checks, names: Names::default(), bytes: 0 };
        let mut going = Ok(());
        snapshot.scan(range, &mut |block| {
            piece.add(block, keyed);
            if piece.ids.len().is_multiple_of(PATIENCE) {
                going = interrupt.check("mark by scan");
            }
            if going.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        going.map(|()| piece)
    }

    /// How many blocks it holds.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Bytes of their data.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn add(&mut self, block: &ScannedBlock<'_>, keyed: &Keyed) {
        let key = block.key.as_bytes();
        let header = &key[..header_len(key)];
        match self.groups.last_mut() {
            Some((last, len)) if **last == *header => *len += 1,
            _ => self.groups.push((header.into(), 1)),
        }
        let short = keyed.short(key);
        self.ids.push(short.id);
        self.checks.push(short.check);
        self.bytes += block.data.len() as u64;
        // What another codec says is not known to be DAG-CBOR; a link that reads it as such makes the walk look.
        let read = block.codec == DAG_CBOR && {
            let names = &mut self.names;
            let mut add = |link: &splitstore_domain::links::Link<'_>, reading| {
                let short = keyed.short(link.multihash());
                names.link(name(short.id, reading), short.check);
            };
            children_of(block.data, &mut add).is_ok()
        };
        if read { self.names.end_block() } else { self.names.unread() }
    }
}

/// No graph has so many blocks.
pub(super) fn too_many(blocks: usize) -> PortError {
    let attempt = format!("number {blocks} blocks of hot for a graph, which takes {BLOCKS_MAX}");
    PortError::bare(ErrorKind::Unsupported, attempt)
}

/// Joins pieces that follow one another, on so many threads.
pub(super) fn join(pieces: Vec<Piece>, keyed: Arc<Keyed>, threads: usize) -> Result<(Index, Links)> {
    let total: usize = pieces.iter().map(Piece::len).sum();
    if !u32::try_from(total).is_ok_and(|total| total <= BLOCKS_MAX) {
        return Err(too_many(total));
    }
    let mut groups: Vec<(Box<[u8]>, u32)> = Vec::new();
    let (mut ids, mut checks, mut names) = (vec![], vec![], vec![]);
    for piece in pieces {
        for (header, len) in piece.groups {
            match groups.last_mut() {
                Some((last, total)) if *last == header => *total += len,
                _ => groups.push((header, len)),
            }
        }
        ids.push(piece.ids);
        checks.push(piece.checks);
        names.push(piece.names);
    }
    let index = Index::new(keyed, append(ids), append(checks), groups);
    let writers = spread(names, threads, |names| {
        let room = LinkWriter::with_capacity(names.len(), names.slots());
        let mut writer = resolve(names.blocks(), &index, room);
        writer.words.shrink_to_fit();
        writer
    });
    let (counts, words) = writers.into_iter().map(|writer| (writer.counts, writer.words)).unzip();
    Ok((index, Links::new(append(counts), append(words))))
}

/// All parts in one, each freed when it is copied.
fn append<T: Copy>(parts: Vec<Vec<T>>) -> Vec<T> {
    let total: usize = parts.iter().map(Vec::len).sum();
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_default();
    whole.reserve_exact(total - whole.len());
    parts.for_each(|part| whole.extend_from_slice(&part));
    whole.shrink_to_fit();
    whole
}
