//! The figures of one run.

use std::fmt;

use crate::{Ground, Pair, Rounds, Side};

/// The table that a run ends with; only what was run is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    title: String,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    work: &'static str,
    against: &'static str,
    ours: f64,
    raw: f64,
    /// Of the rounds' own ratios: the median, the least and the greatest.
    ratio: [f64; 3],
}

const HEADINGS: [&str; 6] = ["work", "ours/s", "against", "raw/s", "ratio", "least to greatest"];

impl Table {
    /// What was measured so far.
    pub fn of(ground: &Ground, catalogue: &[Rounds<'_>]) -> Self {
        let size = ground.size();
        let data = ground.data().unwrap_or_else(|| "no chain".into());
        let title = format!("Size {}, {} rounds; {data}.", size.name(), size.rounds());
        let works = catalogue
            .iter()
            .flat_map(|rounds| rounds.works().iter().enumerate().zip([rounds].into_iter().cycle()));
        let rows = works
            .filter_map(|((index, work), rounds)| Row::of(work.name, work.against, &rounds.pairs(index)));
        Self { title, rows: rows.collect() }
    }

    /// Names of the works that were measured.
    pub fn works(&self) -> Vec<&'static str> {
        self.rows.iter().map(|row| row.work).collect()
    }

    /// The same as a section of a page.
    pub fn markdown(&self) -> String {
        let line = |cells: [String; 6]| format!("| {} |\n", cells.join(" | "));
        let rows = self.rows.iter().map(|row| line(row.cells())).collect::<String>();
        let rule = "|---|---:|---|---:|---:|---:|\n";
        format!("{}\n\n{}{rule}{rows}", self.title, line(HEADINGS.map(String::from)))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for [work, ours, against, raw, ratio, spread] in
            [HEADINGS.map(String::from)].into_iter().chain(self.rows.iter().map(Row::cells))
        {
            let against = against.replace('`', "");
            writeln!(f, "{work:<14}{ours:>12}  {against:<55}{raw:>12}{ratio:>7}  {spread}")?;
        }
        Ok(())
    }
}

impl Row {
    fn of(work: &'static str, against: &'static str, pairs: &[Pair]) -> Option<Self> {
        let sorted = |of: &dyn Fn(&Pair) -> f64| {
            let mut all: Vec<f64> = pairs.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let ratios = sorted(&Pair::ratio);
        let ratio = [median(&ratios)?, *ratios.first()?, *ratios.last()?];
        let rate = |side| median(&sorted(&|pair: &Pair| pair.rate(side)));
        Some(Self { work, against, ours: rate(Side::Ours)?, raw: rate(Side::Raw)?, ratio })
    }

    fn cells(&self) -> [String; 6] {
        let [ratio, least, greatest] = self.ratio.map(|ratio| format!("{ratio:.2}"));
        let [ours, raw] = [self.ours, self.raw].map(shown);
        [self.work.into(), ours, self.against.into(), raw, ratio, format!("{least} to {greatest}")]
    }
}

/// Of sorted values.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// A rate of three digits or so.
fn shown(rate: f64) -> String {
    if rate < 999_500.0 { format!("{:.0} k", rate / 1e3) } else { format!("{:.2} M", rate / 1e6) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pair(ours: u64, raw: u64) -> Pair {
        let (ours, raw) = (Duration::from_millis(ours), Duration::from_millis(raw));
        Pair { items: 100_000, ours, raw }
    }

    #[test]
    fn a_row_has_median_rates_and_the_median_of_the_rounds_own_ratios() {
        // The third round was disturbed: both sides took ten times as long.
        let row = Row::of("get", "`get`", &[pair(200, 100), pair(100, 100), pair(2000, 1000)]).unwrap();
        assert_eq!(row.cells(), ["get", "500 k", "`get`", "1.00 M", "0.50", "0.50 to 1.00"]);
    }

    #[test]
    fn a_work_without_rounds_has_no_row() {
        assert_eq!(Row::of("get", "`get`", &[]), None);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
    }
}
