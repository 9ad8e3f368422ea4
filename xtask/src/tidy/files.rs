//! What every source file is like: headed, ASCII, of moderate length, and named for what it holds.

use super::{Violation, source::Source};
use std::path::Path;

const CEILING: usize = 500;

/// Names under which anything may hide.
const DRAWERS: &[&str] = &["utils", "common", "helpers", "types", "misc"];

pub(super) fn check(source: &Source) -> Vec<Violation> {
    let found = |line, what: String| Violation::new(&source.path, line, what);
    let mut all = Vec::new();
    if !source.text.starts_with("//!") {
        all.push(found(1, "does not open with `//!` saying what it is".into()));
    }
    if let Some(at) = source.text.bytes().position(|byte| !byte.is_ascii()) {
        all.push(found(source.line_of(at), "is not ASCII here".into()));
    }
    if source.lines() > CEILING {
        all.push(found(CEILING + 1, format!("has {} lines, more than {CEILING}", source.lines())));
    }
    if let Some(name) = drawer(&source.path) {
        all.push(found(1, format!("`{name}` names no noun; say what it holds")));
    }
    all
}

fn drawer(path: &str) -> Option<&str> {
    let parts = Path::new(path).iter().filter_map(|part| part.to_str());
    parts.map(|part| part.strip_suffix(".rs").unwrap_or(part)).find(|part| DRAWERS.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str, text: &str) -> String {
        let all: Vec<_> = check(&Source::new(path, text)).iter().map(ToString::to_string).collect();
        all.join("; ")
    }

    #[test]
    fn a_good_file_passes() {
        assert_eq!(said("a/epoch.rs", "//! Epochs.\n"), "");
    }

    #[test]
    fn each_fault_is_found_on_its_line() {
        assert!(said("a.rs", "use std::fs;\n").starts_with("a.rs:1: does not open"));
        assert_eq!(said("a.rs", "//! A\n\n// \u{e9}\n"), "a.rs:3: is not ASCII here");
        let long = format!("//! A\n{}", "\n".repeat(500));
        assert_eq!(said("a.rs", &long), "a.rs:501: has 501 lines, more than 500");
        assert!(said("a/src/utils.rs", "//! A\n").starts_with("a/src/utils.rs:1: `utils` names no noun"));
        assert!(said("a/tests/it/common/mod.rs", "//! A\n").contains("`common` names no noun"));
    }
}
