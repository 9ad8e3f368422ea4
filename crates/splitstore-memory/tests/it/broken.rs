//! The suite must fail a store that breaks its contract: each fault here is one that an adapter could have.

use cid::Cid;
use splitstore_conformance::{
    Caps, Exclusive, Fixture, Persistent, blocks, cold, delete, durable, link_notes, notes, scan,
};
use splitstore_domain::BlockKey;
use splitstore_memory::MemoryStore;
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockWrite, ColdStore, HotStore, KeyCursor, KeyEntry, KeyScan, LinkNotes,
    Maintenance, Notes, Result,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    UncheckedReads,
    CodecInKey,
    OneCallbackPerBlock,
    SyncDoesNothing,
    LiveScan,
    DeletesNothing,
    EmptyIsAbsent,
    NoLock,
    NotesReversed,
    NoteBesideTheBatch,
    NotesOutliveClear,
    LinksBesideTheBatch,
    LinksClearedWhole,
}

#[derive(Clone)]
struct Broken {
    store: MemoryStore,
    fault: Fault,
}

impl Fixture for Broken {
    type Store = Self;

    fn open(&self) -> Result<Self> {
        self.store.crash();
        Ok(self.clone())
    }

    fn caps(&self) -> Caps {
        let exclusive = if self.fault == Fault::NoLock { Exclusive::Yes } else { Exclusive::No };
        Caps { persistent: Persistent::Yes, exclusive }
    }
}

impl BlockRead for Broken {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        match self.fault {
            Fault::CodecInKey if cid.codec() != 0x55 => Ok(false),
            Fault::EmptyIsAbsent if self.store.size(cid)? == Some(0) => Ok(false),
            _ => self.store.view(cid, read),
        }
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        for (index, cid) in cids.iter().enumerate() {
            if self.fault != Fault::OneCallbackPerBlock || !cids[..index].contains(cid) {
                self.store.view(cid, &mut |data| read(index, data))?;
            }
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        self.store.has(cid)
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        self.store.size(cid)
    }
}

impl BlockWrite for Broken {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.store.put_many(blocks)
    }

    fn sync(&self) -> Result<()> {
        if self.fault == Fault::SyncDoesNothing { Ok(()) } else { self.store.sync() }
    }
}

impl BlockDelete for Broken {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        if self.fault == Fault::DeletesNothing { Ok(()) } else { self.store.delete_many(keys) }
    }
}

impl KeyScan for Broken {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        if self.fault == Fault::LiveScan { Ok(Box::new(Live(self, 0))) } else { self.store.keys() }
    }
}

impl Notes for Broken {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        if self.fault != Fault::NoteBesideTheBatch {
            return self.store.put_many_noting(blocks, note);
        }
        // Durable at once, and its blocks are not.
        self.store.sync()?;
        self.store.put_many_noting(&[], note)?;
        self.store.sync()?;
        self.store.put_many(blocks)
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut notes = Vec::new();
        self.store.notes(&mut |note| notes.push(note.to_vec()))?;
        if self.fault == Fault::NotesReversed {
            notes.reverse();
        }
        for note in &notes {
            read(note);
        }
        Ok(())
    }

    fn clear_notes(&self) -> Result<()> {
        if self.fault == Fault::NotesOutliveClear { Ok(()) } else { self.store.clear_notes() }
    }
}

impl LinkNotes for Broken {
    fn put_many_linked(&self, blocks: &[Block<'_>], links: &[u8], marks: Option<&[u8]>) -> Result<()> {
        if self.fault != Fault::LinksBesideTheBatch {
            return self.store.put_many_linked(blocks, links, marks);
        }
        self.store.put_many_linked(&[], links, marks)?;
        self.store.sync()?;
        self.store.put_many(blocks)
    }

    fn each_link_note(&self, read: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        self.store.each_link_note(read)
    }

    fn clear_link_notes(&self, end: u64) -> Result<()> {
        let end = if self.fault == Fault::LinksClearedWhole { u64::MAX } else { end };
        self.store.clear_link_notes(end)
    }
}

impl HotStore for Broken {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        None
    }

    fn link_notes(&self) -> Option<&dyn LinkNotes> {
        Some(self)
    }
}

impl ColdStore for Broken {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        None
    }

    fn deletion(&self) -> Option<&dyn BlockDelete> {
        Some(self)
    }
}

/// Scans what is there now instead of what was there when it began.
struct Live<'a>(&'a Broken, usize);

impl KeyCursor for Live<'_> {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()> {
        let mut all = Vec::new();
        self.0.store.keys()?.next_batch(&mut all, usize::MAX)?;
        let had = batch.len();
        batch.extend(all.into_iter().skip(self.1).take(max));
        self.1 += batch.len() - had;
        Ok(())
    }
}

macro_rules! caught {
    ($($fault:ident by $part:ident::$clause:ident as $name:ident saying $expected:literal;)+) => {$(
        #[test]
        #[should_panic(expected = $expected)]
        fn $name() {
            $part::$clause(&Broken { store: MemoryStore::new(), fault: Fault::$fault });
        }
    )+};
}

caught! {
    UncheckedReads by cold::data_that_is_not_the_cids_is_never_shown
        as unchecked_cold_reads_are_caught
        saying "damaged data was shown";
    CodecInKey by blocks::version_and_codec_do_not_matter
        as a_key_with_the_codec_in_it_is_caught
        saying "left: None";
    OneCallbackPerBlock by blocks::view_many_shows_each_index_once
        as one_callback_for_two_places_is_caught
        saying "index 40";
    EmptyIsAbsent by blocks::an_empty_block_is_a_block
        as an_empty_block_taken_for_absent_is_caught
        saying "left: None";
    SyncDoesNothing by durable::synced_puts_are_there_after_reopening
        as a_sync_without_effect_is_caught
        saying "must be there unchanged";
    SyncDoesNothing by durable::synced_deletes_stay_after_reopening
        as an_unsynced_delete_is_caught
        saying "must be there unchanged";
    NoLock by durable::a_second_handle_is_locked_out
        as a_second_handle_is_caught
        saying "a second handle was given out";
    LiveScan by scan::a_scan_does_not_see_later_puts
        as a_scan_that_sees_later_puts_is_caught
        saying "left == right";
    LiveScan by delete::a_scan_does_not_see_later_deletes
        as a_scan_that_sees_later_deletes_is_caught
        saying "the snapshot ended after 10 of 100 keys";
    DeletesNothing by delete::what_was_deleted_is_not_found
        as a_delete_without_effect_is_caught
        saying "must not be there";
    NotesReversed by notes::notes_are_shown_in_the_order_of_their_calls
        as notes_out_of_order_are_caught
        saying "the oldest first";
    NoteBesideTheBatch by notes::a_crash_keeps_a_note_and_its_blocks_or_neither
        as a_note_that_is_not_in_the_batch_is_caught
        saying "without its block";
    NotesOutliveClear by notes::cleared_notes_are_gone
        as notes_that_stay_are_caught
        saying "no note is left";
    LinksBesideTheBatch by link_notes::a_crash_keeps_all_of_a_linked_call_or_nothing
        as links_that_are_not_in_the_batch_are_caught
        saying "without their block";
    LinksClearedWhole by link_notes::notes_of_links_are_cleared_up_to_a_number
        as links_cleared_beyond_the_number_are_caught
        saying "left == right";
    DeletesNothing by cold::deletion_where_offered_deletes
        as a_cold_delete_without_effect_is_caught
        saying "must not be there";
}
