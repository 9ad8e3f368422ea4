//! Size on disk, and giving back the space of deleted blocks.
//!
//! fjall keeps a version of a record while a snapshot may see it, and counts versions by writes: what the last
//! write replaced goes only after another write and another flush. And its journal, up to 64 MB, is cut only by
//! a flush that finds it longer than that. So a full reclaim is a short play:
//!
//! ```text
//!   fill     62 MiB of zeros into a keyspace that is dropped at once: now the journal is long enough to be cut
//!   flush    blocks and tombstones go to tables; the journal is cut and removed
//!   tick     one small write and its flush: all of the above is history now
//!   compact  values and tombstones that no snapshot sees go; the old tables stay, they are this moment's version
//!   tick     the old tables are history too, and are removed
//! ```
//! An online reclaim is flush and tick: the engine's own compactions, which run all the time beside readers and
//! writers, do the rest. The compaction is one call and cannot be stopped; between the steps it can.
//!
//! `major_compact`, `rotate_memtable` and `sealed_memtable_count` are public in fjall but not in its docs.

use std::path::Path;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use fjall::{Keyspace, KeyspaceCreateOptions, PersistMode, Slice};
use splitstore_domain::ByteCount;
use splitstore_ports::{Interrupt, Maintenance, ReclaimMode, Reclaimed, Result};

use crate::error::failed;
use crate::hot::FILL;
use crate::{FjallHot, folder};

/// fjall cuts a journal that is longer than 64 MB. One write less than its memtable, 64 MiB.
const FILL_WRITES: u8 = 62;
const FILL_WRITE: usize = 1 << 20;

const FLUSH_POLL: Duration = Duration::from_millis(5);

impl Maintenance for FjallHot {
    fn folder(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn size_on_disk(&self) -> Result<ByteCount> {
        folder::size(&self.path)
    }

    fn reclaim(&self, mode: ReclaimMode, interrupt: &Interrupt) -> Result<Reclaimed> {
        let _one_at_a_time = self.reclaiming.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.size_on_disk()?;
        let steps: &[fn(&Self, &Interrupt) -> fjall::Result<()>] = match mode {
            ReclaimMode::Online => &[Self::flush_blocks, Self::tick],
            ReclaimMode::Full => {
                &[Self::fill_journal, Self::flush_blocks, Self::tick, Self::compact_blocks, Self::tick]
            }
        };
        let attempt = format!("reclaim space of hot tier {}", self.path.display());
        for step in steps {
            interrupt.check(&attempt)?;
            step(self, interrupt).map_err(|error| failed(attempt.as_str(), error))?;
        }
        interrupt.check(&attempt)?;
        Ok(Reclaimed { before, after: self.size_on_disk()? })
    }

    /// The whole store is written anew before the old tables go, and the journal is filled.
    fn full_reclaim_needs(&self) -> Result<ByteCount> {
        let fill = u64::from(FILL_WRITES) * FILL_WRITE as u64;
        Ok(self.size_on_disk()? + ByteCount(fill))
    }
}

impl FjallHot {
    fn fill_journal(&self, _interrupt: &Interrupt) -> fjall::Result<()> {
        let fill = self.db.keyspace(FILL, KeyspaceCreateOptions::default)?;
        // One allocation, shared by all writes.
        let zeros = Slice::from(vec![0; FILL_WRITE]);
        for n in 0..FILL_WRITES {
            fill.insert([n], zeros.clone())?;
        }
        self.db.delete_keyspace(fill)
    }

    fn flush_blocks(&self, interrupt: &Interrupt) -> fjall::Result<()> {
        self.flush(&self.blocks, interrupt)
    }

    fn tick(&self, interrupt: &Interrupt) -> fjall::Result<()> {
        self.tick.insert("tick", [])?;
        self.flush(&self.tick, interrupt)
    }

    fn compact_blocks(&self, _interrupt: &Interrupt) -> fjall::Result<()> {
        self.blocks.major_compact()
    }

    /// Flushes a keyspace and waits for it; an interrupt or a failed flush ends the wait.
    fn flush(&self, keyspace: &Keyspace, interrupt: &Interrupt) -> fjall::Result<()> {
        keyspace.rotate_memtable()?;
        while keyspace.sealed_memtable_count() > 0 && !interrupt.is_raised() {
            // Asks for nothing but whether the engine still writes.
            self.db.persist(PersistMode::Buffer)?;
            thread::park_timeout(FLUSH_POLL);
        }
        Ok(())
    }
}
