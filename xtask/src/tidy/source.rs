//! A Rust file cut in two: what the compiler reads and what people read.
//!
//! ```text
//!   text      let a = "fn"; // fn        one byte in, one byte out:
//!   code      let a = "  ";              lines and columns stay where they were
//!   comments                // fn
//! ```
//! Enough of a lexer to never take a brace in a string for a brace.

pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    /// Comments, and what stands inside of string and character literals, are blank.
    pub(super) code: String,
    /// All but comments is blank.
    pub(super) comments: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let mut cut = Cut { text: text.as_bytes(), at: 0, code: Vec::new(), comments: Vec::new() };
        cut.all();
        let [code, comments] =
            [cut.code, cut.comments].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Self { path: path.into(), text: text.into(), code, comments }
    }

    pub(super) fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Line of a byte offset, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        1 + self.code[..offset].matches('\n').count()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum To {
    Code,
    Comments,
    Nowhere,
}

struct Cut<'a> {
    text: &'a [u8],
    at: usize,
    code: Vec<u8>,
    comments: Vec<u8>,
}

impl Cut<'_> {
    fn all(&mut self) {
        while self.at < self.text.len() {
            match (self.text[self.at], self.peek(1)) {
                (b'/', b'/') => self.take(self.line_comment(), To::Comments),
                (b'/', b'*') => self.take(self.block_comment(), To::Comments),
                (b'"', _) => self.literal(0),
                (b'\'', _) => self.character(),
                (b'r' | b'#', _) => self.raw_or_code(),
                _ => self.take(1, To::Code),
            }
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize, to: To) {
        let end = (self.at + count).min(self.text.len());
        for &byte in &self.text[self.at..end] {
            // A byte that is not ASCII becomes `?`, so that offsets stay.
            let kept = if byte.is_ascii() { byte } else { b'?' };
            let blank = if byte == b'\n' { b'\n' } else { b' ' };
            self.code.push(if to == To::Code { kept } else { blank });
            self.comments.push(if to == To::Comments { kept } else { blank });
        }
        self.at = end;
    }

    fn line_comment(&self) -> usize {
        let rest = &self.text[self.at..];
        rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
    }

    fn block_comment(&self) -> usize {
        let mut depth = 0_usize;
        let mut count = 0;
        while self.at + count < self.text.len() {
            match (self.peek(count), self.peek(count + 1)) {
                (b'/', b'*') => depth += 1,
                (b'*', b'/') => depth -= 1,
                _ => {
                    count += 1;
                    continue;
                }
            }
            count += 2;
            if depth == 0 {
                break;
            }
        }
        count
    }

    /// From the opening quote; without hashes a backslash escapes the next byte.
    fn string(&self, hashes: Option<usize>) -> usize {
        let mut count = 1;
        while self.at + count < self.text.len() {
            let closes = |hashes| (1..=hashes).all(|ahead| self.peek(count + ahead) == b'#');
            match self.peek(count) {
                b'\\' if hashes.is_none() => count += 2,
                b'"' if closes(hashes.unwrap_or(0)) => return count,
                _ => count += 1,
            }
        }
        count
    }

    fn literal(&mut self, skip: usize) {
        let inside = self.string(None) - 1;
        self.take(skip + 1, To::Code);
        self.take(inside, To::Nowhere);
        self.take(1, To::Code);
    }

    /// `'a'`, `'\n'` and `b'{'` have a content; `'a` is a lifetime.
    fn character(&mut self) {
        let rest = &self.text[self.at + 1..];
        let closing = match rest {
            [b'\\', _, tail @ ..] => tail.iter().position(|byte| *byte == b'\'').map(|at| at + 2),
            // At most four bytes are one character; a lifetime has no quote after its name.
            _ => rest.iter().take(5).position(|byte| *byte == b'\'').filter(|at| is_one_char(&rest[..*at])),
        };
        self.take(1, To::Code);
        if let Some(inside) = closing {
            self.take(inside, To::Nowhere);
            self.take(1, To::Code);
        }
    }

    /// `r"..."`, `r#"..."#`, and `br`, `cr` alike; `r#name` and any other `r` or `#` is code.
    fn raw_or_code(&mut self) {
        let named = self.code.last().is_some_and(|byte| is_word(*byte) && !matches!(byte, b'b' | b'c'));
        let hashes = self.text[self.at + 1..].iter().take_while(|byte| **byte == b'#').count();
        if self.peek(0) != b'r' || named || self.peek(1 + hashes) != b'"' {
            return self.take(1, To::Code);
        }
        self.take(1 + hashes, To::Code);
        let inside = self.string(Some(hashes)) - 1;
        self.take(1, To::Code);
        self.take(inside, To::Nowhere);
        self.take(1 + hashes, To::Code);
    }
}

fn is_one_char(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1)
}

/// Whether a byte can stand in an identifier.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Offsets at which `needle` stands as a whole word.
pub(super) fn words<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    let free = move |at: Option<usize>| !at.and_then(|at| bytes.get(at)).is_some_and(|byte| is_word(*byte));
    text.match_indices(needle)
        .map(|(at, _)| at)
        .filter(move |at| free(at.checked_sub(1)) && free(Some(at + needle.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::new("a.rs", text).code
    }

    #[test]
    fn comments_leave_the_code() {
        let source = Source::new("a.rs", "a /* { /* } */ */ b // {\nc");
        assert_eq!(source.code, "a                 b     \nc");
        assert_eq!(source.comments, "  /* { /* } */ */   // {\n ");
    }

    #[test]
    fn literals_are_blank_inside() {
        assert_eq!(code(r#"f("{\"}", '{', b'\'', '\u{7d}')"#), r#"f("    ", ' ', b'  ', '      ')"#);
        assert_eq!(code(r##"r#"{"}"# + br"\" + r#if"##), r##"r#"   "# + br" " + r#if"##);
        assert_eq!(code("fn f<'a>(x: &'a str) -> &'static str"), "fn f<'a>(x: &'a str) -> &'static str");
    }

    #[test]
    fn what_never_ends_is_cut_at_the_end() {
        for text in ["\"open", "r#\"open", "/* open", "'", "'\\", "// open"] {
            assert_eq!(code(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn a_word_is_not_part_of_another() {
        assert_eq!(words("fn fnord fn", "fn").collect::<Vec<_>>(), [0, 9]);
    }
}
