//! What rustc and clippy do not check: layers, sizes and manners. One line per violation.
//!
//! ```text
//!   cargo metadata -> members -> layers, manifests
//!   git ls-files   -> texts   -> lints (machine paths)
//!                     *.rs    -> code | comments -> files, functions, lints
//!                     docs    -> named_tests
//! ```

mod files;
mod functions;
mod layers;
mod lints;
mod manifests;
mod member;
mod named_tests;
mod source;
mod texts;

use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use member::Member;
use source::Source;
use std::{fmt, path::Path};

/// One broken rule, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    line: usize,
    what: String,
}

impl Violation {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Checks the whole repository and prints the two medians.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let texts = texts::all(&workspace.root)?;
    let sources: Vec<Source> = texts
        .iter()
        .filter(|(path, _)| Path::new(path).extension().is_some_and(|is| is == "rs"))
        .map(|(path, text)| Source::new(path, text))
        .collect();
    let mut found = members(&workspace.root)?;
    found.extend(texts.iter().flat_map(|(path, text)| lints::machine_paths(path, text)));
    found.extend(sources.iter().flat_map(files::check));
    found.extend(sources.iter().flat_map(functions::check));
    found.extend(sources.iter().flat_map(lints::check));
    found.extend(named_tests::check(&texts, &sources));
    found.extend(medians(&sources));
    found.sort();
    for violation in &found {
        println!("{violation}");
    }
    ensure!(found.is_empty(), "tidy: {} violations", found.len());
    Ok(())
}

fn members(root: &Path) -> Result<Vec<Violation>> {
    let members = Member::all(root)?;
    let mut found = layers::check(&members);
    found.extend(members.iter().flat_map(manifests::check));
    Ok(found)
}

/// The habit of the workspace: a file has under 200 lines, a function under 10.
fn medians(sources: &[Source]) -> Vec<Violation> {
    let file = median(sources.iter().map(Source::lines).collect());
    let functions: Vec<usize> = sources.iter().flat_map(functions::lengths).collect();
    let count = functions.len();
    let function = median(functions);
    println!(
        "tidy: {} files, median {file} lines; {count} functions, median {function} lines",
        sources.len()
    );
    let excess = |what: &str, is: usize, below: usize| {
        (is >= below)
            .then(|| Violation::new(".", 1, format!("the median {what} has {is} lines, not under {below}")))
    };
    excess("file", file, 200).into_iter().chain(excess("function", function, 10)).collect()
}

fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_one_line_with_its_place() {
        assert_eq!(Violation::new("a/b.rs", 7, "too long").to_string(), "a/b.rs:7: too long");
    }

    #[test]
    fn medians_that_are_too_high_are_violations() {
        let body = "    let _ = 0;\n".repeat(12);
        let function = format!("fn f() {{\n{body}}}\n");
        let long = Source::new("a.rs", &function.repeat(20));
        let found = medians(&[long]);
        assert_eq!(found.len(), 2);
        assert!(found[0].what.contains("median file has 280 lines"), "{found:?}");
        assert!(found[1].what.contains("median function has 14 lines"), "{found:?}");
        assert!(medians(&[Source::new("a.rs", "fn f() {}\n")]).is_empty());
    }
}
