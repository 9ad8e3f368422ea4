//! A bar for each ratio, on a logarithmic scale, with a line where its goal is.
//!
//! ```text
//!   0.1        1         10        100
//!    |    mark by scan  |=========:=|          length: the ratio     colour: its goal is met, missed, none
//! ```
//! Drawn by hand: a rectangle, a line and a text a row need no library.

use std::fmt::Write as _;

use super::Row;
use super::goal::Goal;

const WIDTH: f64 = 860.0;
const NAMES: f64 = 330.0;
const MARGIN: f64 = 60.0;
const LINE: f64 = 24.0;
const TOP: f64 = 40.0;

/// A ratio to draw.
struct Bar<'a> {
    name: &'a str,
    ratio: f64,
    goal: Option<f64>,
    met: Option<bool>,
}

/// The rows that have a ratio.
pub(super) fn svg(rows: &[Row]) -> String {
    let bars: Vec<Bar<'_>> = rows.iter().filter_map(Bar::of).collect();
    let scale = Scale::of(&bars);
    let height = TOP + LINE * bars.len() as f64 + 16.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    scale.draw(&mut svg, height);
    for (place, bar) in bars.iter().enumerate() {
        bar.draw(&mut svg, &scale, TOP + LINE * place as f64);
    }
    svg.push_str("</svg>\n");
    svg
}

impl<'a> Bar<'a> {
    fn of(row: &'a Row) -> Option<Self> {
        let measured = row.measured()?;
        let ratio = measured.ratio?.median;
        let goal = match row.goal {
            Goal::Faster(goal) | Goal::AtMost(goal) | Goal::AtLeast(goal) => Some(goal),
            Goal::AtMostMeasured(_) | Goal::Limit(_) | Goal::None => None,
        };
        (ratio.is_finite() && ratio > 0.0).then_some(Self { name: row.work, ratio, goal, met: measured.met })
    }

    fn draw(&self, svg: &mut String, scale: &Scale, top: f64) {
        let colour = match self.met {
            Some(true) => "#2e7d32",
            Some(false) => "#c62828",
            None => "#607d8b",
        };
        let (one, end) = (scale.at(1.0), scale.at(self.ratio));
        let (left, width) = (one.min(end), (end - one).abs().max(1.0));
        let text = top + 14.0;
        put(svg, &format!("<text x=\"{:.0}\" y=\"{text:.0}\" text-anchor=\"end\">", NAMES - 8.0), self.name);
        let bar = format!("x=\"{left:.1}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"14\"", top + 3.0);
        let _ = writeln!(svg, "<rect {bar} fill=\"{colour}\"/>"); // a string takes all that is written
        if let Some(goal) = self.goal {
            let at = scale.at(goal);
            let ends = format!("x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top:.0}\" y2=\"{:.0}\"", top + 20.0);
            let _ = writeln!(svg, "<line {ends} stroke=\"black\" stroke-width=\"2\"/>");
        }
        let after = left + width.max(scale.at(self.goal.unwrap_or(1.0)) - left) + 5.0;
        put(svg, &format!("<text x=\"{after:.1}\" y=\"{text:.0}\">"), &format!("{:.2}", self.ratio));
    }
}

/// An element of text, with what would be markup made harmless.
fn put(svg: &mut String, open: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(svg, "{open}{text}</text>");
}

/// Powers of ten from left to right.
struct Scale {
    low: i32,
    high: i32,
}

impl Scale {
    /// Wide enough for all bars and goals, and for 1.
    fn of(bars: &[Bar<'_>]) -> Self {
        let values = bars.iter().flat_map(|bar| [Some(bar.ratio), bar.goal]).flatten();
        let (mut least, mut greatest) = (1.0_f64, 10.0_f64);
        for value in values {
            (least, greatest) = (least.min(value), greatest.max(value));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a ratio is a small number")]
        let exponent = |value: f64| value as i32;
        Self { low: exponent(least.log10().floor()), high: exponent(greatest.log10().ceil()) }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from((self.high - self.low).max(1));
        NAMES + share * (WIDTH - NAMES - MARGIN)
    }

    fn draw(&self, svg: &mut String, height: f64) {
        for power in self.low..=self.high {
            let value = 10_f64.powi(power);
            let at = self.at(value);
            let ends =
                format!("x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.0}\" y2=\"{:.0}\"", TOP - 6.0, height - 8.0);
            let _ = writeln!(svg, "<line {ends} stroke=\"#ccc\"/>");
            let open = format!("<text x=\"{at:.1}\" y=\"{:.0}\" text-anchor=\"middle\">", TOP - 12.0);
            put(svg, &open, &format!("{value}x"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::show::tests::rows;

    #[test]
    fn only_rows_with_a_ratio_are_drawn_each_with_its_goal() {
        let svg = svg(&rows());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains(">mark by scan</text>") && svg.contains(">10.00</text>"));
        assert!(!svg.contains("collect") && !svg.contains("link index") && !svg.contains("transfer"));
        assert_eq!(svg.matches("stroke=\"black\"").count(), 1);
    }

    #[test]
    fn the_scale_is_logarithmic() {
        let scale = Scale::of(&[]);
        let middle = f64::midpoint(scale.at(1.0), scale.at(10.0));
        assert!((scale.at(10_f64.sqrt()) - middle).abs() < 1e-9);
        let wide = Scale::of(&[Bar { name: "a", ratio: 0.5, goal: Some(120.0), met: None }]);
        assert_eq!((wide.low, wide.high), (-1, 3));
    }

    #[test]
    fn names_are_no_markup() {
        let mut text = String::new();
        put(&mut text, "<text>", "a < b & c");
        assert_eq!(text, "<text>a &lt; b &amp; c</text>\n");
    }
}
