//! Making a graph: ranges of a snapshot are read side by side, and their pieces joined in key order.
//!
//! ```text
//!   range 1   ids checks counts slots  \      each array grows with its range, untouched room is no memory;
//!   range 2   ids checks counts slots   >     joining appends range by range and frees each at once, so the
//!   range 3   ids checks counts slots  /      peak is the result and one array of one range
//! ```

use std::ops::ControlFlow;
use std::sync::Arc;

use splitstore_domain::object::DAG_CBOR;
use splitstore_ports::{BlockSnapshot, ErrorKind, Interrupt, KeyRange, PortError, Result, ScannedBlock};

use super::index::Index;
use super::keyed::{Keyed, header_len};
use super::links::{LinkWriter, Links};
use super::resolve::edge;
use crate::children::children_of;

/// Blocks between two looks at the interrupt.
const PATIENCE: usize = 4096;

/// What one range held.
pub(crate) struct Piece {
    groups: Vec<(Box<[u8]>, u32)>,
    ids: Vec<u64>,
    checks: Vec<u64>,
    writer: LinkWriter,
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
        let mut piece = Self { groups, ids, checks, writer: LinkWriter::default(), bytes: 0 };
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
            let writer = &mut self.writer;
            let mut add = |link: &splitstore_domain::links::Link<'_>, reading| {
                let short = keyed.short(link.multihash());
                writer.link(edge(short.id, reading), short.check);
            };
            children_of(block.data, &mut add).is_ok()
        };
        if read { self.writer.end_block() } else { self.writer.unread() }
    }
}

/// Joins pieces that follow one another.
pub(super) fn join(pieces: Vec<Piece>, keyed: Arc<Keyed>) -> Result<(Index, Links)> {
    let total: usize = pieces.iter().map(Piece::len).sum();
    if u32::try_from(total).is_err() {
        let attempt = format!("number {total} blocks of hot for a scan, which takes {}", u32::MAX);
        return Err(PortError::bare(ErrorKind::Unsupported, attempt));
    }
    let mut groups: Vec<(Box<[u8]>, u32)> = Vec::new();
    let (mut ids, mut checks, mut counts, mut slots) = (vec![], vec![], vec![], vec![]);
    for piece in pieces {
        for (header, len) in piece.groups {
            match groups.last_mut() {
                Some((last, total)) if *last == header => *total += len,
                _ => groups.push((header, len)),
            }
        }
        ids.push(piece.ids);
        checks.push(piece.checks);
        counts.push(piece.writer.counts);
        slots.push(piece.writer.slots);
    }
    let links = Links::new(append(counts), append(slots));
    Ok((Index::new(keyed, append(ids), append(checks), groups), links))
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
