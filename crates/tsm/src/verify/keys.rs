//! Whether a key is one that `InfluxDB` writes. Bytes that are not can only come from damage, or from another program.
//!
//! ```text
//!   1.x, 2.x   measurement,tag=value,tag=value #!~# field       tags by their keys, ascending
//!   alpha      16 bytes,\x00=measurement,tag=value,\xff=field #!~# field     the field stands twice: both are equal
//! ```
//! Any bytes are a key to the format, so this is said of a file only where most of its keys have the form.

use super::finding::KEPT;
use super::{Finding, Report};
use crate::Fault;
use crate::cursor::IndexCursor;
use crate::layout::FIELD_SEPARATOR;
use crate::line::{find_unescaped, split_unescaped, unescaped};

const ALPHA_MEASUREMENT: &[u8] = b"\x00";
const ALPHA_FIELD: &[u8] = b"\xff";
/// Bytes of organisation and bucket.
const ALPHA_OWNER: usize = 16;

/// The keys of a file, by their form.
#[derive(Default)]
pub(super) struct KeyForms {
    formed: u64,
    others: u64,
    doubts: Vec<Finding>,
}

impl KeyForms {
    pub(super) fn look(&mut self, cursor: &IndexCursor) {
        let Err(what) = form(cursor.key()) else {
            self.formed += 1;
            return;
        };
        self.others += 1;
        if self.doubts.len() < KEPT {
            self.doubts.push(Finding { at: cursor.place(), fault: Fault::KeyForm { what } });
        }
    }

    /// Tells of the others, where they are few.
    pub(super) fn tell(self, report: &mut Report) {
        if self.formed > self.others {
            report.found += self.others.saturating_sub(self.doubts.len() as u64);
            self.doubts.into_iter().for_each(|finding| report.push(finding));
        }
    }
}

/// What a key has that no key of `InfluxDB` has.
fn form(key: &[u8]) -> Result<(), &'static str> {
    let at = key.windows(FIELD_SEPARATOR.len()).position(|window| window == FIELD_SEPARATOR);
    let at = at.ok_or("it has no `#!~#`")?;
    let (series, field) = (&key[..at], &key[at + FIELD_SEPARATOR.len()..]);
    let mut parts = split_unescaped(series, b',');
    let measurement = parts.next().unwrap_or_default();
    if measurement.is_empty() || field.is_empty() {
        return Err("its measurement or its field is empty");
    }
    let tags = parts.map(tag).collect::<Option<Vec<_>>>().ok_or("a tag is not KEY=VALUE")?;
    // `InfluxDB` sorts some keys with their escapes and some without.
    let plain = |pair: &[(&[u8], &[u8])]| !pair.iter().any(|(name, _)| name.contains(&b'\\'));
    if tags.windows(2).any(|pair| plain(pair) && pair[0].0 > pair[1].0) {
        return Err("its tags are not in order");
    }
    let alpha = |(name, _): &(&[u8], &[u8])| *name == ALPHA_MEASUREMENT || *name == ALPHA_FIELD;
    if tags.iter().any(alpha) { alpha_form(measurement, &tags, field) } else { Ok(()) }
}

fn tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = find_unescaped(text, b'=')?;
    (at > 0 && at + 1 < text.len()).then(|| (&text[..at], &text[at + 1..]))
}

fn alpha_form(owner: &[u8], tags: &[(&[u8], &[u8])], field: &[u8]) -> Result<(), &'static str> {
    if unescaped(owner).len() != ALPHA_OWNER {
        return Err("its organisation and bucket are not 16 bytes");
    }
    match (tags.first(), tags.last()) {
        (Some((first, _)), Some((last, twin))) if *first == ALPHA_MEASUREMENT && *last == ALPHA_FIELD => {
            if unescaped(twin) == field {
                Ok(())
            } else {
                Err("the field, which stands in it twice, differs")
            }
        }
        _ => Err("it has not both a measurement and a field among its tags"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_dialects_have_their_form_and_what_a_bit_makes_of_them_often_has_not() {
        let alpha = b"0123456789abcdef,\x00=disk,host=a,\xff=used\\ mb#!~#used mb";
        for key in [&b"m#!~#f"[..], b"cpu\\ x,host=a\\,b,zone=1#!~#f g", b"m,b\\ x=1,a=2#!~#f", alpha] {
            assert_eq!(form(key), Ok(()), "{}", key.escape_ascii());
        }
        for (key, said) in [
            (&b"m"[..], "no `#!~#`"),
            (b"#!~#f", "empty"),
            (b"m#!~#", "empty"),
            (b"m,host#!~#f", "not KEY=VALUE"),
            (b"m,host=#!~#f", "not KEY=VALUE"),
            (b"m,zone=1,host=a#!~#f", "not in order"),
            (b"0123456789abcdef,\x00=disk,host=a,\xff=used#!~#usee", "differs"),
            (b"0123456789abcde,\x00=disk,host=a,\xff=used#!~#used", "16 bytes"),
            (b"0123456789abcdef,\x01=disk,host=a,\xff=used#!~#used", "not both"),
        ] {
            assert!(form(key).is_err_and(|what| what.contains(said)), "{}", key.escape_ascii());
        }
    }
}
