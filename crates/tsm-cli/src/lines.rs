//! Lines of line protocol out of a stream: a line break inside a string belongs to the string.
//!
//! ```text
//!   Start -> '#' -> Comment ................... '\n'
//!         -> Series -> ' ' -> Fields ........... '\n'
//!                              '="' -> String -> '"' -> Fields          each byte is looked at once
//! ```

use std::io::{self, BufRead};

use anyhow::{Context, Result, bail, ensure};

/// The longest line: a quote that is never closed must not take all memory.
const LINE_MAX: usize = 64 << 20;
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// A stream of lines, and where in it one is.
pub(crate) struct Lines<R> {
    text: R,
    name: String,
    line: Vec<u8>,
    /// Number of the physical line at which the current one starts, and of the next one.
    number: u64,
    next: u64,
}

/// Where in a line one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Comment,
    Series,
    Fields,
    String,
}

/// Passes over a line, a piece at a time.
struct Passed {
    place: Place,
    /// Whether a backslash stands before what comes next.
    escaped: bool,
    before: u8,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(text: R, name: String) -> Self {
        Self { text, name, line: Vec::new(), number: 0, next: 1 }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        self.number = self.next;
        self.line.clear();
        let mut passed = Passed { place: Place::Start, escaped: false, before: 0 };
        loop {
            let from = self.line.len();
            let read = self.read_on().with_context(|| self.place())?;
            if self.next == 1 && from == 0 {
                self.mark()?;
            }
            self.next += u64::from(self.line.ends_with(b"\n"));
            passed.over(&self.line[from.min(self.line.len())..]);
            if read == 0 || passed.place != Place::String {
                break;
            }
        }
        if self.line.is_empty() && self.next == self.number {
            return Ok(None);
        }
        Ok(Some(self.line.strip_suffix(b"\n").unwrap_or(&self.line)))
    }

    /// File and line, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}, line {}", self.name, self.number)
    }

    fn read_on(&mut self) -> Result<usize> {
        let room = LINE_MAX - self.line.len();
        let read = io::Read::take(&mut self.text, room as u64).read_until(b'\n', &mut self.line)?;
        ensure!(self.line.len() < LINE_MAX, "longer than {LINE_MAX} bytes: a quote that is not closed?");
        Ok(read)
    }

    /// What some editors put before a text.
    fn mark(&mut self) -> Result<()> {
        if self.line.starts_with(b"\xff\xfe") || self.line.starts_with(b"\xfe\xff") {
            bail!("{}: this is UTF-16, but line protocol is UTF-8: convert it first", self.name);
        }
        if self.line.starts_with(UTF8_MARK) {
            self.line.drain(..UTF8_MARK.len());
        }
        Ok(())
    }
}

impl Passed {
    fn over(&mut self, bytes: &[u8]) {
        if self.place == Place::Comment {
            return;
        }
        for byte in bytes.iter().copied() {
            let escaped = std::mem::take(&mut self.escaped);
            match (self.place, byte) {
                (Place::Comment, _) => return,
                (Place::Start, b'#') => self.place = Place::Comment,
                (Place::Start, _) if byte.is_ascii_whitespace() => {}
                (Place::Series | Place::Fields | Place::String, _) if escaped => {}
                (_, b'\\') => {
                    self.escaped = true;
                    if self.place == Place::Start {
                        self.place = Place::Series;
                    }
                }
                (Place::Start, _) => self.place = Place::Series,
                (Place::Series, b' ') | (Place::String, b'"') => self.place = Place::Fields,
                (Place::Fields, b'"') if self.before == b'=' => self.place = Place::String,
                _ => {}
            }
            self.before = byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(String, String)> {
        let mut lines = Lines::new(text, "t".into());
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let line = String::from_utf8(line.to_vec()).unwrap();
            all.push((lines.place(), line));
        }
        all
    }

    #[test]
    fn a_line_break_inside_a_string_belongs_to_it_and_lines_keep_their_numbers() {
        let text = b"m s=\"a\nb \\\" c\n\" 1\nm f=1 2\n\n# it's \"odd\n  # s=\"\nm f=2 3";
        let expected = [
            ("t, line 1", "m s=\"a\nb \\\" c\n\" 1"),
            ("t, line 4", "m f=1 2"),
            ("t, line 5", ""),
            ("t, line 6", "# it's \"odd"),
            ("t, line 7", "  # s=\""),
            ("t, line 8", "m f=2 3"),
        ];
        assert_eq!(lines(text), expected.map(|(place, line)| (place.to_string(), line.to_string())));
        // Before the fields a quote is a letter like others.
        assert_eq!(lines(b"m\"\\ x,t=\"a f=1 1\nn f=1 1\n").len(), 2);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_million_line_breaks_in_a_string_are_passed_once_each() {
        let text = [b"m s=\"".as_slice(), &vec![b'\n'; 1_000_000], b"\" 1\n"].concat();
        assert_eq!(lines(&text).len(), 1);
    }

    #[test]
    fn a_mark_before_a_text_is_no_part_of_a_name_and_utf_16_is_refused() {
        assert_eq!(lines(b"\xef\xbb\xbfm f=1 1\n")[0].1, "m f=1 1");
        let error = Lines::new(&b"\xff\xfem\0"[..], "t".into()).next().unwrap_err().to_string();
        assert!(error.contains("t: this is UTF-16"), "{error}");
    }

    #[test]
    fn a_quote_that_is_not_closed_ends_at_the_longest_line() {
        let text = io::BufReader::new(io::Read::chain(&b"m f=1 1\nm s=\""[..], io::repeat(b'x')));
        let mut lines = Lines::new(text, "t".into());
        lines.next().unwrap();
        let error = format!("{:#}", lines.next().map(|_| ()).unwrap_err());
        assert!(error.contains("t, line 2") && error.contains("not closed"), "{error}");
    }
}
