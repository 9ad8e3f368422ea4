//! Clauses of `Notes`.

use splitstore_domain::BlockKey;
use splitstore_ports::{Block, BlockDelete, BlockRead, BlockWrite, HotStore, Notes};

use crate::probe::{assert_holds, assert_lacks, keys_of, open, put_all, scanned_keys, sorted_keys_of};
use crate::{Fixture, Persistent, sample};

/// "Writes blocks, if any, and a note": the blocks are blocks like all others, and a note may come alone or be
/// empty.
pub fn a_note_comes_with_its_blocks_or_alone(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..20);
    noting(&store, &blocks, b"twenty");
    noting(&store, &[], b"alone");
    noting(&store, &[], b"");
    assert_holds(&store, &blocks);
    assert_eq!(notes_of(&store), [&b"twenty"[..], b"alone", b""]);
}

/// "Notes are kept in order", "also over restarts".
pub fn notes_are_shown_in_the_order_of_their_calls(fixture: &impl Fixture<Store: HotStore>) {
    let mut expected = Vec::new();
    let mut store = open(fixture);
    for number in 0..300_u32 {
        let note = sample::noise(u64::from(number), 1 + number as usize % 90);
        noting(&store, &[sample::block(number.into())], &note);
        expected.push(note);
        if number % 100 == 50 && fixture.caps().persistent == Persistent::Yes {
            store.sync().expect("sync");
            drop(store);
            store = open(fixture);
        }
    }
    assert_eq!(notes_of(&store), expected, "the oldest first");
}

/// "They are no blocks": whichever way one looks.
pub fn notes_are_no_blocks(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..50);
    for block in &blocks {
        noting(&store, std::slice::from_ref(block), &block.1);
    }
    noting(&store, &[], &sample::block(999).1);
    assert_eq!(scanned_keys(&store), sorted_keys_of(&blocks), "a scan shows blocks alone");
    assert_lacks(&store, &[sample::block(999)]);
    store.delete_many(&keys_of(&blocks)).expect("delete");
    assert_eq!(scanned_keys(&store), []);
    assert_eq!(notes_of(&store).len(), 51, "deleting blocks touches no note");
}

/// "Removes every note whose call had returned", and no block; later ones are kept.
pub fn cleared_notes_are_gone(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    store.clear_notes().expect("clear what is not there");
    let blocks = sample::blocks(0..30);
    for block in &blocks {
        noting(&store, std::slice::from_ref(block), b"to be cleared");
    }
    store.clear_notes().expect("clear");
    assert_eq!(notes_of(&store), [[0_u8; 0]; 0], "no note is left");
    assert_holds(&store, &blocks);
    noting(&store, &[], b"later");
    store.sync().expect("sync");
    if fixture.caps().persistent == Persistent::No {
        return assert_eq!(notes_of(&store), [b"later"]);
    }
    drop(store);
    let store = open(fixture);
    assert_eq!(notes_of(&store), [b"later"]);
    noting(&store, &[], b"latest");
    assert_eq!(notes_of(&store), [&b"later"[..], b"latest"]);
}

/// "Removes every note": also where they are many.
pub fn many_notes_are_cleared(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    (0..9000_u32).for_each(|number| noting(&store, &[], &number.to_le_bytes()));
    assert_eq!(notes_of(&store).len(), 9000);
    store.clear_notes().expect("clear");
    assert_eq!(notes_of(&store).len(), 0);
}

/// "After `sync` all are on disk."
pub fn synced_notes_are_there_after_reopening(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..10);
    noting(&store, &blocks, b"synced");
    store.sync().expect("sync");
    if fixture.caps().persistent == Persistent::No {
        return assert_eq!(notes_of(&store), [b"synced"]);
    }
    drop(store);
    let store = open(fixture);
    assert_eq!(notes_of(&store), [b"synced"]);
    assert_holds(&store, &blocks);
}

/// "Its blocks and its note or ... neither", and "never a call before one that it keeps".
pub fn a_crash_keeps_a_note_and_its_blocks_or_neither(fixture: &impl Fixture<Store: HotStore>) {
    if fixture.caps().persistent == Persistent::No {
        return;
    }
    let store = open(fixture);
    let blocks = sample::blocks(0..40);
    for (number, block) in (0_u8..).zip(&blocks) {
        noting(&store, std::slice::from_ref(block), &[number]);
    }
    drop(store);
    let store = open(fixture);
    let kept = notes_of(&store).len();
    let (there, lost) = blocks.split_at(kept);
    assert_eq!(notes_of(&store), (0..).take(kept).map(|number: u8| [number]).collect::<Vec<_>>());
    for (cid, _) in there {
        assert!(store.has(cid).expect("ask"), "a note is kept without its block {cid}");
    }
    assert_lacks(&store, lost);
}

/// "Beside readers and writers": from many threads at once none is lost, and each thread's are in order.
pub fn notes_from_many_threads_are_all_kept(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..100_u8 {
                    let block = sample::block(u64::from(thread) * 1000 + u64::from(number));
                    noting(store, &[block], &[thread, number]);
                }
            });
        }
    });
    let notes = notes_of(&store);
    for thread in 0..4_u8 {
        let numbers: Vec<u8> = notes.iter().filter(|note| note[0] == thread).map(|note| note[1]).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<u8>>(), "of thread {thread}");
    }
}

/// "It shows ... what had returned": the callback may use the store.
pub fn a_reader_of_notes_may_use_the_store(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let block = sample::block(7);
    noting(&store, std::slice::from_ref(&block), BlockKey::from(&block.0).as_bytes());
    let mut seen = 0;
    let mut look = |note: &[u8]| {
        assert_eq!(note, BlockKey::from(&block.0).as_bytes());
        assert!(store.has(&block.0).expect("ask"));
        put_all(&store, &sample::blocks(10..12));
        seen += 1;
    };
    store.notes(&mut look).expect("read notes");
    assert_eq!(seen, 1);
}

fn noting(store: &impl Notes, blocks: &[(cid::Cid, Vec<u8>)], note: &[u8]) {
    let batch: Vec<_> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
    store.put_many_noting(&batch, note).expect("put a batch with a note");
}

fn notes_of(store: &impl Notes) -> Vec<Vec<u8>> {
    let mut notes = Vec::new();
    store.notes(&mut |note| notes.push(note.to_vec())).expect("read notes");
    notes
}
