//! A hundred thousand random steps: writes, snapshots in splits, deletes, turns of the engine, failures, power cuts.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use segment_compaction::{CompactError, Generation, Level, ManualClock, MemoryFiles, Turn};
use tsm::{Column, TimeRange, Values};

use super::folder::{Content, Folder, content};
use crate::dice::Dice;

const STEPS: u64 = 100_000;
/// Steps between two looks at all content; power cuts look at once.
const CHECK_EVERY: u64 = 25;
const DAY: Duration = Duration::from_secs(86_400);

struct Life {
    folder: Folder,
    dice: Dice,
    keys: Vec<String>,
    /// In files, durably.
    durable: Content,
    /// In the cache.
    cached: Content,
    counts: BTreeMap<&'static str, u64>,
    most_files: usize,
}

impl Life {
    fn new(seed: u64) -> Self {
        let folder = Folder::open(&MemoryFiles::new(), Arc::new(ManualClock::new())).unwrap();
        let keys =
            (0..10).map(|key| format!("m,k={key}#!~#{}", ["f", "i", "b", "s", "u"][key % 5])).collect();
        let (durable, cached) = (Content::new(), Content::new());
        Self { folder, dice: Dice(seed), keys, durable, cached, counts: BTreeMap::new(), most_files: 0 }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..30 => self.write(),
            30..45 => self.snapshot(),
            45..49 => self.delete(),
            49..53 => self.fail_soon(),
            53 => self.power_cut(),
            54 => (0..50).for_each(|_| self.turn(DAY)),
            _ => self.turn(Duration::ZERO),
        }
    }

    fn key(&mut self) -> usize {
        self.dice.below(self.keys.len())
    }

    fn some(&mut self, bound: usize) -> u64 {
        self.dice.below(bound) as u64
    }

    fn time(&mut self) -> i64 {
        i64::try_from(self.dice.below(200)).unwrap() - 100
    }

    fn write(&mut self) {
        let key = self.key();
        let mut times: Vec<i64> = (0..=self.dice.below(12)).map(|_| self.time()).collect();
        times.sort_unstable();
        times.dedup();
        let seed = i32::try_from(self.dice.below(1000)).unwrap();
        let numbers: Vec<i32> = (0..).take(times.len()).map(|n| n * 7 + seed).collect();
        let values = match key % 5 {
            0 => Values::Float(numbers.iter().map(|n| f64::from(*n) * 0.25).collect()),
            1 => Values::Integer(numbers.iter().map(|n| i64::from(*n) - 500).collect()),
            2 => Values::Boolean(numbers.iter().map(|n| n % 3 == 0).collect()),
            3 => Values::String(numbers.iter().map(|n| format!("text {n}")).collect()),
            _ => Values::Unsigned(numbers.iter().map(|n| u64::MAX - u64::from(n.unsigned_abs())).collect()),
        };
        let column = Column::new(times, values).unwrap();
        self.folder.cache.write(self.keys[key].as_bytes(), column.points()).unwrap();
        self.cached = self.folder.cached(&self.keys);
        self.count("writes");
    }

    fn snapshot(&mut self) {
        if self.cached.is_empty() {
            return;
        }
        let splits = 1 + self.dice.below(3);
        match self.folder.snapshot(splits) {
            Ok(_) => {
                self.durable.append(&mut self.cached);
                self.count("snapshots");
            }
            // Some splits may be in files: they say what the cache still says.
            Err(error) => {
                self.failed(&error);
                self.durable = content(&self.folder.segments());
            }
        }
    }

    fn delete(&mut self) {
        let key = self.key();
        let min = self.time();
        let times = TimeRange::new(min, min + i64::try_from(self.dice.below(80)).unwrap());
        self.folder.files.fail_after(u64::MAX, io::ErrorKind::Other);
        self.folder.delete(&self.keys[key], times).unwrap();
        for all in [&mut self.durable, &mut self.cached] {
            all.retain(|(of, time), _| *of != self.keys[key] || !times.contains(*time));
        }
        self.count("deletes");
    }

    fn fail_soon(&mut self) {
        let kinds = [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied, io::ErrorKind::Other];
        let kind = kinds[self.dice.below(3)];
        let at = self.folder.files.operations() + self.some(60);
        self.folder.files.fail_after(at, kind);
    }

    /// In the middle of a turn; what was in the cache only is gone.
    fn power_cut(&mut self) {
        let (cut, seed) = (self.some(100), self.some(1 << 30));
        let files = &self.folder.files;
        files.fail_after(u64::MAX, io::ErrorKind::Other);
        files.power_fails_after(files.operations() + cut);
        let idle = if self.dice.below(2) == 0 { DAY } else { Duration::ZERO };
        let _ = self.folder.engine.turn(idle);
        let after = self.folder.files.reboot(seed);
        self.folder = Folder::open(&after, Arc::clone(&self.folder.clock)).unwrap();
        self.cached.clear();
        assert_eq!(content(&self.folder.segments()), self.durable, "after a power cut");
        self.count("power cuts");
    }

    fn turn(&mut self, idle: Duration) {
        let before = self.levels();
        match self.folder.engine.turn(idle) {
            Ok(Turn::Did(_)) => self.count("compactions"),
            Ok(Turn::Failed(error, _)) | Err(error) => self.failed(&error),
            Ok(Turn::Waiting(until)) => {
                let clock = &self.folder.clock;
                clock.advance(until.saturating_sub(segment_compaction::Clock::now(&**clock)));
            }
            Ok(Turn::Busy | Turn::Idle) => {}
        }
        let after = self.levels();
        for (generation, level) in before {
            assert!(
                after.get(&generation).is_none_or(|now| *now >= level),
                "generation {generation} dropped a level"
            );
        }
    }

    fn failed(&mut self, error: &CompactError) {
        assert!(!matches!(error, CompactError::Stale(_) | CompactError::Exists { .. }), "{error}");
        self.count("failures");
    }

    fn levels(&self) -> BTreeMap<Generation, Level> {
        let mut levels = BTreeMap::new();
        for segment in self.folder.segments() {
            levels.entry(segment.id.generation).or_insert(segment.id.sequence.level());
        }
        levels
    }

    fn check(&mut self, step: u64) {
        let mut expected = self.durable.clone();
        expected.extend(self.cached.clone());
        assert_eq!(self.folder.content(&self.keys), expected, "after step {step}");
        self.most_files = self.most_files.max(self.folder.segments().len());
    }
}

#[test]
fn a_hundred_thousand_random_steps_change_no_content_and_end_at_rest() {
    let mut life = Life::new(11);
    for step in 0..STEPS {
        life.step();
        if step % CHECK_EVERY == 0 {
            life.check(step);
        }
    }
    life.folder.files.fail_after(u64::MAX, io::ErrorKind::Other);
    life.folder.engine.forgive();
    life.snapshot();
    let mut turns = 0;
    while !matches!(life.folder.engine.turn(DAY).unwrap(), Turn::Idle) {
        turns += 1;
        assert!(turns < 200, "it does not come to rest");
    }
    life.check(STEPS);
    let engine = &life.folder.engine;
    let survey = engine.compactor().folder().survey(engine.compactor().format()).unwrap();
    assert!(engine.planner().fully_compacted(&survey.listing).is_yes());
    println!("{:?}, at most {} files, {turns} turns to rest", life.counts, life.most_files);
    assert!(life.most_files < 200, "{} files", life.most_files);
    for what in ["writes", "snapshots", "deletes", "power cuts", "compactions", "failures"] {
        assert!(life.counts.get(what).is_some_and(|count| *count > 500), "{what}: {:?}", life.counts);
    }
}
