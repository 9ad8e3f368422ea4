//! A column of byte strings in one buffer: no allocation per string.
//!
//! ```text
//!   bytes  | h e l l o | w o r l d | ! |         ends  | 5 | 10 | 11 |
//! ```
//! `InfluxDB` calls them strings; nothing checks that they are UTF-8.

use std::ops::Range;

/// Byte strings, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Some consecutive strings of a column.
#[derive(Debug, Clone, Copy)]
pub struct StringsRef<'a> {
    /// The whole buffer; ends count from its start.
    bytes: &'a [u8],
    /// Where the first string starts.
    start: usize,
    ends: &'a [usize],
}

impl Strings {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all together.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// One string. Panics, as a slice does, if there is none at `index`.
    pub fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.start(index)..self.ends[index]]
    }

    /// All strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.slice(0..self.len()).iter()
    }

    /// Appends one.
    pub fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len());
    }

    /// Appends some of another column.
    pub fn extend_from(&mut self, other: &Self, range: Range<usize>) {
        let (start, end) = (other.start(range.start), other.start(range.end));
        let shift = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes[start..end]);
        self.ends.extend(other.ends[range].iter().map(|end| end - start + shift));
    }

    /// Removes some; what follows moves up.
    pub fn remove(&mut self, range: Range<usize>) {
        let (start, end) = (self.start(range.start), self.start(range.end));
        self.bytes.drain(start..end);
        self.ends.drain(range.clone());
        for later in &mut self.ends[range.start..] {
            *later -= end - start;
        }
    }

    /// Keeps the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.bytes.truncate(self.start(self.ends.len()));
    }

    /// Removes all and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Some of them, borrowed.
    pub fn slice(&self, range: Range<usize>) -> StringsRef<'_> {
        StringsRef { bytes: &self.bytes, start: self.start(range.start), ends: &self.ends[range] }
    }

    pub(crate) fn reserve(&mut self, strings: usize, bytes: usize) {
        self.ends.reserve(strings);
        self.bytes.reserve(bytes);
    }

    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] }
    }
}

impl<'a> StringsRef<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Some of them.
    pub fn slice(self, range: Range<usize>) -> StringsRef<'a> {
        let start = if range.start == 0 { self.start } else { self.ends[range.start - 1] };
        StringsRef { bytes: self.bytes, start, ends: &self.ends[range] }
    }

    /// All in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let Self { bytes, start, ends } = *self;
        let mut from = start;
        ends.iter().map(move |end| &bytes[std::mem::replace(&mut from, *end)..*end])
    }
}

impl<S: AsRef<[u8]>> FromIterator<S> for Strings {
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Self {
        let mut all = Self::default();
        strings.into_iter().for_each(|string| all.push(string.as_ref()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Strings {
        text.split(',').collect()
    }

    #[test]
    fn pieces_move_between_columns() {
        let mut all = strings("a,bb,,ccc");
        assert_eq!((all.len(), all.byte_len(), all.get(1), all.get(2)), (4, 6, &b"bb"[..], &b""[..]));
        all.extend_from(&strings("x,yy,zzz"), 1..3);
        assert_eq!(all, strings("a,bb,,ccc,yy,zzz"));
        all.remove(1..4);
        assert_eq!(all, strings("a,yy,zzz"));
        assert_eq!(all.slice(1..3).iter().collect::<Vec<_>>(), [b"yy".as_slice(), b"zzz"]);
        all.truncate(1);
        assert_eq!(all, strings("a"));
        all.clear();
        assert!(all.is_empty() && all.slice(0..0).is_empty());
    }
}
