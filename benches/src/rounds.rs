//! Runs scenarios and keeps what they measured.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{Ground, Pair, Side, scenario};

/// Items that one of criterion's iterations stands for: enough for whole nanoseconds to be exact.
pub const ITEMS_PER_ITERATION: u64 = 1000;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// What is done.
    pub name: &'static str,
    /// What the raw engine does for it.
    pub against: &'static str,
}

/// Some works that are measured together.
pub trait Scenario {
    /// Does each of its works once, ours and raw; who goes first depends on `turn`.
    fn round(&mut self, turn: usize) -> Result<Vec<Pair>>;
}

pub(crate) type Make<'g> = fn(&'g Ground) -> Result<Box<dyn Scenario + 'g>>;

/// A scenario with its rounds, which are run when the first sample is asked for.
pub struct Rounds<'g> {
    ground: &'g Ground,
    works: &'static [Work],
    make: Make<'g>,
    measured: Vec<Vec<Pair>>,
}

/// Every scenario there is, none run yet.
pub fn catalogue(ground: &Ground) -> Vec<Rounds<'_>> {
    let scenarios: [(&'static [Work], Make<'_>); 4] = [
        (scenario::put::WORKS, scenario::put::make),
        (scenario::reads::WORKS, scenario::reads::make),
        (scenario::phases::WORKS, scenario::phases::make),
        (scenario::sets::WORKS, scenario::sets::make),
    ];
    scenarios.into_iter().map(|(works, make)| Rounds { ground, works, make, measured: Vec::new() }).collect()
}

impl Rounds<'_> {
    /// The works of the scenario.
    pub const fn works(&self) -> &'static [Work] {
        self.works
    }

    /// What was measured of one work, round by round; nothing if no sample was asked for.
    pub fn pairs(&self, work: usize) -> Vec<Pair> {
        self.measured.iter().filter_map(|round| round.get(work)).copied().collect()
    }

    /// How long one side of a work took for [`ITEMS_PER_ITERATION`] items in some round.
    pub fn sample(&mut self, work: usize, side: Side, sample: usize) -> Result<Duration> {
        self.run()?;
        let round = self.measured.get(sample % self.measured.len().max(1));
        let pair = round.and_then(|round| round.get(work)).context("the scenario measures this work")?;
        Ok(pair.duration(side).mul_f64(ITEMS_PER_ITERATION as f64 / pair.items as f64))
    }

    /// One round to warm up, then those that count; then the scenario's memory is given back.
    fn run(&mut self) -> Result<()> {
        if !self.measured.is_empty() {
            return Ok(());
        }
        let mut scenario = (self.make)(self.ground)?;
        scenario.round(0)?;
        for turn in 1..=self.ground.size().rounds() {
            self.measured.push(scenario.round(turn)?);
        }
        Ok(())
    }
}
