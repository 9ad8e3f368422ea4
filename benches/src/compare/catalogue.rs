//! All probes: what each is called, which store it measures, and by what.

use anyhow::{Context, Result};
use splitstore_orchestrator::MarkStrategy;

use super::works::Work;
use super::{Gauges, Site};
use crate::probes::{cache::Cache, compact, files, hits, latency, mark, put, reads, waits};

/// Something to measure.
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    /// The store.
    pub(crate) on: &'static str,
    /// How; nothing for a feature that is not there.
    pub(crate) run: Option<fn(&Site) -> Result<Gauges>>,
}

/// The probes, in the order of the first round.
#[rustfmt::skip]
pub(crate) const PROBES: &[Probe] = &[
    on_main("files-warm", |site| files::read(site, Cache::Warm)),
    on_main("files-cold", |site| files::read(site, Cache::Cold)),
    on_main("walk-warm", |site| mark::ours(site, MarkStrategy::Walk, Cache::Warm)),
    on_main("walk-cold", |site| mark::ours(site, MarkStrategy::Walk, Cache::Cold)),
    on_main("scan-warm", |site| mark::ours(site, MarkStrategy::Scan, Cache::Warm)),
    on_main("scan-cold", |site| mark::ours(site, MarkStrategy::Scan, Cache::Cold)),
    on_main("links-warm", |site| mark::ours(site, MarkStrategy::Links, Cache::Warm)),
    on_main("links-cold", |site| mark::ours(site, MarkStrategy::Links, Cache::Cold)),
    on_main("scan-memory", |site| mark::memory(site, MarkStrategy::Scan)),
    on_main("links-memory", |site| mark::memory(site, MarkStrategy::Links)),
    on_main("naive-1", |site| mark::naive(site, 1, Cache::Warm)),
    on_main("naive-2-cold", |site| mark::naive(site, 2, Cache::Cold)),
    // Its mark is the warm naive walk of two walkers.
    on_main("naive-compact", compact::naive),
    on_main("compact", |site| compact::ours(site, MarkStrategy::Scan)),
    on_main("compact-links", |site| compact::ours(site, MarkStrategy::Links)),
    Probe { on: "fifth", ..on_main("links-fifth", |site| mark::ours(site, MarkStrategy::Links, Cache::Warm)) },
    Probe { on: "fifth", ..on_main("scan-fifth", |site| mark::ours(site, MarkStrategy::Scan, Cache::Warm)) },
    on_main("hits", hits::hits),
    // On the smaller store: a run that yields to readers takes its time.
    Probe { on: "fifth", ..on_main("latency", latency::latency) },
    on_main("waits", waits::waits),
    on_main("put-plain", |site| put::put(site, MarkStrategy::Scan)),
    on_main("put-links", |site| put::put(site, MarkStrategy::Links)),
    on_main("get-many", reads::many),
    Probe { on: "short", ..on_main("length-short", |site| mark::ours(site, MarkStrategy::Walk, Cache::Warm)) },
    Probe { on: "middle", ..on_main("length-middle", |site| mark::ours(site, MarkStrategy::Walk, Cache::Warm)) },
    Probe { on: "long", ..on_main("length-long", |site| mark::ours(site, MarkStrategy::Walk, Cache::Warm)) },
];

const fn on_main(name: &'static str, run: fn(&Site) -> Result<Gauges>) -> Probe {
    Probe { name, on: "main", run: Some(run) }
}

impl Probe {
    /// The probe of this name.
    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        PROBES.iter().find(|probe| probe.name == name).with_context(|| format!("there is no probe `{name}`"))
    }

    /// Those that these works need.
    pub(crate) fn of(works: &[&Work]) -> Vec<&'static Self> {
        let needed = |probe: &&Self| works.iter().any(|work| work.needs(probe.name));
        PROBES.iter().filter(needed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::plan;
    use crate::compare::samples::Of;
    use crate::compare::stored::Stored;
    use crate::compare::works::WORKS;

    #[test]
    fn probes_have_names_of_their_own_and_every_work_finds_its() {
        let names: std::collections::BTreeSet<_> = PROBES.iter().map(|probe| probe.name).collect();
        assert_eq!(names.len(), PROBES.len());
        for work in WORKS {
            assert!(work.probes().all(|probe| names.contains(probe)), "{}", work.name);
        }
    }

    /// What needs a disk that forgets, or takes as long as it takes, is left out.
    fn is_quick(probe: &Probe) -> bool {
        !probe.name.ends_with("-cold") && probe.name != "latency"
    }

    #[test]
    fn every_value_that_a_work_needs_is_measured_by_its_probe() {
        let cache = tempfile::tempdir().unwrap();
        let state = plan::State { epochs: 80, actors: 300, churn_per_mille: 10, messages_per_block: 4 };
        let stored = Stored::open_or_make(cache.path(), &plan::chain("main", state, 1 << 20)).unwrap();
        for probe in PROBES.iter().filter(|probe| is_quick(probe)) {
            let Some(run) = probe.run else { continue };
            let gauges = run(&Site::new(&stored.folder, cache.path()).unwrap()).unwrap();
            let values = WORKS.iter().flat_map(Work::values).filter(|of| of.0 == probe.name);
            for Of(_, value) in values {
                let found = gauges.iter().find(|(name, _)| *name == value);
                assert!(found.is_some_and(|(_, value)| value.is_finite()), "{}: {value}", probe.name);
            }
        }
    }

    #[test]
    fn no_probe_is_run_for_nothing() {
        for probe in PROBES {
            assert!(WORKS.iter().any(|work| work.needs(probe.name)), "{}", probe.name);
        }
    }
}
