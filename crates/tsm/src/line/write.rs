//! Line protocol out.

use std::io::{self, Write};

use super::key::KeyParts;
use crate::{Points, ValuesRef};

/// What all lines of a key begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLines {
    /// Series, a space, the field and `=`.
    head: Vec<u8>,
}

impl KeyLines {
    /// Of a key in a file; `None` if it has no field, so that no line can say it.
    pub fn of(key: &[u8]) -> Option<Self> {
        let KeyParts { series, field, .. } = KeyParts::of(key)?;
        let mut head = series.into_owned();
        head.push(b' ');
        for byte in field {
            if matches!(byte, b',' | b'=' | b' ') {
                head.push(b'\\');
            }
            head.push(*byte);
        }
        head.push(b'=');
        Some(Self { head })
    }
}

/// Writes a line for each point.
///
/// Infinities, which files may hold and line protocol cannot say, are written as `inf` and `-inf` behind a `#`: a
/// comment, so that what is read back is not another value.
pub fn write_points(out: &mut dyn Write, lines: &KeyLines, points: Points<'_>) -> io::Result<()> {
    let times = points.times.iter();
    match points.values {
        ValuesRef::Float(values) => {
            times.zip(values).try_for_each(|(time, value)| float(out, lines, *value, *time))
        }
        ValuesRef::Integer(values) => times.zip(values).try_for_each(|(time, value)| {
            out.write_all(&lines.head)?;
            writeln!(out, "{value}i {time}")
        }),
        ValuesRef::Unsigned(values) => times.zip(values).try_for_each(|(time, value)| {
            out.write_all(&lines.head)?;
            writeln!(out, "{value}u {time}")
        }),
        ValuesRef::Boolean(values) => times.zip(values).try_for_each(|(time, value)| {
            out.write_all(&lines.head)?;
            writeln!(out, "{value} {time}")
        }),
        ValuesRef::String(values) => times.zip(values.iter()).try_for_each(|(time, value)| {
            out.write_all(&lines.head)?;
            string(out, value)?;
            writeln!(out, " {time}")
        }),
    }
}

fn float(out: &mut dyn Write, lines: &KeyLines, value: f64, time: i64) -> io::Result<()> {
    if !value.is_finite() {
        out.write_all(b"# ")?;
    }
    out.write_all(&lines.head)?;
    // The shortest text that reads back as the same bits.
    writeln!(out, "{value} {time}")
}

fn string(out: &mut dyn Write, value: &[u8]) -> io::Result<()> {
    out.write_all(b"\"")?;
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.write_all(b"\\")?;
        }
        out.write_all(&[*byte])?;
    }
    out.write_all(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{FieldValue, parse};
    use crate::{Column, Values};

    fn written(key: &[u8], times: Vec<i64>, values: Values) -> String {
        let mut out = Vec::new();
        let column = Column::new(times, values).unwrap();
        write_points(&mut out, &KeyLines::of(key).unwrap(), column.points()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same_point() {
        let key = br"cpu\ load,host=a\,b#!~#user time";
        let floats = vec![1.0, -0.0, 1e300, f64::MIN_POSITIVE / 2.0, 0.1 + 0.2];
        let text = written(key, (0..5).collect(), Values::Float(floats.clone()));
        for (index, line) in text.lines().enumerate() {
            let line = parse(line.as_bytes()).unwrap().unwrap();
            let (found, FieldValue::Float(value)) = &line.fields[0] else { panic!("{line:?}") };
            assert_eq!((found.as_slice(), line.time), (key.as_slice(), i64::try_from(index).ok()));
            assert_eq!(value.to_bits(), floats[index].to_bits());
        }
    }

    #[test]
    fn each_type_has_its_own_form() {
        let strings = [r#"a "b" \"#].into_iter().collect();
        assert_eq!(written(b"m#!~#f", vec![5], Values::String(strings)), "m f=\"a \\\"b\\\" \\\\\" 5\n");
        assert_eq!(written(b"m#!~#f", vec![5], Values::Integer(vec![-3])), "m f=-3i 5\n");
        assert_eq!(written(b"m#!~#f", vec![-5], Values::Unsigned(vec![3])), "m f=3u -5\n");
        assert_eq!(written(b"m#!~#f", vec![5], Values::Boolean(vec![true])), "m f=true 5\n");
        assert_eq!(written(b"m#!~#f", vec![5], Values::Float(vec![f64::INFINITY])), "# m f=inf 5\n");
    }
}
