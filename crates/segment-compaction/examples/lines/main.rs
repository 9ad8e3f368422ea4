//! Twenty snapshots of a phone book in a temporary folder, compacted until nothing is left to do.

mod format;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use format::{Lines, Merge, content, delete};
use segment_compaction::{
    BackoffSettings, Cancel, Compactor, Engine, Event, Observer, OsFiles, Planner, SegmentFolder,
    SegmentFormat, SystemClock, Throttle, Tools, Turn,
};

struct Printed;

impl Observer for Printed {
    fn on_event(&self, event: &Event) {
        match event {
            Event::Planned(_) | Event::Finished(_) | Event::Failed { .. } => println!("{event}"),
            _ => {}
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let lines = Lines { lines_max: 1_000_000 };
    let (folder, _) = SegmentFolder::open(Arc::new(OsFiles), place.path(), lines.naming())?;
    let clock = Arc::new(SystemClock::new());
    let tools =
        Tools { throttle: Throttle::new(48 << 20, 0, clock.clone()), clock, observer: Arc::new(Printed) };
    let planner = Planner::default();
    let compactor = Compactor::new(Arc::new(lines), folder, tools, planner.settings().segment_bytes_max);
    let engine = Engine::new(planner, compactor, BackoffSettings::default(), 1);

    for day in 0..20 {
        let entries: BTreeMap<_, _> =
            (0..5).map(|n| (format!("name{:02}", (day * 3 + n) % 17), format!("+{day}{n}"))).collect();
        engine.snapshot(Merge::new(entries, &Cancel::never()))?;
    }
    let before = content(&engine.compactor().folder().segments()?)?;
    while let Turn::Did(_) = engine.turn(Duration::ZERO)? {}
    println!("-- a day without writes");
    while let Turn::Did(_) = engine.turn(Duration::from_secs(86_400))? {}
    let segments = engine.compactor().folder().segments()?;
    assert_eq!(content(&segments)?, before, "compaction changed the content");

    delete(&segments[0], "name03")?;
    println!("-- name03 is deleted");
    while let Turn::Did(_) = engine.turn(Duration::ZERO)? {}
    println!("{}", engine.planner().fully_compacted(&engine.compactor().folder().survey(&lines)?.listing));
    Ok(())
}
