//! Line protocol in.

use std::str;

use thiserror::Error;

use super::key::{find_unescaped, join, split_unescaped, unescaped};

/// A line of points.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedLine {
    /// Keys as they stand in files, with the value of each; one at least.
    pub fields: Vec<(Vec<u8>, FieldValue)>,
    /// The time, if the line has one.
    pub time: Option<i64>,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// `1`, `1.5`, `1e3`.
    Float(f64),
    /// `1i`.
    Integer(i64),
    /// `t`, `true`, `f`, `false` and the like.
    Boolean(bool),
    /// `"text"`.
    String(Vec<u8>),
    /// `1u`.
    Unsigned(u64),
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {reason}")]
pub struct LineError {
    /// The byte, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

/// Reads a line; `None` for an empty one and for a comment.
pub fn parse(line: &[u8]) -> Result<Option<ParsedLine>, LineError> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if indent == line.len() || line[indent] == b'#' {
        return Ok(None);
    }
    let end = find_unescaped(&line[indent..], b' ');
    let series_end =
        indent + end.ok_or_else(|| error(line.len(), "no fields follow the measurement and tags"))?;
    let series = series(&line[indent..series_end]).map_err(|reason| error(indent, reason))?;
    let mut at = series_end + 1;
    let mut fields = Vec::new();
    loop {
        let (key, value, next) = field(line, at)?;
        let key = join(&series, &key).ok_or_else(|| error(indent, NOT_A_SERIES))?;
        fields.push((key, value));
        at = next + 1;
        if line.get(next) != Some(&b',') {
            break;
        }
    }
    Ok(Some(ParsedLine { fields, time: time(line, at.min(line.len()))? }))
}

const NOT_A_SERIES: &str =
    "`#!~#` parts series and field in a file: no measurement or tag can hold it, or end in a part of it";

fn error(at: usize, reason: impl Into<String>) -> LineError {
    LineError { column: at + 1, reason: reason.into() }
}

/// The series with its tags in order.
fn series(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut parts = split_unescaped(text, b',');
    let measurement = parts.next().filter(|name| !name.is_empty()).ok_or("the measurement is missing")?;
    let mut tags: Vec<&[u8]> = parts.collect();
    for tag in &tags {
        match find_unescaped(tag, b'=') {
            Some(at) if at > 0 && at + 1 < tag.len() => {}
            _ => return Err("a tag is not KEY=VALUE"),
        }
    }
    let name = |tag: &&[u8]| tag[..find_unescaped(tag, b'=').unwrap_or(tag.len())].to_vec();
    tags.sort_by_key(name);
    if tags.windows(2).any(|pair| name(&pair[0]) == name(&pair[1])) {
        return Err("a tag stands twice");
    }
    Ok([&[measurement], tags.as_slice()].concat().join(&b','))
}

/// A field at `at`: its name without escapes, its value, and where it ends.
fn field(line: &[u8], at: usize) -> Result<(Vec<u8>, FieldValue, usize), LineError> {
    let equals = find_unescaped(&line[at.min(line.len())..], b'=').map(|found| at + found);
    let equals = equals.ok_or_else(|| error(at, "a field is not KEY=VALUE"))?;
    let name = unescaped(&line[at..equals]);
    if name.is_empty() {
        return Err(error(at, "a field has no name"));
    }
    let start = equals + 1;
    let (value, end) = if line.get(start) == Some(&b'"') {
        let (text, end) = quoted(line, start)?;
        (FieldValue::String(text), end)
    } else {
        let len = line[start..].iter().take_while(|byte| !matches!(byte, b',' | b' ')).count();
        let text = &line[start..start + len];
        (
            plain(text).ok_or_else(|| error(start, format!("`{}` is no value", text.escape_ascii())))?,
            start + len,
        )
    };
    match line.get(end) {
        None | Some(b',' | b' ') => Ok((name, value, end)),
        Some(_) => Err(error(end, "something follows a value")),
    }
}

/// A string that begins at `start`, and what comes after it.
fn quoted(line: &[u8], start: usize) -> Result<(Vec<u8>, usize), LineError> {
    let (mut text, mut at) = (Vec::new(), start + 1);
    loop {
        match (line.get(at), line.get(at + 1)) {
            (None, _) => return Err(error(start, "a string does not end")),
            (Some(b'"'), _) => return Ok((text, at + 1)),
            (Some(b'\\'), Some(escaped @ (b'"' | b'\\'))) => {
                text.push(*escaped);
                at += 2;
            }
            (Some(byte), _) => {
                text.push(*byte);
                at += 1;
            }
        }
    }
}

