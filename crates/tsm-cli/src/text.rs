//! Keys and buckets as text.

/// Organisation and bucket of 2.0 alpha.
pub(crate) type Owner = [u8; 16];

/// Which keys are meant: those of one bucket, or those that have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket(pub(crate) Option<Owner>);

/// Reads what `--bucket` takes.
pub(crate) fn bucket(text: &str) -> Result<Bucket, String> {
    if text == "none" {
        return Ok(Bucket(None));
    }
    let digits = text.len() == 2 * size_of::<Owner>() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    let number = number.ok_or("neither 32 hexadecimal digits nor `none`")?;
    Ok(Bucket(Some(number.to_be_bytes())))
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(owner) => write!(f, "{:032x}", u128::from_be_bytes(owner)),
            None => f.write_str("none"),
        }
    }
}

/// A key as `dump` shows it, as bytes. A backslash that begins no escape is one of the key's own.
pub(crate) fn unescaped(shown: &str) -> Vec<u8> {
    let (text, mut out, mut at) = (shown.as_bytes(), Vec::new(), 0);
    while at < text.len() {
        let (byte, len) = match &text[at..] {
            [b'\\', b'\\', ..] => (b'\\', 2),
            [b'\\', b'"', ..] => (b'"', 2),
            [b'\\', b'\'', ..] => (b'\'', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex(*high) << 4 | hex(*low), 4)
            }
            rest => (rest[0], 1),
        };
        out.push(byte);
        at += len;
    }
    out
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_as_it_is_shown_and_as_it_is() {
        for key in
            [&b"m#!~#f"[..], b"m\\ x,t=a\\,b#!~#f", b"\x05\xf6\x00\"',\n#!~#f", "m\u{e9}#!~#f".as_bytes()]
        {
            assert_eq!(unescaped(&key.escape_ascii().to_string()), key);
        }
        assert_eq!(unescaped("m\\ x,t=a\\,b#!~#f"), b"m\\ x,t=a\\,b#!~#f");
    }

    #[test]
    fn a_bucket_is_read_as_it_is_shown() {
        for text in ["none", "05f6b192cb220000" /* organisation */] {
            let said = bucket(&text.repeat(if text == "none" { 1 } else { 2 }));
            assert!(said.is_ok_and(|bucket| bucket.to_string().starts_with(text)), "{text}");
        }
        assert!(bucket("05f6").is_err() && bucket(&"g".repeat(32)).is_err());
    }
}
