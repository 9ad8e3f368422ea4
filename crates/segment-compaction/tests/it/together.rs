//! Many at once, and on a real disk.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use segment_compaction::{
    BackoffSettings, Cancel, Compactor, Engine, FileSystem, MemoryFiles, NoObserver, OsFiles, Planner,
    SegmentFolder, SegmentFormat, SystemClock, Throttle, Tools, Turn,
};

use crate::lines::{Lines, Merge, content};
use crate::yard::small;

const DAY: Duration = Duration::from_secs(86_400);

fn engine(files: Arc<dyn FileSystem>, folder: &std::path::Path) -> Engine<Lines> {
    let format = Lines { lines_max: 25 };
    let (folder, _) = SegmentFolder::open(files, folder, format.naming()).unwrap();
    let clock = Arc::new(SystemClock::new());
    let tools = Tools { clock, observer: Arc::new(NoObserver), throttle: Throttle::off() };
    let planner = Planner::new(small()).unwrap();
    let compactor = Compactor::new(Arc::new(format), folder, tools, small().segment_bytes_max);
    Engine::new(planner, compactor, BackoffSettings::default(), 3)
}

/// One writer and three compactors; every turn must succeed, or find that it came too late.
fn run_together(engine: &Engine<Lines>) {
    let done = AtomicBool::new(false);
    let mut model = BTreeMap::new();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    match engine.turn(Duration::ZERO).unwrap() {
                        Turn::Failed(segment_compaction::CompactError::Stale(_), None) | Turn::Did(_) => {}
                        Turn::Failed(error, _) => panic!("{error:?}"),
                        _ => std::thread::yield_now(),
                    }
                }
            });
        }
        for round in 0..300 {
            let entries: BTreeMap<_, _> =
                (0..40).map(|n| (format!("key{:03}", (round * 7 + n) % 90), format!("v{round}"))).collect();
            engine.snapshot(Merge::new(entries.clone(), &Cancel::never())).unwrap();
            model.extend(entries);
        }
        done.store(true, Ordering::Release);
    });
    while let Turn::Did(_) = engine.turn(DAY).unwrap() {}
    let segments = engine.compactor().folder().segments().unwrap();
    assert_eq!(content(&segments).unwrap(), model);
    let survey = engine.compactor().folder().survey(engine.compactor().format()).unwrap();
    assert!(engine.planner().fully_compacted(&survey.listing).is_yes());
}

#[test]
fn compactions_beside_each_other_and_beside_snapshots_lose_nothing() {
    run_together(&engine(Arc::new(MemoryFiles::new()), "folder".as_ref()));
}

#[test]
fn the_same_holds_on_a_disk() {
    let place = tempfile::tempdir().unwrap();
    let on_disk = engine(Arc::new(OsFiles), place.path());
    for day in 0..20 {
        let entries = [(format!("key{}", day % 7), day.to_string())].into_iter().collect();
        on_disk.snapshot(Merge::new(entries, &Cancel::never())).unwrap();
    }
    while let Turn::Did(_) = on_disk.turn(DAY).unwrap() {}
    let segments = on_disk.compactor().folder().segments().unwrap();
    assert_eq!(segments.len(), 1);
    assert_eq!(content(&segments).unwrap()["key3"], "17");
    assert_eq!(OsFiles.list(place.path()).unwrap().len(), 1);
}

#[test]
fn files_of_the_machine_keep_their_contract() {
    let place = tempfile::tempdir().unwrap();
    let (path, other) = (place.path().join("a"), place.path().join("b"));
    assert!(OsFiles.open(&path).unwrap().is_none());
    assert!(OsFiles.list(&place.path().join("none")).unwrap().is_empty());
    OsFiles.remove(&path).unwrap();
    let mut file = OsFiles.create_new(&path).unwrap();
    file.write_all(b"twelve bytes").unwrap();
    file.sync().unwrap();
    let taken = OsFiles.create_new(&path).err().map(|error| error.kind());
    assert_eq!(taken, Some(io::ErrorKind::AlreadyExists));
    OsFiles.rename(&path, &other).unwrap();
    OsFiles.sync_dir(place.path()).unwrap();
    let read = OsFiles.open(&other).unwrap().unwrap();
    OsFiles.remove(&other).unwrap();
    let mut end = [0; 5];
    read.read_exact_at(&mut end, 7).unwrap();
    assert_eq!(&end, b"bytes", "an open file outlives its name");
    assert_eq!(read.read_exact_at(&mut end, 8).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    let mut scratch = OsFiles.scratch(&path).unwrap();
    scratch.write_all(b"spilled").unwrap();
    scratch.seek(SeekFrom::Start(0)).unwrap();
    let mut back = String::new();
    scratch.read_to_string(&mut back).unwrap();
    assert_eq!(back, "spilled");
    assert!(OsFiles.list(place.path()).unwrap().is_empty(), "a scratch file has a name");
    assert!(OsFiles.free_space(place.path()).unwrap().is_some());
}
