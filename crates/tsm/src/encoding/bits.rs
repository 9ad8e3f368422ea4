//! Bit streams, most significant bit first, moved 64 bits at a time.

/// Appends bits to bytes.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Bits not yet in `out`, at the top.
    word: u64,
    /// How many; below 64.
    used: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, word: 0, used: 0 }
    }

    /// Appends the low `len` bits of `value`, 1 to 64. Higher bits must be zero.
    #[inline]
    pub(super) fn put(&mut self, value: u64, len: u32) {
        let free = 64 - self.used;
        if len < free {
            self.word |= value << (free - len);
            self.used += len;
            return;
        }
        let left = len - free;
        self.word |= value >> left;
        self.out.extend_from_slice(&self.word.to_be_bytes());
        self.word = if left == 0 { 0 } else { value << (64 - left) };
        self.used = left;
    }

    /// Pads with zeros to a whole byte.
    pub(super) fn finish(self) {
        let bytes = self.used.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.word.to_be_bytes()[..bytes]);
    }
}

/// Looks at bits anywhere; beyond the end there are zeros.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bits there are.
    pub(super) fn len(self) -> usize {
        self.bytes.len() * 8
    }

    /// The bits from `at` on, at the top of a word: at least 57 of them count.
    #[inline]
    pub(super) fn peek(self, at: usize) -> u64 {
        let (byte, bit) = (at / 8, at % 8);
        if let Some(word) = self.bytes.get(byte..).and_then(<[u8]>::first_chunk::<8>) {
            u64::from_be_bytes(*word) << bit
        } else {
            self.peek_end(byte) << bit
        }
    }

    /// `len` bits from `at` on, 1 to 64.
    #[inline]
    pub(super) fn read(self, at: usize, len: u32) -> u64 {
        if len <= 57 {
            return self.peek(at) >> (64 - len);
        }
        let high = self.peek(at) >> 32;
        let low = self.peek(at + 32) >> (96 - len);
        (high << (len - 32)) | low
    }

    #[cold]
    fn peek_end(self, byte: usize) -> u64 {
        let rest = self.bytes.get(byte..).unwrap_or_default();
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        u64::from_be_bytes(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_at_any_place_and_length() {
        let mut lengths: Vec<u32> = (1..=64).collect();
        lengths.extend((1..=64).rev());
        let value = |len: u32| 0xdead_beef_cafe_f00d_u64 >> (64 - len);
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        for len in &lengths {
            writer.put(value(*len), *len);
        }
        writer.finish();
        let bits = Bits::new(&out);
        let mut at = 0;
        for len in lengths {
            assert_eq!(bits.read(at, len), value(len), "{len} bits at {at}");
            at += len as usize;
        }
        assert_eq!(out.len(), at.div_ceil(8));
        assert_eq!((bits.read(bits.len(), 64), bits.peek(bits.len() + 99)), (0, 0));
    }
}
