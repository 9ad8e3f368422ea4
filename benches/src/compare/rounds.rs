//! Runs the probes: each once a round, every round begins with another one.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::catalogue::Probe;
use super::samples::Samples;
use super::stored::Stored;
use super::{Orders, child};

/// What was found live in a store must be the same for all who look.
#[derive(Default)]
struct Agreed(BTreeMap<String, f64>);

pub(super) fn run(
    orders: &Orders,
    probes: &[&'static Probe],
    stores: &[Stored],
    scratch: &Path,
) -> Result<Samples> {
    let (mut samples, mut agreed) = (Samples::default(), Agreed::default());
    for round in 0..orders.rounds {
        for turn in 0..probes.len() {
            let probe = probes[(turn + round) % probes.len()];
            if probe.run.is_none() || samples.failure(probe.name).is_some() {
                continue;
            }
            let stored = stores.iter().find(|stored| stored.note.name == probe.on);
            let stored = stored.with_context(|| format!("the store `{}` was not made", probe.on))?;
            let measured = child::measure(probe, &stored.folder, scratch);
            match measured.and_then(|gauges| agreed.check(probe, gauges)) {
                Ok(gauges) => {
                    eprintln!("round {} of {}: {}", round + 1, orders.rounds, told(probe, &gauges));
                    samples.add(probe.name, round, gauges);
                }
                Err(error) => {
                    eprintln!("{} FAILED: {error:#}", probe.name);
                    samples.fail(probe.name, format!("{error:#}"));
                }
            }
        }
    }
    Ok(samples)
}

impl Agreed {
    fn check(&mut self, probe: &Probe, gauges: Vec<(String, f64)>) -> Result<Vec<(String, f64)>> {
        if let Some((_, live)) = gauges.iter().find(|(gauge, _)| gauge == "live") {
            let agreed = *self.0.entry(probe.on.into()).or_insert(*live);
            ensure!(
                agreed.total_cmp(live).is_eq(),
                "{} finds {live} live blocks, others {agreed}",
                probe.name
            );
        }
        Ok(gauges)
    }
}

fn told(probe: &Probe, gauges: &[(String, f64)]) -> String {
    let gauges = gauges.iter().map(|(gauge, value)| format!(" {gauge} {value:.3}"));
    format!("{}:{}", probe.name, gauges.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_finds_other_blocks_live_has_failed() {
        let (mut agreed, probe) = (Agreed::default(), Probe::named("scan-warm").unwrap());
        let live = |count: f64| vec![("live".to_string(), count)];
        assert!(agreed.check(probe, live(7.0)).is_ok());
        assert!(agreed.check(probe, live(7.0)).is_ok());
        let error = agreed.check(probe, live(8.0)).unwrap_err().to_string();
        assert_eq!(error, "scan-warm finds 8 live blocks, others 7");
        assert!(agreed.check(Probe::named("scan-fifth").unwrap(), live(8.0)).is_ok());
    }
}
