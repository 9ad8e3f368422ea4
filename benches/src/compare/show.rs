//! Rows as text, as markdown and as objects.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Row;
use super::row::{Found, Measured};
use super::samples::Spread;
use super::works::Unit;

const HEADINGS: [&str; 6] = ["work", "ours", "against", "ratio", "goal", "met"];

/// A table for a terminal: it also has the ratio of what all threads computed.
pub(super) fn text(rows: &[Row]) -> String {
    let headings = with_cpu(HEADINGS.map(String::from), "of CPU".into());
    let lines: Vec<[String; 7]> =
        [headings].into_iter().chain(rows.iter().map(|row| with_cpu(cells(row), cpu(row)))).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].len()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for cells in &lines {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = padded.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A table for a page.
pub(super) fn markdown(rows: &[Row]) -> String {
    let line = |cells: [String; 6]| format!("| {} |\n", cells.join(" | "));
    let rows = rows.iter().map(|row| line(cells(row))).collect::<String>();
    format!("{}|---|---:|---|---:|---:|---|\n{rows}", line(HEADINGS.map(String::from)))
}

/// An object for each row, one a line.
pub(super) fn json(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{}", object(row)); // a string takes all that is written
    }
    text
}

fn cells(row: &Row) -> [String; 6] {
    let goal = row.goal.to_string();
    let [ours, against, ratio, met] = match &row.found {
        Found::Measured(measured) => of_measured(row, measured),
        Found::NotBuilt => ["not built".into(), row.reference.into(), "-".into(), "-".into()],
        Found::Failed(_) => ["failed".into(), row.reference.into(), "-".into(), "-".into()],
    };
    [row.work.into(), ours, against, ratio, goal, met]
}

fn with_cpu([work, ours, against, ratio, goal, met]: [String; 6], cpu: String) -> [String; 7] {
    [work, ours, against, ratio, cpu, goal, met]
}

fn cpu(row: &Row) -> String {
    let cpu = row.measured().and_then(|measured| measured.cpu);
    cpu.map_or_else(|| "-".into(), |cpu| format!("{cpu:.2}"))
}

fn of_measured(row: &Row, measured: &Measured) -> [String; 4] {
    let Measured { ours, against, ratio, met, .. } = measured;
    let against = match against {
        Some(spread) => format!("{}: {}", row.reference, spread_in(row.unit, spread)),
        None => row.reference.into(),
    };
    let ratio = ratio.map_or_else(|| "-".into(), |ratio| spread_of(&ratio, |value| format!("{value:.2}")));
    let met = met.map_or("-", |met| if met { "yes" } else { "no" });
    [spread_in(row.unit, ours), against, ratio, met.into()]
}

fn spread_in(unit: Unit, spread: &Spread) -> String {
    spread_of(spread, |value| shown(unit, value))
}

/// The median, and the least and the greatest where rounds differ.
fn spread_of(spread: &Spread, shown: impl Fn(f64) -> String) -> String {
    let Spread { median, least, greatest, rounds } = *spread;
    match (rounds, shown(least) == shown(greatest)) {
        (1, _) => format!("{} (once)", shown(median)),
        (_, true) => shown(median),
        (rounds, false) => format!("{} ({} to {}, {rounds})", shown(median), shown(least), shown(greatest)),
    }
}

fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds if value < 1.0 => format!("{:.1} ms", value * 1e3),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Micros => format!("{value:.1} us"),
        Unit::Nanos => format!("{value:.0} ns"),
        Unit::Millis => format!("{value:.1} ms"),
        Unit::BytesPerBlock => format!("{value:.1} B"),
        Unit::Rate => format!("{:.0} k/s", value / 1e3),
        Unit::Count if value >= 1e6 => format!("{:.1} M", value / 1e6),
        Unit::Count => format!("{value:.0}"),
    }
}

