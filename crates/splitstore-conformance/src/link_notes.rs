//! Clauses of `LinkNotes`, for stores that offer them.

use splitstore_ports::{Block, BlockDelete, BlockRead, BlockWrite, HotStore, LinkNotes, Notes};

use crate::probe::{assert_holds, assert_lacks, keys_of, open, scanned_keys, sorted_keys_of};
use crate::{Fixture, Persistent, sample};

/// "Writes its blocks, its note of links and its note of marks, if there is one."
pub fn a_note_of_links_comes_with_its_blocks(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(links) = store.link_notes() else { return };
    let blocks = sample::blocks(0..20);
    linked(links, &blocks, b"twenty", None);
    linked(links, &blocks[..1], b"again", Some(b"marked"));
    linked(links, &[], b"", None);
    assert_holds(&store, &blocks);
    assert_eq!(bytes_of(links), [&b"twenty"[..], b"again", b""]);
    assert_eq!(marks_of(&store), [b"marked"]);
}

/// "Notes of links have ascending numbers", "also over restarts".
pub fn notes_of_links_are_numbered_upwards(fixture: &impl Fixture<Store: HotStore>) {
    let mut expected = Vec::new();
    let mut store = open(fixture);
    for number in 0..300_u32 {
        let Some(links) = store.link_notes() else { return };
        let note = sample::noise(u64::from(number), 1 + number as usize % 90);
        linked(links, &[sample::block(number.into())], &note, (number % 7 == 0).then_some(b"marks"));
        expected.push(note);
        if number % 100 == 50 && fixture.caps().persistent == Persistent::Yes {
            store.sync().expect("sync");
            drop(store);
            store = open(fixture);
        }
    }
    let Some(links) = store.link_notes() else { return };
    assert_eq!(bytes_of(links), expected, "the oldest first");
    let numbers: Vec<u64> = notes_of(links).into_iter().map(|(number, _)| number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

/// "They are no blocks, and none of the notes that `Notes` shows and clears."
pub fn notes_of_links_are_no_blocks_and_no_other_notes(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(links) = store.link_notes() else { return };
    let blocks = sample::blocks(0..50);
    linked(links, &blocks, b"fifty", None);
    store.put_many_noting(&[], b"marks").expect("put a note of marks");
    assert_eq!(scanned_keys(&store), sorted_keys_of(&blocks), "a scan shows blocks alone");
    if let Some(scan) = store.block_scan() {
        let snapshot = scan.snapshot().expect("take a snapshot");
        let mut count = 0;
        snapshot
            .look(&[], &mut |_| {
                count += 1;
                std::ops::ControlFlow::Continue(())
            })
            .expect("scan");
        assert_eq!(count, blocks.len(), "a scan of whole blocks shows blocks alone");
    }
    assert_eq!(marks_of(&store), [b"marks"]);
    store.delete_many(&keys_of(&blocks)).expect("delete");
    store.clear_notes().expect("clear notes of marks");
    assert_eq!(scanned_keys(&store), []);
    assert_eq!(bytes_of(links), [b"fifty"], "neither deletes nor clearing the other book touch it");
    linked(links, &[], b"more", Some(b"marks"));
    links.clear_link_notes(u64::MAX).expect("clear notes of links");
    assert_eq!(marks_of(&store), [b"marks"], "nor the other way round");
}

/// "Removes the notes of links whose number is below `end`", and nothing else.
pub fn notes_of_links_are_cleared_up_to_a_number(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(links) = store.link_notes() else { return };
    links.clear_link_notes(u64::MAX).expect("clear what is not there");
    let blocks = sample::blocks(0..90);
    for (number, block) in (0_u8..).zip(&blocks) {
        linked(links, std::slice::from_ref(block), &[number], None);
    }
    let (end, _) = notes_of(links)[60];
    links.clear_link_notes(end).expect("clear");
    assert_eq!(bytes_of(links), (60..90).map(|number: u8| [number]).collect::<Vec<_>>());
    assert_holds(&store, &blocks);
    store.sync().expect("sync");
    if fixture.caps().persistent == Persistent::No {
        return;
    }
    drop(store);
    let store = open(fixture);
    let Some(links) = store.link_notes() else { return };
    linked(links, &[], &[90], None);
    assert_eq!(bytes_of(links), (60..91).map(|number: u8| [number]).collect::<Vec<_>>());
}

/// "After `sync` all are on disk."
pub fn synced_notes_of_links_are_there_after_reopening(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let Some(links) = store.link_notes() else { return };
    let blocks = sample::blocks(0..10);
    linked(links, &blocks, b"synced", Some(b"marks"));
    store.sync().expect("sync");
    if fixture.caps().persistent == Persistent::No {
        return;
    }
    drop(store);
    let store = open(fixture);
    let Some(links) = store.link_notes() else { return };
    assert_eq!(bytes_of(links), [b"synced"]);
    assert_eq!(marks_of(&store), [b"marks"]);
    assert_holds(&store, &blocks);
}

/// "As one atomic batch": a crash leaves block, links and marks, or none of them.
pub fn a_crash_keeps_all_of_a_linked_call_or_nothing(fixture: &impl Fixture<Store: HotStore>) {
    if fixture.caps().persistent == Persistent::No {
        return;
    }
    let store = open(fixture);
    let blocks = sample::blocks(0..40);
    for (number, block) in (0_u8..).zip(&blocks) {
        let Some(links) = store.link_notes() else { return };
        linked(links, std::slice::from_ref(block), &[number], Some(&[number]));
    }
    drop(store);
    let store = open(fixture);
    let Some(links) = store.link_notes() else { return };
    let kept = notes_of(links).len();
    let numbers: Vec<_> = (0..).take(kept).map(|number: u8| [number]).collect();
    assert_eq!(bytes_of(links), numbers);
    assert_eq!(marks_of(&store), numbers, "links are kept without their marks, or marks without links");
    let (there, lost) = blocks.split_at(kept);
    for (cid, _) in there {
        assert!(store.has(cid).expect("ask"), "links are kept without their block {cid}");
    }
    assert_lacks(&store, lost);
}

/// "Beside readers and writers": from many threads at once none is lost, and each thread's are in order.
pub fn notes_of_links_from_many_threads_are_all_kept(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let store = &store;
            scope.spawn(move || {
                let Some(links) = store.link_notes() else { return };
                for number in 0..100_u8 {
                    let block = sample::block(u64::from(thread) * 1000 + u64::from(number));
                    linked(links, &[block], &[thread, number], None);
                }
            });
        }
    });
    let Some(links) = store.link_notes() else { return };
    let notes = bytes_of(links);
    for thread in 0..4_u8 {
        let numbers: Vec<u8> = notes.iter().filter(|note| note[0] == thread).map(|note| note[1]).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<u8>>(), "of thread {thread}");
    }
}

fn linked(store: &dyn LinkNotes, blocks: &[(cid::Cid, Vec<u8>)], links: &[u8], marks: Option<&[u8]>) {
    let batch: Vec<_> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
    store.put_many_linked(&batch, links, marks).expect("put a batch with its links");
}

fn notes_of(store: &dyn LinkNotes) -> Vec<(u64, Vec<u8>)> {
    let mut notes = Vec::new();
    store.each_link_note(&mut |number, note| notes.push((number, note.to_vec()))).expect("read notes");
    notes
}

fn bytes_of(store: &dyn LinkNotes) -> Vec<Vec<u8>> {
    notes_of(store).into_iter().map(|(_, note)| note).collect()
}

fn marks_of(store: &impl Notes) -> Vec<Vec<u8>> {
    let mut notes = Vec::new();
    store.notes(&mut |note| notes.push(note.to_vec())).expect("read notes of marks");
    notes
}
