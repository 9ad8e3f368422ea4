//! The clauses.

use std::io;

use super::Sample;
use super::ground::{Content, Ground};
use crate::files::FileSystem;
use crate::format::{MergeMode, Merger, SegmentFormat};
use crate::generation::SegmentId;
use crate::interrupt::{Cancel, Door};
use crate::segment::Segment;

const MODES: [MergeMode; 2] = [MergeMode::Fast, MergeMode::Full];

/// Three snapshots, in which later ones overwrite.
const WRITES: [&[(u16, u16)]; 3] =
    [&[(1, 10), (2, 20), (3, 30), (7, 70)], &[(2, 21), (4, 41), (9, 91)], &[(2, 22), (3, 32), (8, 82)]];

fn first() -> SegmentId {
    SegmentId::new(1, 1)
}

/// "Reads a finished segment from its file as strictly as the format can."
pub fn what_was_written_verifies_and_is_read<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.segment(first(), WRITES[0]);
    let segments = ground.segments();
    let verified = ground.compactor.format().verify(&segments[0], &Cancel::never()).expect("verify");
    assert_eq!(ground.content(), WRITES[0].iter().copied().collect::<Content>());
    assert_eq!(verified, ground.compactor.format().stats(&segments[0]).expect("statistics"));
}

/// "What the index of a segment says, all of it. Sidecars with deletions are looked at too."
pub fn statistics_count_the_whole_index<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.segment(first(), WRITES[0]);
    let segment = &ground.segments()[0];
    let stats = ground.compactor.format().stats(segment).expect("statistics");
    let bytes = ground.files.read(&segment.path()).expect("the file").len() as u64;
    assert_eq!(stats.bytes, bytes);
    assert!(stats.fill.keys >= 1 && stats.fill.blocks >= stats.fill.keys, "{stats:?}");
    assert!(stats.fill.full_blocks <= stats.fill.blocks && stats.fill.points_max >= 1, "{stats:?}");
    assert_eq!(stats.fill.points, WRITES[0].len() as u64);
    assert!(!stats.tombstones.any());
    sample.delete(segment, 2).expect("delete");
    assert!(ground.compactor.format().stats(segment).expect("statistics").tombstones.any());
}

/// "Bytes of the segment if it were finished now, never more than it will have."
pub fn a_writer_never_claims_more_bytes_than_the_file_has<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    for entries in 1..=4 {
        let id = SegmentId::new(entries as u64, 1);
        let claimed = ground.segment(id, &WRITES[0][..entries]);
        let path = ground.segments().last().expect("a segment").path();
        let bytes = ground.files.read(&path).expect("the file").len() as u64;
        assert!(claimed <= bytes && claimed > 0, "claimed {claimed} of {bytes}");
    }
}

/// "The newer one winning where two disagree. A merge of adjacent segments has the content of its inputs."
pub fn the_newest_of_two_writes_wins<S: Sample>(sample: &S) {
    for mode in MODES {
        let ground = Ground::new(sample);
        ground.generations(&WRITES);
        let before = ground.content();
        let expected = [(1, 10), (2, 22), (3, 32), (4, 41), (7, 70), (8, 82), (9, 91)];
        assert_eq!(before, expected.into_iter().collect::<Content>());
        ground.compact(mode).expect("compact");
        assert_eq!(ground.content(), before, "{mode}");
        assert_eq!(ground.segments().len(), 1);
    }
}

/// "What is deleted in a segment (its tombstones) concerns that segment alone."
pub fn a_deletion_concerns_its_segment_alone<S: Sample>(sample: &S) {
    for mode in MODES {
        let ground = Ground::new(sample);
        ground.generations(&WRITES);
        let segments = ground.segments();
        sample.delete(&segments[0], 1).expect("delete what is nowhere else");
        sample.delete(&segments[0], 3).expect("delete what is written again later");
        sample.delete(&segments[2], 2).expect("delete the newest of three");
        let before = ground.content();
        assert_eq!((before.get(&1), before.get(&3), before.get(&2)), (None, Some(&32), Some(&21)));
        ground.compact(mode).expect("compact");
        assert_eq!(ground.content(), before, "{mode}");
        let stats = ground.compactor.format().stats(&ground.segments()[0]).expect("statistics");
        assert!(!stats.tombstones.any(), "the output has deletions of its own");
    }
}

