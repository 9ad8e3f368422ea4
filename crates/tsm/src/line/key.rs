//! Keys of files, apart: series and field, in both dialects.

use std::borrow::Cow;

use crate::layout::FIELD_SEPARATOR;

/// Bytes of organisation and bucket before an alpha key, not counting escapes.
const OWNER_LEN: usize = 16;
/// Tag keys under which alpha keeps the measurement and the field.
const ALPHA_MEASUREMENT: &[u8] = b"\x00=";
const ALPHA_FIELD: &[u8] = b"\xff=";

/// A key, apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyParts<'a> {
    /// Organisation and bucket, in a key of alpha.
    pub owner: Option<[u8; OWNER_LEN]>,
    /// Measurement and tags as in line protocol, escapes and all.
    pub series: Cow<'a, [u8]>,
    /// The field, without escapes.
    pub field: &'a [u8],
}

impl<'a> KeyParts<'a> {
    /// Takes a key apart; `None` if it has no field.
    pub fn of(key: &'a [u8]) -> Option<Self> {
        let at = key.windows(FIELD_SEPARATOR.len()).position(|window| window == FIELD_SEPARATOR)?;
        let (series, field) = (&key[..at], &key[at + FIELD_SEPARATOR.len()..]);
        let (owner, series) = match alpha_series(series) {
            Some((owner, series)) => (Some(owner), Cow::Owned(series)),
            None => (None, Cow::Borrowed(series)),
        };
        (!series.is_empty() && !field.is_empty()).then_some(Self { owner, series, field })
    }
}

/// The key of a field of a series; `None` if whoever reads it would part it elsewhere.
pub(super) fn join(series: &[u8], field: &[u8]) -> Option<Vec<u8>> {
    let key = [series, FIELD_SEPARATOR, field].concat();
    let parted = key.windows(FIELD_SEPARATOR.len()).position(|window| window == FIELD_SEPARATOR);
    (parted == Some(series.len())).then_some(key)
}

/// An alpha series in the form of line protocol, its owner apart: the measurement comes first.
fn alpha_series(series: &[u8]) -> Option<([u8; OWNER_LEN], Vec<u8>)> {
    let mut parts = split_unescaped(series, b',');
    let owner = unescaped(parts.next()?).try_into().ok()?;
    let mut out = parts.next()?.strip_prefix(ALPHA_MEASUREMENT)?.to_vec();
    for tag in parts.filter(|tag| !tag.starts_with(ALPHA_FIELD)) {
        out.push(b',');
        out.extend_from_slice(tag);
    }
    Some((owner, out))
}

/// Without the backslashes that line protocol puts into names.
pub(crate) fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.iter().peekable();
    while let Some(byte) = bytes.next() {
        let escapes =
            *byte == b'\\' && bytes.peek().is_some_and(|next| matches!(next, b',' | b'=' | b' ' | b'\\'));
        out.push(if escapes { *bytes.next().expect("just seen") } else { *byte });
    }
    out
}

/// Parts between a byte that no backslash stands before.
pub(crate) fn split_unescaped(bytes: &[u8], at: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        match find_unescaped(bytes, at) {
            Some(end) => {
                rest = Some(&bytes[end + 1..]);
                Some(&bytes[..end])
            }
            None => rest.take(),
        }
    })
}

/// Where a byte is that no backslash stands before.
pub(crate) fn find_unescaped(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == wanted => return Some(at),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(key: &[u8]) -> Option<(Vec<u8>, &[u8])> {
        KeyParts::of(key).map(|parts| (parts.series.into_owned(), parts.field))
    }

    #[test]
    fn a_key_falls_into_series_and_field() {
        let series = b"cpu\\ load,host=a\\,b".to_vec();
        assert_eq!(parts(b"cpu\\ load,host=a\\,b#!~#user time"), Some((series, b"user time".as_slice())));
        assert_eq!(parts(b"no field"), None);
        assert_eq!(parts(b"#!~#f"), None);
        assert_eq!(parts(b"m#!~#"), None);
    }

    #[test]
    fn an_alpha_key_loses_its_owner_and_its_own_tags() {
        let key = b"\x05\x9c\xd2\x22\x15\x1e\x40\x00\x06\x05\\,1\x20\x00\x00\x00,\x00=disk,host=a,\xff=free#!~#free";
        // The owner holds a comma, and a space that alpha would escape.
        let key = key.iter().flat_map(|byte| if *byte == b' ' { vec![b'\\', b' '] } else { vec![*byte] });
        let key: Vec<u8> = key.collect();
        assert_eq!(parts(&key), Some((b"disk,host=a".to_vec(), b"free".as_slice())));
    }

    #[test]
    fn a_measurement_of_sixteen_bytes_is_no_owner() {
        assert_eq!(parts(b"0123456789abcdef,host=a#!~#f").unwrap().0, b"0123456789abcdef,host=a");
    }
}
