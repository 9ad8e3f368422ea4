//! All planner cases of InfluxDB's own tests, read from the real data: 20 single ones, 4 sequences.

use std::time::Duration;

use segment_compaction::{Ask, Group, GroupLock, Lease, Level, Listing, Planner, PlannerSettings, SegmentId};
use serde_json::Value;

use crate::real;
use crate::scene::stats;

fn cases() -> Option<Value> {
    let text = std::fs::read_to_string(real::path("planner_cases.json")?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// The listing that the cases mean: their store says of every block that it has `block_counts[0]` points.
fn listing(files: &Value) -> Listing {
    let files = files.as_array().unwrap().iter();
    let segment = |file: &Value| {
        let full = if file["block_counts"][0].as_u64().unwrap() >= 1000 { "F" } else { "" };
        let tombstoned = if file["has_tombstone"].as_bool().unwrap() { "T" } else { "" };
        let size = file["size"].as_u64().unwrap();
        (id(&file["path"]), stats(size, &[full, tombstoned].concat()))
    };
    Listing::new(files.map(segment).collect()).unwrap()
}

fn id(path: &Value) -> SegmentId {
    let stem = path.as_str().unwrap().split('.').next().unwrap();
    let (generation, sequence) = stem.split_once('-').unwrap();
    SegmentId::new(generation.parse().unwrap(), sequence.parse().unwrap())
}

fn groups(expected: &Value) -> Vec<Vec<SegmentId>> {
    let group = |group: &Value| group.as_array().unwrap().iter().map(id).collect();
    expected.as_array().unwrap().iter().map(group).collect()
}

fn nanos(value: &Value) -> Duration {
    // "a few ns to us" stands for any short time beyond the cold duration of 1 ns.
    Duration::from_nanos(value.as_u64().unwrap_or(1000))
}

/// A planner with what the original keeps between calls: what is in use, and whether full was forced.
struct Store {
    planner: Planner,
    lock: GroupLock,
    leases: Vec<Lease>,
    listing: Listing,
    forced: bool,
}

impl Store {
    fn new(cold: &Value) -> Self {
        let settings = PlannerSettings { cold_after: nanos(cold), ..PlannerSettings::default() };
        let planner = Planner::new(settings).unwrap();
        Self {
            planner,
            lock: GroupLock::new(),
            leases: Vec::new(),
            listing: Listing::default(),
            forced: false,
        }
    }

    fn plan(&mut self, method: &str, case: &Value) -> Vec<Vec<SegmentId>> {
        let idle = nanos(&case["last_write_age_ns"]);
        let held = self.lock.held();
        let plan = match method {
            "Plan" if std::mem::take(&mut self.forced) => {
                self.planner.plan(&self.listing, &held, Ask::ForcedFull)
            }
            "Plan" => self.planner.full_or_steps(&self.listing, &held, idle),
            _ if self.forced => return Vec::new(),
            "PlanLevel" => {
                let level = Level::ALL[usize::try_from(case["level"].as_u64().unwrap()).unwrap() - 1];
                self.planner.plan(&self.listing, &held, Ask::Level(level))
            }
            "PlanOptimize" => {
                let idle = case["last_write_age_ns"].as_u64().map_or(Duration::ZERO, Duration::from_nanos);
                self.planner.plan(&self.listing, &held, Ask::Optimize { idle })
            }
            other => panic!("no such method: {other}"),
        };
        self.leases.extend(self.lock.acquire_all(&plan.groups).unwrap());
        plan.groups.into_iter().map(|group: Group| group.segments).collect()
    }
}

#[test]
fn every_single_case_is_planned_as_the_original_does() {
    let Some(cases) = cases() else { return };
    let all = cases["cases"].as_array().unwrap();
    assert_eq!(all.len(), 20);
    for case in all {
        let mut store = Store::new(&case["cold_duration_ns"]);
        store.listing = listing(&case["files"]);
        let planned = store.plan(case["method"].as_str().unwrap(), case);
        assert_eq!(planned, groups(&case["expected_groups"]), "{}", case["name"]);
    }
}

#[test]
fn every_sequence_is_planned_as_the_original_does() {
    let Some(cases) = cases() else { return };
    let all = cases["sequences"].as_array().unwrap();
    assert_eq!(all.len(), 4);
    for case in all {
        let mut store = Store::new(&case["cold_duration_ns"]);
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            match step["op"].as_str().unwrap() {
                "SetFiles" => store.listing = listing(&case["file_sets"][step["set"].as_str().unwrap()]),
                "Release" => {
                    let released = groups(&step["groups"]);
                    store.leases.retain(|lease| !released.iter().any(|group| group == lease.segments()));
                }
                "ForceFull" => store.forced = true,
                method => {
                    let planned = store.plan(method, step);
                    assert_eq!(planned, groups(&step["expected_groups"]), "{} {number}", case["name"]);
                }
            }
        }
    }
}
