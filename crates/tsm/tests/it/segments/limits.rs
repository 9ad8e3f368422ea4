//! The limit of the format that ends a file: 65,535 blocks of a key.

use std::path::Path;
use std::sync::Arc;

use segment_compaction::{
    Compactor, FormatError, GroupLock, ManualClock, MemoryFiles, Merger, NoObserver, Room, SegmentFolder,
    SegmentFormat, SegmentId, Throttle, Tools,
};
use tsm::{Column, TsmFormat, TsmOptions, TsmSegmentWriter, Values};

/// Blocks of one point of one key.
struct OneEach {
    at: i64,
}

impl Merger for OneEach {
    type Writer = TsmSegmentWriter;

    fn advance(&mut self) -> Result<bool, FormatError> {
        self.at += 1;
        Ok(self.at <= 65_537)
    }

    fn write(&mut self, writer: &mut TsmSegmentWriter) -> Result<(), FormatError> {
        let column = Column::new(vec![self.at], Values::Boolean(vec![true])).unwrap();
        writer.write_points(b"k#!~#f", column.points())
    }
}

#[test]
fn a_key_with_more_blocks_than_a_file_can_hold_goes_on_in_the_next_file_which_tells_why() {
    let format = Arc::new(TsmFormat::new(TsmOptions { points_per_block: 1000, ..TsmOptions::default() }));
    let files = Arc::new(MemoryFiles::new());
    let (folder, _) = SegmentFolder::open(files, Path::new("shard"), format.naming()).unwrap();
    let tools = Tools {
        clock: Arc::new(ManualClock::new()),
        observer: Arc::new(NoObserver),
        throttle: Throttle::off(),
    };
    let compactor = Compactor::new(format.clone(), folder, tools, 1 << 31);
    let lease = GroupLock::new().acquire_segments(&[SegmentId::new(1, 1)]).unwrap();
    let report = compactor.snapshot(OneEach { at: 0 }, &lease).unwrap();
    assert_eq!((report.outputs.len(), report.blocks), (2, 65_537));
    let stats = compactor.folder().segments().unwrap();
    let stats: Vec<_> = stats.iter().map(|segment| format.stats(segment).unwrap()).collect();
    assert_eq!((stats[0].fill.blocks, stats[0].room), (65_535, Room::Closed));
    assert_eq!((stats[1].fill.blocks, stats[1].room), (2, Room::Open));
}
