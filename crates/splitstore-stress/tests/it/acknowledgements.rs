//! The acknowledgement log.

use std::fs;
use std::path::PathBuf;

use splitstore_stress::{Ack, AckLog, Acknowledged, Survives};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acks");
    (folder, path)
}

fn write(path: &std::path::Path, acks: &[Ack]) {
    let log = AckLog::open(path).unwrap();
    for ack in acks {
        log.append(*ack).unwrap();
    }
    log.sync().unwrap();
}

fn read_all(path: &std::path::Path) -> anyhow::Result<Acknowledged> {
    Acknowledged::read(path, Survives::Everything)
}

const ALL: [Ack; 7] = [
    Ack::Put { tipset: 3, blocks: 16 },
    Ack::Put { tipset: 4, blocks: 9 },
    Ack::Head(3),
    Ack::Flushed(2),
    Ack::Compacted(1),
    Ack::Parent { round: 7, run: 2 },
    Ack::Parent { round: 8, run: 0 },
];

#[test]
fn what_was_acknowledged_reads_back_as_a_sum() {
    let (_folder, path) = place();
    write(&path, &ALL);
    let read = read_all(&path).unwrap();
    assert_eq!((read.put, read.head, read.flushed, read.compactions), (Some((4, 9)), Some(3), Some(2), 1));
    assert_eq!(read.parents.into_iter().collect::<Vec<_>>(), [(7, 2), (8, 0)]);
}

#[test]
fn a_tipset_put_again_after_a_restart_takes_nothing_back() {
    let (_folder, path) = place();
    write(&path, &[Ack::Put { tipset: 5, blocks: 20 }, Ack::Put { tipset: 4, blocks: 16 }]);
    assert_eq!(read_all(&path).unwrap().put, Some((5, 20)));
}

#[test]
fn rounds_before_a_process_began_are_owed_nothing_more() {
    let (_folder, path) = place();
    write(&path, &[Ack::Parent { round: 7, run: 2 }, Ack::Started(1), Ack::Parent { round: 8, run: 2 }]);
    let read = read_all(&path).unwrap();
    assert_eq!((read.fresh, read.next_round()), (8, 9));
}

#[test]
fn no_log_acknowledges_nothing() {
    let (_folder, path) = place();
    assert_eq!(read_all(&path).unwrap(), Acknowledged::default());
}

#[test]
fn a_tail_torn_at_any_byte_costs_the_last_line_only() {
    let (_folder, path) = place();
    write(&path, &ALL[..3]);
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in last..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let read = read_all(&path).unwrap();
        assert_eq!((read.put, read.head), (Some((4, 9)), None), "cut at {end}");
    }
}

#[test]
fn a_log_with_a_torn_tail_goes_on_after_its_last_whole_line() {
    let (_folder, path) = place();
    write(&path, &ALL[..2]);
    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(b"H 99 0 12ab");
    fs::write(&path, torn).unwrap();
    write(&path, &[Ack::Head(4)]);
    let read = read_all(&path).unwrap();
    assert_eq!((read.put, read.head), (Some((4, 9)), Some(4)));
}

#[test]
fn damage_before_the_tail_is_named_with_its_place() {
    let (_folder, path) = place();
    write(&path, &ALL[..3]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[2] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = read_all(&path).unwrap_err().to_string();
    assert!(error.ends_with("is damaged at byte 0"), "{error}");
    assert!(AckLog::open(&path).is_err());
}

#[test]
fn after_a_power_cut_only_what_a_returned_flush_covers_counts() {
    let (_folder, path) = place();
    let flushed = |acks: &[Ack]| {
        let _ = fs::remove_file(&path);
        write(&path, acks);
        let read = Acknowledged::read(&path, Survives::Flushed).unwrap();
        (read.put, read.loose.into_iter().collect::<Vec<_>>())
    };
    let put = |tipset| Ack::Put { tipset, blocks: 16 };
    let parent = |round| Ack::Parent { round, run: 1 };
    assert_eq!(flushed(&[put(1), parent(1), Ack::Moving(1)]), (None, vec![1]), "the flush did not return");
    // What the machine wrote while the head moved may have come after the flush.
    let moved = [put(1), parent(1), Ack::Moving(1), parent(2), Ack::Head(1), put(2), parent(3)];
    assert_eq!(flushed(&moved), (Some((1, 16)), vec![2, 3]));
    assert_eq!(flushed(&[put(3), parent(1), Ack::Flushed(3)]), (Some((3, 16)), vec![1]));
    // A later process does not bring back what the one before lost.
    let later = [&moved[..], &[Ack::Started(1), put(2), parent(4), Ack::Moving(2), Ack::Head(2)]].concat();
    assert_eq!(flushed(&later), (Some((2, 16)), vec![2, 3]));
}
