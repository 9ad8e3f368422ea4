//! What a mark set is told about its use, made up for tests: keys to number, and a folder.

use splitstore_domain::BlockKey;
use splitstore_domain::object::RAW;
use splitstore_ports::{KeyCursor, KeyEntry, KeyScan, Result, SetHint};
use tempfile::TempDir;

/// A scan over given keys, and an empty folder.
pub struct Universe {
    keys: Vec<BlockKey>,
    folder: TempDir,
}

impl Universe {
    /// A universe of these keys.
    pub fn of(mut keys: Vec<BlockKey>) -> Self {
        keys.sort();
        keys.dedup();
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { keys, folder }
    }

    /// A universe without keys.
    pub fn empty() -> Self {
        Self::of(Vec::new())
    }

    /// The hint that speaks of it.
    pub fn hint(&self) -> SetHint<'_> {
        SetHint { expected: self.keys.len() as u64, universe: self, folder: self.folder.path() }
    }
}

impl KeyScan for Universe {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        Ok(Box::new(Rest(self.keys.iter())))
    }
}

struct Rest<'a>(std::slice::Iter<'a, BlockKey>);

impl KeyCursor for Rest<'_> {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()> {
        batch.extend(self.0.by_ref().take(max).map(|key| KeyEntry { key: key.clone(), codec: RAW, size: 1 }));
        Ok(())
    }
}
