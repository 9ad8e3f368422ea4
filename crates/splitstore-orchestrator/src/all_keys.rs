//! Every key of both tiers once, in order, in bounded memory: a merge of two ordered scans.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use splitstore_ports::{KeyCursor, KeyEntry, Result};

use crate::store::SplitStore;

/// Keys read ahead from each tier.
const AHEAD: usize = 4096;

impl SplitStore {
    /// Calls `visit` with every key that hot or cold holds, once, in ascending order, until it breaks off.
    ///
    /// Memory: two read-ahead buffers of 4096 keys. A key in both tiers is shown as hot has it.
    pub fn all_keys(&self, visit: &mut dyn FnMut(&KeyEntry) -> ControlFlow<()>) -> Result<()> {
        // Hot first: what moves between the two snapshots is then in both, not in neither.
        let mut hot = Ahead::new(self.inner.tiers.hot.keys()?);
        let mut cold = Ahead::new(self.inner.tiers.cold.keys()?);
        loop {
            let order = match (hot.peek()?, cold.peek()?) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(hot), Some(cold)) => hot.key.cmp(&cold.key),
            };
            let from = if order == Ordering::Greater { &cold } else { &hot };
            if from.current().is_some_and(|entry| visit(entry).is_break()) {
                return Ok(());
            }
            hot.at += usize::from(order != Ordering::Greater);
            cold.at += usize::from(order != Ordering::Less);
        }
    }
}

/// A cursor with a buffer in front.
struct Ahead<'a> {
    cursor: Box<dyn KeyCursor + 'a>,
    buffer: Vec<KeyEntry>,
    at: usize,
}

impl<'a> Ahead<'a> {
    fn new(cursor: Box<dyn KeyCursor + 'a>) -> Self {
        Self { cursor, buffer: Vec::new(), at: 0 }
    }

    fn peek(&mut self) -> Result<Option<&KeyEntry>> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
            self.cursor.next_batch(&mut self.buffer, AHEAD)?;
        }
        Ok(self.current())
    }

    fn current(&self) -> Option<&KeyEntry> {
        self.buffer.get(self.at)
    }
}
