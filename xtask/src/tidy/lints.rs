//! Manners: nothing unfinished, no test asleep, no exception without a reason, no path of one machine.

use super::{
    Violation,
    source::{Source, is_word, words},
};

/// Unfinished code, by the macro that says so.
const UNFINISHED: &[&str] = &["todo", "unimplemented"];

/// Unfinished thoughts, by the word in a comment.
const PROMISES: &[&str] = &["TODO", "FIXME", "XXX"];

/// First folders that exist on one machine and not on the next.
const MACHINE: &[&str] = &["work", "root", "home", "farm", "tmp"];

pub(super) fn check(source: &Source) -> Vec<Violation> {
    let mut all = Vec::new();
    let mut found = |at, what: String| all.push(Violation::new(&source.path, source.line_of(at), what));
    for name in UNFINISHED {
        let calls = words(&source.code, name).filter(|at| source.code[at + name.len()..].starts_with('!'));
        calls.for_each(|at| found(at, format!("`{name}!` is left")));
    }
    for word in PROMISES {
        words(&source.comments, word)
            .for_each(|at| found(at, format!("`{word}` in a comment: do it or drop it")));
    }
    for (at, attribute) in attributes(source) {
        if let Some(what) = reproach(attribute) {
            found(at, what.into());
        }
    }
    all
}

/// Paths such as `/<folder>/...`, in any text that is not the server's own script.
pub(super) fn machine_paths(path: &str, text: &str) -> Vec<Violation> {
    if path == ".ci/run" {
        return Vec::new();
    }
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let folder = MACHINE.iter().find(|folder| starts_path(line, &format!("/{folder}/")))?;
            Some(Violation::new(path, number + 1, format!("names a path of one machine: `/{folder}/...`")))
        })
        .collect()
}

/// Whether `needle` opens an absolute path: what stands before it is not part of a longer one.
fn starts_path(line: &str, needle: &str) -> bool {
    let inner = |byte: u8| is_word(byte) || b"-.})>*~/".contains(&byte);
    line.match_indices(needle).any(|(at, _)| !line[..at].bytes().next_back().is_some_and(inner))
}

/// Attributes: where, and what stands between the brackets.
fn attributes(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    ["#[", "#!["].into_iter().flat_map(|open| source.code.match_indices(open)).filter_map(|(at, open)| {
        let inside = &source.code[at + open.len()..];
        let mut depth = 1_i32;
        let end = inside.bytes().position(|byte| {
            depth += i32::from(byte == b'[') - i32::from(byte == b']');
            depth == 0
        })?;
        Some((at, inside[..end].trim()))
    })
}

fn reproach(attribute: &str) -> Option<&'static str> {
    let is = |name| words(attribute, name).next() == Some(0);
    let reasoned = words(attribute, "reason").next().is_some();
    match () {
        () if is("ignore") => Some("a test that does not run is no test"),
        () if is("allow") && !reasoned => Some("`allow` without a reason: `#[expect(lint, reason = ...)]`"),
        () if is("expect") && !reasoned => Some("`expect` without a reason"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let all: Vec<_> = check(&Source::new("a.rs", text)).iter().map(ToString::to_string).collect();
        all.join("; ")
    }

    #[test]
    fn what_is_unfinished_is_found() {
        assert_eq!(said("fn f() {\n    todo!()\n}"), "a.rs:2: `todo!` is left");
        assert_eq!(said("unimplemented!(\"later\")"), "a.rs:1: `unimplemented!` is left");
        assert!(said("// FIXME later").contains("`FIXME` in a comment"));
        assert!(said("/// XXX: later").contains("`XXX` in a comment"));
        assert_eq!(said("let todo = \"todo!() FIXME\"; // XXXL"), "");
    }

    #[test]
    fn a_test_asleep_is_found() {
        assert!(said("#[test]\n#[ignore]\nfn f() {}").starts_with("a.rs:2: a test that does not run"));
        assert!(said("#[ignore = \"slow\"]").contains("does not run"));
    }

    #[test]
    fn an_exception_needs_its_reason() {
        assert!(said("#[allow(dead_code)]").contains("without a reason"));
        assert!(said("#![allow(\n    dead_code,\n)]").contains("without a reason"));
        assert!(said("#[expect(clippy::pedantic)]").contains("without a reason"));
        assert_eq!(said("#[expect(dead_code, reason = \"held for Drop\")]\n#[derive(Debug)]"), "");
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_relative_one_is_not() {
        for folder in MACHINE {
            let found = machine_paths("README.md", &format!("first\ncd /{folder}/main"));
            assert_eq!(found.len(), 1, "{folder}");
            assert_eq!(found[0].line, 2);
            assert!(machine_paths(".ci/run", &format!("/{folder}/x")).is_empty());
            for fine in [format!("a/{folder}/b"), format!("<store>/{folder}/x"), format!("/{folder}s")] {
                assert!(machine_paths("README.md", &fine).is_empty(), "{fine}");
            }
        }
    }
}
