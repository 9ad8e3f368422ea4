//! What a child says is what its parent hears.

use std::time::Duration;

use splitstore::domain::Phase;
use splitstore_stress::{Line, Resumed, Stage, Tally};

#[test]
fn every_line_reads_back_as_it_was_written() {
    let lines = [
        Line::Opening,
        Line::Opened { took: Duration::from_micros(1234), resumed: Resumed::Yes },
        Line::Opened { took: Duration::from_micros(5), resumed: Resumed::No },
        Line::Checked { blocks: 100, live: 20, tipsets: 3 },
        Line::Ready,
        Line::Phase(Phase::Idle),
        Line::Phase(Phase::Purge),
        Line::Broken("block x is live and is missing".to_owned()),
    ];
    for line in lines {
        assert_eq!(Line::parse(&line.to_string()), Some(line));
    }
}

#[test]
fn a_line_cut_off_by_a_kill_is_none() {
    for text in ["", "phas", "phase pur", "opened 12", "opened x resumed", "checked 1 2", "READY"] {
        assert_eq!(Line::parse(text), None, "{text}");
    }
}

#[test]
fn a_fault_of_many_lines_is_said_in_one() {
    assert_eq!(Line::Broken("a\nb".to_owned()).to_string(), "broken a b");
}

#[test]
fn the_tally_counts_what_it_hears() {
    let mut tally = Tally::default();
    tally.hear(&Line::Opened { took: Duration::from_millis(7), resumed: Resumed::Yes });
    tally.hear(&Line::Opened { took: Duration::from_millis(3), resumed: Resumed::No });
    tally.hear(&Line::Checked { blocks: 10, live: 1, tipsets: 3 });
    tally.hear(&Line::Phase(Phase::Idle));
    tally.kill(Stage::Loaded(Phase::Purge));
    assert_eq!((tally.opens, tally.resumes, tally.blocks, tally.compactions), (2, 1, 10, 1));
    assert_eq!((tally.runs, tally.kills(Stage::Loaded(Phase::Purge))), (1, 1));
    assert!(tally.to_string().ends_with("worst open                 7.0 ms"), "{tally}");
}
