//! A hundred thousand random steps on the format of lines: snapshots, deletions, turns, failures, power cuts.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use segment_compaction::{
    CompactError, Generation, Level, ManualClock, MemoryFiles, PlannerSettings, SegmentId, Turn,
};

use crate::lines::delete;
use crate::yard::{Content, Yard, small};

const STEPS: u64 = 100_000;
const KEYS: u64 = 40;
const DAY: Duration = Duration::from_secs(86_400);

/// `xorshift64*`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

struct World {
    yard: Yard,
    dice: Dice,
    /// What was written and not deleted, and is durable.
    model: Content,
    counts: BTreeMap<&'static str, u64>,
    most_files: usize,
}

fn settings() -> PlannerSettings {
    PlannerSettings { segment_bytes_max: 300, ..small() }
}

impl World {
    fn new(seed: u64) -> Self {
        let yard = Yard::new(settings());
        Self { yard, dice: Dice(seed), model: Content::new(), counts: BTreeMap::new(), most_files: 0 }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..20 => self.snapshot(),
            20..24 => self.delete(),
            24..28 => self.fail_soon(),
            28 => self.power_cut(),
            29 => self.cold(),
            _ => self.turn(Duration::ZERO),
        }
    }

    fn snapshot(&mut self) {
        let entries: Content = (0..=self.dice.below(6))
            .map(|_| (format!("key{:02}", self.dice.below(KEYS)), format!("v{}", self.dice.below(10_000))))
            .collect();
        let pairs: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        match self.yard.snapshot(&pairs) {
            Ok(_) => {
                self.model.extend(entries);
                self.count("snapshots");
            }
            Err(error) => self.failed(&error),
        }
    }

    /// From every segment, as a delete does.
    fn delete(&mut self) {
        let key = format!("key{:02}", self.dice.below(KEYS));
        self.yard.files.fail_after(u64::MAX, io::ErrorKind::Other);
        for segment in self.yard.engine.compactor().folder().segments().unwrap() {
            delete(&segment, &key).unwrap();
        }
        self.model.remove(&key);
        self.count("deletes");
    }

    fn fail_soon(&mut self) {
        let kinds = [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied, io::ErrorKind::Other];
        let kind = kinds[usize::try_from(self.dice.below(3)).unwrap()];
        let at = self.yard.files.operations() + self.dice.below(40);
        self.yard.files.fail_after(at, kind);
    }

    /// In the middle of a turn, at a random operation.
    fn power_cut(&mut self) {
        self.yard.files.fail_after(u64::MAX, io::ErrorKind::Other);
        let files = &self.yard.files;
        files.power_fails_after(files.operations() + self.dice.below(60));
        let idle = if self.dice.below(2) == 0 { DAY } else { Duration::ZERO };
        let _ = self.yard.engine.turn(idle);
        let after: MemoryFiles = self.yard.files.reboot(self.dice.below(u64::MAX >> 34));
        let clock: Arc<ManualClock> = Arc::clone(&self.yard.clock);
        self.yard = Yard::open_at(&after, settings(), clock).unwrap();
        self.count("power cuts");
    }

    fn cold(&mut self) {
        for _ in 0..50 {
            self.turn(DAY);
        }
        self.count("cold spells");
    }

    fn turn(&mut self, idle: Duration) {
        let before = self.levels();
        match self.yard.engine.turn(idle) {
            Ok(Turn::Did(report)) => {
                let least = |ids: &[SegmentId]| ids.first().map(|id| id.sequence.level());
                let inputs = report.inputs.chunk_by(|a, b| a.generation == b.generation);
                let highest = inputs.filter_map(least).max();
                assert!(
                    report.outputs.is_empty() || least(&report.outputs) >= highest,
                    "{report} drops a level"
                );
                self.count("compactions");
            }
            Ok(Turn::Failed(error, _)) | Err(error) => self.failed(&error),
            Ok(Turn::Waiting(until)) => self.yard.clock.advance(until.saturating_sub(self.now())),
            Ok(Turn::Busy | Turn::Idle) => {}
        }
        let after = self.levels();
        for (generation, level) in before {
            let now = after.get(&generation);
            assert!(now.is_none_or(|now| *now >= level), "generation {generation} dropped from {level}");
        }
    }

    fn now(&self) -> Duration {
        segment_compaction::Clock::now(&*self.yard.clock)
    }

    fn failed(&mut self, error: &CompactError) {
        assert!(!matches!(error, CompactError::Stale(_) | CompactError::Exists { .. }), "{error}");
        self.count("failures");
    }

    fn levels(&self) -> BTreeMap<Generation, Level> {
        let segments = self.yard.engine.compactor().folder().segments().unwrap();
        let mut levels = BTreeMap::new();
        for segment in segments {
            levels.entry(segment.id.generation).or_insert(segment.id.sequence.level());
        }
        levels
    }

    fn check(&mut self, step: u64) {
        assert_eq!(self.yard.content(), self.model, "after step {step}");
        let files = self.yard.names().len();
        self.most_files = self.most_files.max(files);
    }
}

#[test]
fn a_hundred_thousand_random_steps_change_no_content_and_end_at_rest() {
    let mut world = World::new(7);
    for step in 0..STEPS {
        world.step();
        world.check(step);
        world.yard.heard.0.lock().clear();
    }
    world.yard.files.fail_after(u64::MAX, io::ErrorKind::Other);
    world.yard.engine.forgive();
    let mut turns = 0;
    while !matches!(world.yard.engine.turn(DAY).unwrap(), Turn::Idle) {
        turns += 1;
        assert!(turns < 200, "it does not come to rest: {:?}", world.yard.names());
    }
    world.check(STEPS);
    let engine = &world.yard.engine;
    let survey = engine.compactor().folder().survey(engine.compactor().format()).unwrap();
    assert!(engine.planner().fully_compacted(&survey.listing).is_yes(), "{:?}", world.yard.names());
    println!("{:?}, at most {} files, {turns} turns to rest", world.counts, world.most_files);
    assert!(world.most_files < 120, "{} files", world.most_files);
    for what in ["snapshots", "deletes", "power cuts", "cold spells", "compactions", "failures"] {
        assert!(world.counts.get(what).is_some_and(|count| *count > 500), "{what}: {:?}", world.counts);
    }
}
