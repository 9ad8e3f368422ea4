//! Listings drawn in one line: `1-1 2-1:251 3-4:2049F 4-4T` are sizes in MiB, `F`ull blocks and `T`ombstones.

use segment_compaction::{Fill, Listing, Room, SegmentId, SegmentStats, Tombstones};

const MIB: u64 = 1 << 20;

/// Statistics of a segment of `bytes`: `F` in the marks is all blocks full, `T` something deleted.
pub(crate) fn stats(bytes: u64, marks: &str) -> SegmentStats {
    let (keys, blocks) = (10, 40);
    let full_blocks = if marks.contains('F') { blocks } else { 0 };
    let fill = Fill { keys, blocks, full_blocks, points: blocks * 100, points_max: 1000 };
    let tombstones = if marks.contains('T') { Tombstones::Some } else { Tombstones::None };
    SegmentStats { bytes, fill, tombstones, room: Room::Open }
}

/// A listing from its drawing.
pub(crate) fn listing(drawing: &str) -> Listing {
    Listing::new(drawing.split_whitespace().map(segment).collect()).unwrap()
}

fn segment(text: &str) -> (SegmentId, SegmentStats) {
    let bare = text.trim_end_matches(['F', 'T']);
    let (name, mib) = bare.split_once(':').unwrap_or((bare, "1"));
    (id(name), stats(mib.parse::<u64>().unwrap() * MIB, &text[bare.len()..]))
}

/// A name like `3-4`.
pub(crate) fn id(name: &str) -> SegmentId {
    let (generation, sequence) = name.split_once('-').unwrap();
    SegmentId::new(generation.parse().unwrap(), sequence.parse().unwrap())
}

/// The groups of a plan, each as `1-1 2-1`.
pub(crate) fn groups(plan: &segment_compaction::Plan) -> Vec<String> {
    let group = |group: &segment_compaction::Group| {
        let names: Vec<_> = group.segments.iter().map(ToString::to_string).collect();
        names.join(" ")
    };
    plan.groups.iter().map(group).collect()
}