/// "A merge of everything deleted writes nothing."
pub fn what_is_wholly_deleted_merges_to_nothing<S: Sample>(sample: &S) {
    for mode in MODES {
        let ground = Ground::new(sample);
        ground.segment(first(), &[(1, 1), (2, 2)]);
        let segments = ground.segments();
        for key in [1, 2] {
            sample.delete(&segments[0], key).expect("delete");
        }
        let report = ground.compact(mode).expect("compact");
        assert!(report.outputs.is_empty(), "{report:?}");
        assert!(ground.names().is_empty(), "{:?}", ground.names());
    }
}

/// "Any subset of the inputs beside the output has the content of the output."
pub fn any_subset_of_inputs_beside_the_output_has_its_content<S: Sample>(sample: &S) {
    for kept in 0..8_u32 {
        let ground = Ground::new(sample);
        ground.generations(&WRITES);
        let inputs = ground.segments();
        sample.delete(&inputs[1], 4).expect("delete");
        let before = ground.content();
        let saved: Vec<_> = ground.names().iter().map(|name| (name.clone(), saved(&ground, name))).collect();
        ground.compact(MergeMode::Full).expect("compact");
        for (name, data) in saved {
            let kind = ground.compactor.folder().naming().kind(&name);
            let crate::FileKind::Segment(id) = kind else { continue };
            if kept >> (id.generation.number() - 1) & 1 == 1 {
                put(&ground, &name, data);
                restore_sidecars(&ground, &inputs, id, sample);
            }
        }
        assert_eq!(ground.content(), before, "inputs {kept:03b} are still there");
    }
}

fn saved<S: Sample>(ground: &Ground<'_, S>, name: &str) -> Vec<u8> {
    ground.files.read(&ground.compactor.folder().path().join(name)).expect("the file")
}

fn put<S: Sample>(ground: &Ground<'_, S>, name: &str, data: Vec<u8>) {
    ground.files.overwrite(&ground.compactor.folder().path().join(name), data);
}

fn restore_sidecars<S: Sample>(ground: &Ground<'_, S>, inputs: &[Segment], id: SegmentId, sample: &S) {
    if id == inputs[1].id {
        let again = ground.segments().into_iter().find(|segment| segment.id == id);
        sample.delete(&again.expect("put back"), 4).expect("delete again");
    }
}

/// A merge of adjacent segments has the content of its inputs, however it is cut into merges.
pub fn a_merge_may_be_done_in_steps<S: Sample>(sample: &S) {
    for (from, to) in [(0, 2), (1, 3)] {
        let ground = Ground::new(sample);
        ground.generations(&WRITES);
        let before = ground.content();
        ground.compact_these(&ground.segments()[from..to], MergeMode::Fast).expect("compact two");
        assert_eq!(ground.content(), before);
        ground.compact(MergeMode::Full).expect("compact all");
        assert_eq!(ground.content(), before);
    }
}

/// The next block goes into the next segment, and none is lost on the way.
pub fn outputs_roll_over_without_losing_a_block<S: Sample>(sample: &S) {
    let ground = Ground::with_limit(sample, 1);
    ground.generations(&WRITES);
    let before = ground.content();
    let report = ground.compact(MergeMode::Full).expect("compact");
    assert!(report.outputs.len() > 1, "one block fits a segment of one byte: {report:?}");
    assert_eq!(report.blocks, report.outputs.len() as u64);
    assert_eq!(ground.content(), before);
}

/// "Upper bound for the bytes that a merge will write."
pub fn an_estimate_covers_the_outputs<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.generations(&WRITES);
    let format = ground.compactor.format();
    let stats: Vec<_> =
        ground.segments().iter().map(|segment| format.stats(segment).expect("stats")).collect();
    let estimate = format.estimate(&stats);
    let report = ground.compact(MergeMode::Full).expect("compact");
    assert!(report.bytes_out <= estimate, "{} written, {estimate} estimated", report.bytes_out);
}

