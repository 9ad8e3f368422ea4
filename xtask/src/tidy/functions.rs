//! How long functions are, from `fn` to the closing brace, tests included.

use super::{
    Violation,
    source::{Source, is_word, words},
};

const CEILING: usize = 60;

struct Function<'a> {
    name: &'a str,
    line: usize,
    lines: usize,
}

pub(super) fn check(source: &Source) -> Vec<Violation> {
    let long = functions(source).filter(|function| function.lines > CEILING);
    long.map(|function| {
        let what = format!("`{}` has {} lines, more than {CEILING}", function.name, function.lines);
        Violation::new(&source.path, function.line, what)
    })
    .collect()
}

pub(super) fn lengths(source: &Source) -> Vec<usize> {
    functions(source).map(|function| function.lines).collect()
}

/// Functions with a body; a declaration in a trait has none.
fn functions(source: &Source) -> impl Iterator<Item = Function<'_>> {
    words(&source.code, "fn").filter_map(|at| {
        let name = source.code[at + 2..].trim_start();
        let end = name.bytes().position(|byte| !is_word(byte) && byte != b'#').unwrap_or(name.len());
        let name = &name[..end];
        // Without a name it is the type of a pointer: `fn(u8) -> u8`.
        let last = if name.is_empty() { None } else { last_brace(&source.code, at) }?;
        let line = source.line_of(at);
        Some(Function { name, line, lines: source.line_of(last) + 1 - line })
    })
}

/// The brace that closes the body of the function that starts at `from`.
fn last_brace(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut body = None;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b'{' => {
                body = body.or((depth == 0).then_some(at));
                depth += 1;
            }
            b';' if depth == 0 => return None,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && body.is_some() {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(text: &str) -> Vec<usize> {
        lengths(&Source::new("a.rs", text))
    }

    #[test]
    fn a_function_ends_at_its_own_brace() {
        let text = "fn a<T>(x: [u8; { 1 + 1 }]) -> T\nwhere\n    T: Fn(),\n{\n    if x { '}' } else { \"}\" }\n}\nfn b() {}\n";
        assert_eq!(measured(text), [6, 1]);
    }

    #[test]
    fn declarations_and_pointer_types_are_no_functions() {
        assert!(
            measured("trait T { fn f(&self) -> [u8; 4]; }\ntype F = fn(u8) -> u8;\nstruct S {}\n").is_empty()
        );
    }

    #[test]
    fn a_nested_function_counts_for_both() {
        assert_eq!(measured("fn a() {\n    fn b() {\n    }\n}\n"), [4, 2]);
    }

    #[test]
    fn a_long_function_is_found_at_its_head() {
        let text = format!("//! A\n\nfn long() {{\n{}}}\n", "    f();\n".repeat(59));
        let found = check(&Source::new("a.rs", &text));
        assert_eq!(found, [Violation::new("a.rs", 3, "`long` has 61 lines, more than 60")]);
        assert!(check(&Source::new("a.rs", &text.replacen("    f();\n", "", 1))).is_empty());
    }
}
