//! Everything against the algorithm of the original, on one generated chain, in one tree of processes.
//!
//! ```text
//!   Stored     a generated chain, all of it in hot, in settled tables; kept between runs, never changed
//!   Probe      a child process: measures one thing on a copy by hard links, prints `name value` lines
//!   rounds     every probe once a round, each round begins with another one; costly ones in the first rounds only
//!   Work       which two values make a row, and what the row must hold
//!   Row        medians, the median of the rounds' own ratios, their spread; or why there is none
//! ```
//! A process per measurement: its peak memory is its own, its caches are empty, and whatever it leaves in an
//! allocator goes with it. Nothing is written beside the cache before all is measured: who is interrupted leaves the
//! pages as they were.
//!
//! Start at [`run`].

mod catalogue;
mod child;
mod goal;
mod log;
mod page;
mod plan;
mod plot;
mod room;
mod rounds;
mod row;
mod samples;
mod show;
mod stored;
mod works;

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

pub use child::probe;
pub(crate) use child::{Gauges, Site};
pub use plan::Scale;
pub use row::Row;
pub(crate) use stored::Stored;

use catalogue::Probe;
use works::Work;

/// What to measure, and where.
#[derive(Debug, Clone)]
pub struct Orders {
    /// How much data.
    pub scale: Scale,
    /// Works whose name holds this; all, if none.
    pub only: Option<String>,
    /// Rounds.
    pub rounds: usize,
    /// Where stores are kept, and copies made.
    pub cache: PathBuf,
    /// Measure nothing: what a run told that was cut short.
    pub from: Option<PathBuf>,
    /// The folder with `benchmarks.md`, for a full run of everything.
    pub docs: PathBuf,
}

/// All that was measured.
#[derive(Debug)]
pub struct Compared {
    /// What the data is.
    pub data: String,
    /// One for each work that was asked for.
    pub rows: Vec<Row>,
}

/// Measures; a full run of everything writes the table and the plot into the docs.
pub fn run(orders: &Orders) -> Result<Compared> {
    ensure!(orders.rounds > 0, "--rounds must be at least 1");
    let works = chosen(orders.only.as_deref())?;
    std::fs::create_dir_all(&orders.cache)
        .with_context(|| format!("make the folder {}", orders.cache.display()))?;
    let _lock = lock(&orders.cache)?;
    let probes = Probe::of(&works);
    let plans = plan::plans(orders.scale, &probes);
    room::check(&orders.cache, &plans)?;
    let scratch = orders.cache.join("rounds");
    empty(&scratch)?;
    let stores =
        plans.iter().map(|plan| Stored::open_or_make(&orders.cache, plan)).collect::<Result<Vec<_>>>()?;
    let (samples, rounds) = match &orders.from {
        Some(log) => log::read(log)?,
        None => (rounds::run(orders, &probes, &stores, &scratch)?, orders.rounds),
    };
    std::fs::remove_dir_all(&scratch)?;
    let rows: Vec<Row> = works.iter().map(|work| Row::of(work, &samples)).collect();
    let compared = Compared { data: stored::described(&stores, rounds), rows };
    publish(orders, &compared)?;
    Ok(compared)
}

impl Compared {
    /// Whether something broke while it was measured.
    pub fn failed(&self) -> bool {
        self.rows.iter().any(Row::failed)
    }

    /// The table as text.
    pub fn text(&self) -> String {
        format!("{}\n\n{}", self.data, show::text(&self.rows))
    }

    /// The rows as objects, one a line.
    pub fn json(&self) -> String {
        show::json(&self.rows)
    }
}

/// The works that were asked for.
fn chosen(only: Option<&str>) -> Result<Vec<&'static Work>> {
    let Some(only) = only else { return Ok(works::WORKS.iter().collect()) };
    let wanted = only.to_lowercase();
    let found: Vec<_> =
        works::WORKS.iter().filter(|work| work.name.to_lowercase().contains(&wanted)).collect();
    if found.is_empty() {
        let names: Vec<_> = works::WORKS.iter().map(|work| format!("  {}", work.name)).collect();
        bail!("no work has `{only}` in its name; there are\n{}", names.join("\n"));
    }
    Ok(found)
}

/// One run at a time in a cache.
fn lock(cache: &Path) -> Result<File> {
    let path = cache.join("lock");
    let file = File::create(&path).with_context(|| format!("make {}", path.display()))?;
    file.try_lock().with_context(|| format!("another run measures in {}", cache.display()))?;
    Ok(file)
}

/// What a run left that was interrupted goes.
fn empty(scratch: &Path) -> Result<()> {
    if scratch.exists() {
        std::fs::remove_dir_all(scratch).with_context(|| format!("empty {}", scratch.display()))?;
    }
    Ok(std::fs::create_dir(scratch)?)
}

/// Table and plot beside the cache, always; in the docs, if everything was measured at full size.
fn publish(orders: &Orders, compared: &Compared) -> Result<()> {
    let section = format!("{}\n\n{}", compared.data, show::markdown(&compared.rows));
    let plot = plot::svg(&compared.rows);
    page::replace_file(&orders.cache.join("compare.md"), &section)?;
    page::replace_file(&orders.cache.join("compare.svg"), &plot)?;
    if orders.scale == Scale::Small || orders.only.is_some() || compared.failed() {
        eprintln!("table and plot are in {}; the docs are as they were", orders.cache.display());
        return Ok(());
    }
    page::insert(&orders.docs.join("benchmarks.md"), &section)?;
    page::replace_file(&orders.docs.join("compare.svg"), &plot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_work_that_is_not_there_is_answered_with_those_that_are() {
        let error = chosen(Some("frobnicate")).unwrap_err().to_string();
        assert!(error.contains("no work has `frobnicate`"), "{error}");
        assert!(error.contains("mark by scan, warm"), "{error}");
        assert!(chosen(Some("MARK by")).unwrap().len() > 3);
    }

    #[test]
    fn a_second_run_in_the_same_cache_is_refused() {
        let cache = tempfile::tempdir().unwrap();
        let _first = lock(cache.path()).unwrap();
        assert!(lock(cache.path()).unwrap_err().to_string().contains("another run measures in"));
    }

    #[test]
    fn what_an_interrupted_run_left_is_removed() {
        let cache = tempfile::tempdir().unwrap();
        let scratch = cache.path().join("rounds");
        std::fs::create_dir_all(scratch.join("left")).unwrap();
        empty(&scratch).unwrap();
        assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    }
}