/// "Inputs are never written to."
pub fn inputs_are_never_written_to<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.generations(&WRITES);
    let all = |ground: &Ground<'_, S>| {
        let names = ground.names();
        names.into_iter().map(|name| (saved(ground, &name), name)).collect::<Vec<_>>()
    };
    let before = all(&ground);
    let mut merger = ground.merger(&Cancel::never()).expect("a merger");
    // A block is made ready and dropped.
    assert!(merger.advance().expect("advance"));
    drop(merger);
    for segment in ground.segments() {
        ground.compactor.format().stats(&segment).expect("statistics");
        ground.compactor.format().verify(&segment, &Cancel::never()).expect("verify");
    }
    assert_eq!(all(&ground), before);
}

/// "Every checksum, the order of keys, the truth of the index."
pub fn a_flipped_bit_is_noticed_or_harmless<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.segment(first(), WRITES[0]);
    let (segment, before) = (ground.segments().remove(0), ground.content());
    let whole = ground.files.read(&segment.path()).expect("the file");
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        ground.files.overwrite(&segment.path(), flipped);
        match ground.compactor.format().verify(&segment, &Cancel::never()) {
            Ok(_) => assert_eq!(ground.content(), before, "bit {bit} passes and changes the content"),
            Err(error) => assert_eq!(error.segment(), Some(first()), "bit {bit}: {error}"),
        }
    }
}

/// A segment that ends early is damaged, wherever it ends.
pub fn a_cut_segment_is_noticed<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.segment(first(), WRITES[0]);
    let segment = ground.segments().remove(0);
    let whole = ground.files.read(&segment.path()).expect("the file");
    for end in 0..whole.len() {
        ground.files.overwrite(&segment.path(), whole[..end].to_vec());
        let verified = ground.compactor.format().verify(&segment, &Cancel::never());
        assert!(verified.is_err(), "{end} of {} bytes pass", whole.len());
    }
}

/// A segment that is gone is an error, and not an empty one.
pub fn a_missing_segment_is_an_error<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.generations(&WRITES);
    let segments = ground.segments();
    ground.files.remove(&segments[1].path()).expect("remove");
    let format = ground.compactor.format();
    assert!(format.stats(&segments[1]).is_err());
    assert!(format.verify(&segments[1], &Cancel::never()).is_err());
    let merged = format.merger(&segments, MergeMode::Full, &Cancel::never());
    let outcome = merged.and_then(|mut merger| merger.advance());
    assert!(outcome.is_err(), "a merge went on without one of its inputs");
}

/// "It looks at `cancel` at least once per block."
pub fn a_merge_notices_its_cancel<S: Sample>(sample: &S) {
    let ground = Ground::new(sample);
    ground.generations(&WRITES);
    let door = Door::new("compactions");
    let permit = door.enter().expect("open");
    let mut merger = ground.merger(permit.cancel()).expect("a merger");
    assert!(merger.advance().expect("a block"));
    door.interrupt();
    let error = merger.advance().expect_err("cancelled");
    assert_eq!(error.kind(), crate::FormatErrorKind::Interrupted, "{error}");
}

/// A merge that cannot write leaves the folder as it was, and says what kind of failure it met.
pub fn a_failed_write_leaves_no_file<S: Sample>(sample: &S) {
    for operation in 0.. {
        let ground = Ground::new(sample);
        ground.generations(&WRITES);
        let (before, content) = (ground.names(), ground.content());
        ground.files.fail_after(ground.files.operations() + operation, io::ErrorKind::StorageFull);
        match ground.compact(MergeMode::Full) {
            Ok(_) => break,
            Err(crate::CompactError::NoSpace { .. }) => assert_eq!(ground.names(), before, "{operation}"),
            Err(crate::CompactError::AfterInstall { .. }) => {}
            Err(other) => panic!("a full disk at operation {operation} became {other:?}"),
        }
        assert_eq!(ground.content(), content, "a full disk at operation {operation}");
    }
}
