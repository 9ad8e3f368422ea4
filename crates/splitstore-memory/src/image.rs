//! What a memory store shows and what it would still have after a crash.
//!
//! ```text
//!   visible   = durable + every unsynced call, in order      readers see this
//!   unsynced    put {..} | delete {..} | put {..}            a crash keeps a prefix, by default none
//!   durable                                                  sync brings it up to visible
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use splitstore_domain::BlockKey;

/// A block as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) codec: u64,
    pub(crate) data: Arc<[u8]>,
}

/// All blocks of one moment.
pub(crate) type Blocks = BTreeMap<BlockKey, Entry>;

/// All notes of one moment, the oldest first.
pub(crate) type Notes = Vec<Arc<[u8]>>;

/// All notes of links of one moment, by number.
pub(crate) type LinkNotes = BTreeMap<u64, Arc<[u8]>>;

/// Both books of notes.
#[derive(Debug, Default, Clone)]
struct Books {
    notes: Notes,
    links: LinkNotes,
}

/// A write that returned and is not durable yet.
#[derive(Debug, Clone)]
pub(crate) enum Unsynced {
    Put(Vec<(BlockKey, Entry)>),
    Delete(Vec<BlockKey>),
    Note(Vec<(BlockKey, Entry)>, Arc<[u8]>),
    ClearNotes,
    Linked { entries: Vec<(BlockKey, Entry)>, links: Arc<[u8]>, marks: Option<Arc<[u8]>> },
    ClearLinkNotes(u64),
}

/// Both images and what lies between them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Image {
    /// Behind an `Arc` so that a scan keeps its moment; a write beside a scan copies the map, not the data.
    visible: Arc<Blocks>,
    durable: Blocks,
    books: Books,
    durable_books: Books,
    unsynced: Vec<Unsynced>,
    /// Bytes of deleted blocks that no reclaim gave back yet.
    garbage: u64,
}

impl Image {
    pub(crate) fn get(&self, key: &BlockKey) -> Option<&Entry> {
        self.visible.get(key)
    }

    pub(crate) fn snapshot(&self) -> Arc<Blocks> {
        Arc::clone(&self.visible)
    }

    pub(crate) fn notes(&self) -> Notes {
        self.books.notes.clone()
    }

    pub(crate) fn link_notes(&self) -> LinkNotes {
        self.books.links.clone()
    }

    pub(crate) fn write(&mut self, call: Unsynced) {
        let blocks = Arc::make_mut(&mut self.visible);
        self.garbage = self.garbage.saturating_add(apply(blocks, &mut self.books, &call));
        self.unsynced.push(call);
    }

    pub(crate) fn sync(&mut self) {
        for call in self.unsynced.drain(..) {
            apply(&mut self.durable, &mut self.durable_books, &call);
        }
    }

    pub(crate) fn unsynced_calls(&self) -> usize {
        self.unsynced.len()
    }

    /// The first `calls` unsynced calls are kept, the later ones are lost.
    pub(crate) fn crash_keeping(&mut self, calls: usize) {
        self.unsynced.truncate(calls);
        self.sync();
        self.visible = Arc::new(self.durable.clone());
        self.books.clone_from(&self.durable_books);
    }

    /// Changes the data of a block in both images, as a disk does; whether it was there.
    pub(crate) fn damage(&mut self, key: &BlockKey, data: &[u8]) -> bool {
        self.sync();
        let visible = Arc::make_mut(&mut self.visible);
        for blocks in [visible, &mut self.durable] {
            let Some(entry) = blocks.get_mut(key) else { return false };
            entry.data = data.into();
        }
        true
    }

    /// Takes these versions, and those before them, out of both images, at once: a rewrite need not wait for a sync.
    /// Newer ones stay.
    pub(crate) fn remove_versions(&mut self, gone: &HashMap<BlockKey, Arc<[u8]>>) {
        let is_gone = |key: &BlockKey, entry: &Entry| {
            gone.get(key).is_some_and(|version| Arc::ptr_eq(&entry.data, version))
        };
        let visible = Arc::make_mut(&mut self.visible);
        for blocks in [visible, &mut self.durable] {
            for key in gone.keys() {
                if blocks.get(key).is_some_and(|entry| is_gone(key, entry)) {
                    blocks.remove(key);
                }
            }
        }
        // From the last call to the first: what stands before a version is older.
        let mut older = HashSet::new();
        for call in self.unsynced.iter_mut().rev() {
            if let Unsynced::Put(puts) | Unsynced::Note(puts, _) = call {
                puts.retain(|(key, entry)| {
                    let goes = older.contains(key) || is_gone(key, entry);
                    if goes {
                        older.insert(key.clone());
                    }
                    !goes
                });
            }
        }
        for key in &older {
            self.durable.remove(key);
        }
    }

    /// Bytes of keys and data, with those that were deleted and not reclaimed.
    pub(crate) fn bytes(&self) -> u64 {
        self.visible.iter().map(|(key, entry)| weight(key, entry)).fold(self.garbage, u64::saturating_add)
    }

    pub(crate) fn reclaim(&mut self) {
        self.garbage = 0;
    }
}

/// Applies a call and returns the bytes it deleted.
fn apply(blocks: &mut Blocks, books: &mut Books, call: &Unsynced) -> u64 {
    match call {
        Unsynced::Put(entries) => {
            blocks.extend(entries.iter().cloned());
            0
        }
        Unsynced::Note(entries, note) => {
            blocks.extend(entries.iter().cloned());
            books.notes.push(note.clone());
            0
        }
        Unsynced::ClearNotes => {
            books.notes.clear();
            0
        }
        Unsynced::Linked { entries, links, marks } => {
            blocks.extend(entries.iter().cloned());
            let next = books.links.last_key_value().map_or(0, |(last, _)| last + 1);
            books.links.insert(next, links.clone());
            books.notes.extend(marks.clone());
            0
        }
        Unsynced::ClearLinkNotes(end) => {
            books.links = books.links.split_off(end);
            0
        }
        Unsynced::Delete(keys) => {
            keys.iter().filter_map(|key| blocks.remove(key).map(|entry| weight(key, &entry))).sum()
        }
    }
}

fn weight(key: &BlockKey, entry: &Entry) -> u64 {
    (key.as_bytes().len() as u64).saturating_add(entry.data.len() as u64)
}
