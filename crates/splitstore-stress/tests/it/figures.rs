//! The measurement itself, on a small chain.

use std::time::Duration;

use splitstore::domain::Phase;
use splitstore_stress::figures::{Orders, run};
use splitstore_stress::{Op, Segment};

#[test]
fn each_operation_is_measured_in_each_stretch_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders { epochs: 100, actors: 300, each: Duration::from_millis(100), seed: 3 };
    let table = run(folder.path(), &orders).unwrap();
    for op in [Op::Get, Op::Put, Op::Control] {
        for segment in [Segment::Idle, Segment::Busy, Segment::IdleAgain] {
            assert!(table.of(op, segment).seen.total() > 0, "{op:?} {segment}");
        }
        let all = table.compaction(op);
        assert!(all.seen.total() >= table.of(op, Segment::Phase(Phase::Mark)).seen.total());
        assert_eq!(all.seen.total(), all.own.total());
        assert!(all.own.max() <= all.seen.max(), "who waits for a processor is no faster without waiting");
        assert!(table.apart(op) <= all.seen.max(), "nor without the host");
    }
    let text = table.to_string();
    assert!(text.contains("| get | idle |") && text.contains("| put | whole compaction |"), "{text}");
    assert!(text.contains("without what the host took: get "), "{text}");
}
