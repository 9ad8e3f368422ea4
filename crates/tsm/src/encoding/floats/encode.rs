//! Floats to a section.

use super::super::{Nans, bits::BitWriter, tag};
use super::{END, LEAD_BITS, LEN_BITS};
use crate::Refusal;

/// Appends the section of `values`. What it refuses leaves `out` as it was.
pub fn encode(values: &[f64], nans: Nans, out: &mut Vec<u8>) -> Result<(), Refusal> {
    if let Some(index) = values.iter().position(|value| refused(value.to_bits(), nans)) {
        return Err(Refusal::Nan { index, bits: values[index].to_bits() });
    }
    out.push(tag::GORILLA);
    let mut writer = BitWriter::new(out);
    let (first, rest) = values.split_first().map_or((END, values), |(first, rest)| (first.to_bits(), rest));
    writer.put(first, 64);
    let mut stream = Stream { writer, before: first, window: None };
    for value in rest {
        stream.push(value.to_bits());
    }
    if !values.is_empty() {
        stream.push(END);
    }
    stream.writer.finish();
    Ok(())
}

/// A NaN has all bits of the exponent and one of the fraction.
#[inline]
fn refused(bits: u64, nans: Nans) -> bool {
    match nans {
        Nans::Refuse => bits & (u64::MAX >> 1) > 0x7ff0_0000_0000_0000,
        Nans::Keep => bits == END,
    }
}

struct Stream<'a> {
    writer: BitWriter<'a>,
    before: u64,
    window: Option<Window>,
}

/// Where the bits that differ are.
#[derive(Clone, Copy)]
struct Window {
    lead: u32,
    trail: u32,
    len: u32,
}

impl Stream<'_> {
    #[inline]
    fn push(&mut self, bits: u64) {
        let x = bits ^ self.before;
        self.before = bits;
        if x == 0 {
            return self.writer.put(0, 1);
        }
        let (lead, trail) = (x.leading_zeros() % 32, x.trailing_zeros());
        match self.window {
            Some(window) if lead >= window.lead && trail >= window.trail => self.within(window, x),
            _ => self.open(Window { lead, trail, len: 64 - lead - trail }, x),
        }
    }

    #[inline]
    fn within(&mut self, window: Window, x: u64) {
        if window.len <= 62 {
            self.writer.put((0b10 << window.len) | (x >> window.trail), window.len + 2);
        } else {
            self.writer.put(0b10, 2);
            self.writer.put(x >> window.trail, window.len);
        }
    }

    #[inline]
    fn open(&mut self, window: Window, x: u64) {
        let head = (0b11 << (LEAD_BITS + LEN_BITS)) | (window.lead << LEN_BITS) | (window.len % 64);
        self.writer.put(u64::from(head), 2 + LEAD_BITS + LEN_BITS);
        self.writer.put(x >> window.trail, window.len);
        self.window = Some(window);
    }
}