/// A value that is no string.
fn plain(text: &[u8]) -> Option<FieldValue> {
    match text {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => return Some(FieldValue::Boolean(true)),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => return Some(FieldValue::Boolean(false)),
        _ => {}
    }
    let text = str::from_utf8(text).ok()?;
    if let Some(digits) = text.strip_suffix('i') {
        return digits.parse().ok().map(FieldValue::Integer);
    }
    if let Some(digits) = text.strip_suffix('u') {
        return digits.parse().ok().map(FieldValue::Unsigned);
    }
    // `inf` and `nan` are numbers to Rust and words to line protocol.
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    numeric
        .then(|| text.parse().ok())
        .flatten()
        .filter(|value: &f64| value.is_finite())
        .map(FieldValue::Float)
}

fn time(line: &[u8], at: usize) -> Result<Option<i64>, LineError> {
    let text = line[at..].trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| error(at, format!("`{}` is no time in nanoseconds", text.escape_ascii())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> ParsedLine {
        parse(line.as_bytes()).unwrap().unwrap()
    }

    fn refused(line: &str) -> String {
        parse(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let line =
            parsed(r#"m f=1.5,e=-1e3,n=-3i,u=18446744073709551615u,b=t,c=False,s="a \"b\" \\ c, d=e" 42"#);
        let values: Vec<_> = line.fields.iter().map(|(_, value)| value.clone()).collect();
        assert_eq!(
            values,
            [
                FieldValue::Float(1.5),
                FieldValue::Float(-1000.0),
                FieldValue::Integer(-3),
                FieldValue::Unsigned(u64::MAX),
                FieldValue::Boolean(true),
                FieldValue::Boolean(false),
                FieldValue::String(br#"a "b" \ c, d=e"#.to_vec()),
            ]
        );
        assert_eq!((line.time, line.fields[0].0.as_slice()), (Some(42), b"m#!~#f".as_slice()));
    }

    #[test]
    fn tags_are_sorted_and_escapes_stay_in_the_series_but_not_in_the_field() {
        let line = parsed(r"cpu\ load,zone=eu\,1,host=a\=b user\ time=1 -7");
        assert_eq!(line.fields[0].0, br"cpu\ load,host=a\=b,zone=eu\,1#!~#user time".to_vec());
        assert_eq!(line.time, Some(-7));
    }

    #[test]
    fn empty_lines_and_comments_are_none_and_a_time_may_be_missing() {
        for line in ["", "  ", "# cpu f=1 1", "\r"] {
            assert_eq!(parse(line.as_bytes()), Ok(None), "{line}");
        }
        assert_eq!(parsed("m f=1").time, None);
        assert_eq!(parsed("m f=1 \r").time, None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_column() {
        for (line, said) in [
            ("m", "column 2: no fields follow"),
            (",a=b f=1 1", "column 1: the measurement is missing"),
            ("m,a f=1 1", "a tag is not KEY=VALUE"),
            ("m,a= f=1 1", "a tag is not KEY=VALUE"),
            ("m,a=1,a=2 f=1 1", "a tag stands twice"),
            ("m f 1", "column 3: a field is not KEY=VALUE"),
            ("m =1 1", "column 3: a field has no name"),
            ("m f=abc 1", "column 5: `abc` is no value"),
            ("m f=nan 1", "`nan` is no value"),
            ("m f=1e999 1", "`1e999` is no value"),
            ("m f=1.5i 1", "`1.5i` is no value"),
            ("m f=-1u 1", "`-1u` is no value"),
            ("m f=\"abc 1", "column 5: a string does not end"),
            ("m f=\"abc\"x 1", "column 10: something follows a value"),
            ("m f=1 x", "column 7: `x` is no time"),
            ("m#!~#x f=1 1", "column 1: `#!~#` parts series and field"),
            ("m,a=b#!~ #!~#f=1 1", "`#!~#` parts"),
            ("m#!~ !~#f=1 1", "`#!~#` parts"),
            ("m f=1, 1", "column 7: a field is not KEY=VALUE"),
            ("m f=1 9223372036854775808", "is no time"),
        ] {
            assert!(refused(line).contains(said), "{line}: {}", refused(line));
        }
    }
}
