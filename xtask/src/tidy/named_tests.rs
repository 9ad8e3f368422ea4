//! Tests that a document names exist, and every bug of Lotus and every property of TSM files has its row.

use super::{
    Violation,
    source::{Source, words},
};
use std::collections::BTreeSet;

/// Documents whose words are checked.
const DOCUMENTS: &[&str] = &["docs/testing.md", LOTUS, "docs/tsm-properties.md"];
const LOTUS: &str = "docs/lotus-bugs.md";
const BUGS: usize = 41;
/// Documents with a numbered table: what stands before the number, and how many rows there are.
const TABLES: &[(&str, char, usize)] = &[(LOTUS, 'L', BUGS), ("docs/tsm-properties.md", 'P', 31)];

pub(super) fn check(texts: &[(String, String)], sources: &[Source]) -> Vec<Violation> {
    let functions: BTreeSet<&str> = sources.iter().flat_map(functions).collect();
    let mut all = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| DOCUMENTS.contains(&path.as_str())) {
        for (number, line) in text.lines().enumerate() {
            let gone = names(line).filter(|name| !functions.contains(name));
            all.extend(gone.map(|name| {
                Violation::new(path, number + 1, format!("names a test that is not there: `{name}`"))
            }));
        }
        if let Some((_, letter, count)) = TABLES.iter().find(|(table, ..)| table == path) {
            all.extend(rows(path, text, *letter, *count));
        }
    }
    all
}

/// Names of functions, tests among them.
fn functions(source: &Source) -> impl Iterator<Item = &str> {
    words(&source.code, "fn").filter_map(|at| {
        let rest = source.code[at + 2..].trim_start();
        let end = rest.find(|c: char| !is_of_name(c))?;
        Some(&rest[..end])
    })
}

/// What stands between backticks and reads as a sentence: the name of a test.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|word| word.chars().all(is_of_name) && word.matches('_').count() >= 3)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// Every number once, each with a test or a word about why there is none.
fn rows(path: &str, text: &str, letter: char, count: usize) -> Vec<Violation> {
    let mut all = Vec::new();
    for number in 1..=count {
        let opening = format!("| {letter}{number} |");
        let mut rows = text.lines().enumerate().filter(|(_, line)| line.starts_with(&opening));
        let row = rows.next();
        let what = match (row, rows.next()) {
            (None, _) => format!("{letter}{number} has no row"),
            (Some(_), Some(_)) => format!("{letter}{number} has two rows"),
            (Some((_, line)), None) if says_something(line) => continue,
            (Some(_), None) => format!("{letter}{number} names no test and no reason"),
        };
        all.push(Violation::new(path, row.map_or(1, |(number, _)| number + 1), what));
    }
    all
}

fn says_something(row: &str) -> bool {
    row.contains("**cannot**:") || row.contains("**open**:") || names(row).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let texts = [(LOTUS.to_owned(), text.to_owned())];
        let sources = [Source::new("a.rs", "// fn a_test_in_a_comment() {}\nfn a_test_that_is_there() {}\n")];
        check(&texts, &sources).into_iter().map(|violation| violation.to_string()).collect()
    }

    /// All rows but those of `others`, and these.
    fn table(others: &[(usize, &str)]) -> String {
        let row = |bug| match others.iter().find(|(number, _)| *number == bug) {
            Some((_, row)) => (*row).to_owned(),
            None => format!("| L{bug} | what | `a_test_that_is_there` |\n"),
        };
        (1..=BUGS).map(row).collect()
    }

    #[test]
    fn a_whole_table_passes_and_a_reason_is_as_good_as_a_test() {
        assert_eq!(found(&table(&[(7, "| L7 | what | **cannot**: nothing prunes |\n")])), [""; 0]);
    }

    #[test]
    fn a_test_that_is_gone_or_only_in_a_comment_is_found_on_its_line() {
        let found = found(&table(&[(2, "| L2 | what | `a_test_in_a_comment`, `Options::new` |\n")]));
        assert_eq!(found, ["docs/lotus-bugs.md:2: names a test that is not there: `a_test_in_a_comment`"]);
    }

    #[test]
    fn a_row_that_is_missing_doubled_or_empty_is_found() {
        let twice = "| L4 | what | `a_test_that_is_there` |\n".repeat(2);
        let found = found(&table(&[(3, ""), (4, &twice), (5, "| L5 | what | nothing |\n")]));
        let ends = ["L3 has no row", "L4 has two rows", "L5 names no test and no reason"];
        assert!(found.iter().zip(ends).all(|(found, end)| found.ends_with(end)), "{found:?}");
        assert_eq!(found.len(), 3);
    }
}