fn object(row: &Row) -> Value {
    let measured = row.measured();
    let (ours, against) =
        (measured.map(|measured| measured.ours), measured.and_then(|measured| measured.against));
    let ratio = measured.and_then(|measured| measured.ratio);
    json!({
        "work": row.work,
        "ours": ours.map(|spread| spread.median),
        "against": against.map(|spread| spread.median),
        "ratio": ratio.map(|spread| spread.median),
        "goal": row.goal.to_string(),
        "met": measured.and_then(|measured| measured.met),
        "ratio_of_cpu": measured.and_then(|measured| measured.cpu),
        "unit": row.unit.name(),
        "reference": row.reference,
        "spread": { "ours": ends(ours), "against": ends(against), "ratio": ends(ratio) },
        "rounds": { "ours": ours.map(|spread| spread.rounds), "against": against.map(|spread| spread.rounds) },
        "note": note(&row.found),
    })
}

fn ends(spread: Option<Spread>) -> Option<[f64; 2]> {
    spread.map(|spread| [spread.least, spread.greatest])
}

fn note(found: &Found) -> Option<&str> {
    match found {
        Found::Measured(_) => None,
        Found::NotBuilt => Some("not built"),
        Found::Failed(why) => Some(why),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::compare::goal::Goal;

    fn spread(values: &[f64]) -> Spread {
        Spread::of(values.iter().copied()).unwrap()
    }

    /// One row of each kind.
    pub(in crate::compare) fn rows() -> Vec<Row> {
        let row = |work, goal, found| Row { work, reference: "naive walk", unit: Unit::Seconds, goal, found };
        let measured = Measured {
            ours: spread(&[2.4, 2.5, 2.6]),
            against: Some(spread(&[25.0])),
            ratio: Some(spread(&[10.0])),
            cpu: Some(9.0),
            met: Some(true),
        };
        let alone =
            Measured { ours: spread(&[0.5]), against: None, ratio: None, cpu: None, met: Some(false) };
        vec![
            row("mark by scan", Goal::Faster(8.0), Found::Measured(measured)),
            row("collect", Goal::Limit(0.2), Found::Measured(alone)),
            row("mark with link index", Goal::Faster(40.0), Found::NotBuilt),
            row("transfer", Goal::Faster(2.5), Found::Failed("the disk is full".into())),
        ]
    }

    #[test]
    fn a_row_has_medians_spreads_the_goal_and_whether_it_is_met() {
        let expected = "\
| work | ours | against | ratio | goal | met |
|---|---:|---|---:|---:|---|
| mark by scan | 2.50 s (2.40 s to 2.60 s, 3) | naive walk: 25.00 s (once) | 10.00 (once) | >= 8x | yes |
| collect | 500.0 ms (once) | naive walk | - | <= 0.2 | no |
| mark with link index | not built | naive walk | - | >= 40x | - |
| transfer | failed | naive walk | - | >= 2.5x | - |
";
        assert_eq!(markdown(&rows()), expected);
    }

    #[test]
    fn text_has_its_columns_below_each_other() {
        let text = text(&rows());
        let at = |line: &str, word: &str| line.find(word).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(at(lines[0], "goal"), at(lines[1], ">= 8x"));
        assert_eq!(at(lines[0], "ours"), at(lines[3], "not built"));
        assert_eq!(at(lines[0], "of CPU"), at(lines[1], "9.00"));
    }

    #[test]
    fn every_row_is_an_object_and_what_was_not_measured_is_null() {
        let objects: Vec<Value> =
            json(&rows()).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(objects.len(), 4);
        assert_eq!(objects[0]["ratio"], json!(10.0));
        assert_eq!(objects[0]["met"], json!(true));
        assert_eq!(objects[0]["spread"]["ours"], json!([2.4, 2.6]));
        assert_eq!((&objects[2]["ours"], &objects[2]["note"]), (&Value::Null, &json!("not built")));
        assert_eq!(objects[3]["note"], json!("the disk is full"));
        for key in HEADINGS {
            assert!(objects.iter().all(|object| object.get(key).is_some()), "{key}");
        }
    }
}
