//! The marks of a walk over a snapshot, as bytes.
//!
//! ```text
//!   mask u64 | secret 192 | groups u32 | (header length u8 | header | keys u32)*         once
//!   ids u64* | checks u64* | bits u64* for each reading                                  written a piece at a time
//! ```
//! Little-endian. What frames it checks it; lengths are looked at all the same, as whoever reads must not panic.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Index;
use super::bitmap::Bitmap;
use super::index::Groups;
use super::keyed::Keyed;

/// Words read or written at a time.
const PIECE: usize = 4096;

/// How far a bitmap is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Written(usize);

impl Bitmap {
    /// Writes so many words from where it stands, the head before the first; where it stands then, `None` at the end.
    pub(crate) fn seal_some(
        &self,
        written: Written,
        words: usize,
        out: &mut dyn Write,
    ) -> io::Result<Option<Written>> {
        if written == Written::default() {
            self.seal_head(out)?;
        }
        let all = 2 * self.index().ids.len() + self.bits.iter().map(|bits| bits.len()).sum::<usize>();
        let end = written.0.saturating_add(words).min(all);
        let mut piece = Vec::with_capacity(PIECE * size_of::<u64>());
        let mut at = written.0;
        while at < end {
            let until = end.min(at + PIECE);
            piece.clear();
            (at..until).for_each(|at| piece.extend_from_slice(&self.word(at).to_le_bytes()));
            out.write_all(&piece)?;
            at = until;
        }
        Ok((end < all).then_some(Written(end)))
    }

    fn seal_head(&self, out: &mut dyn Write) -> io::Result<()> {
        let index = self.index();
        let (secret, mask) = index.keyed.parts();
        out.write_all(&mask.to_le_bytes())?;
        out.write_all(secret)?;
        let groups = index.groups();
        let short = |len: usize| u32::try_from(len).map_err(io::Error::other);
        out.write_all(&short(groups.len())?.to_le_bytes())?;
        for (header, keys) in groups {
            out.write_all(&[u8::try_from(header.len()).map_err(io::Error::other)?])?;
            out.write_all(&header)?;
            out.write_all(&keys.to_le_bytes())?;
        }
        Ok(())
    }

    fn word(&self, at: usize) -> u64 {
        let index = self.index();
        let keys = index.ids.len();
        if at < keys {
            return index.ids[at];
        }
        if at < 2 * keys {
            return index.checks[at - keys];
        }
        let words = self.bits[0].len();
        let at = at - 2 * keys;
        self.bits[at / words][at % words].load(Ordering::Relaxed)
    }

    /// What was written.
    pub(crate) fn unseal(from: &mut dyn Read) -> io::Result<Self> {
        let mut secret = Box::new([0; Keyed::SECRET]);
        let mask = u64::from_le_bytes(array(from)?);
        from.read_exact(secret.as_mut_slice())?;
        let keyed = Arc::new(Keyed::known(secret, mask));
        let mut groups: Groups = Vec::new();
        let mut keys = 0_u32;
        for _ in 0..u32::from_le_bytes(array(from)?) {
            let [len] = array(from)?;
            let mut header = vec![0; len.into()].into_boxed_slice();
            from.read_exact(&mut header)?;
            let of_it = u32::from_le_bytes(array(from)?);
            keys = keys.checked_add(of_it).ok_or_else(|| damaged("more keys than ordinals"))?;
            groups.push((header, of_it));
        }
        let ids = words(from, keys as usize)?;
        let checks = words(from, keys as usize)?;
        let mut first = 0;
        for (_, of_it) in &groups {
            let group = &ids[first..first + *of_it as usize];
            if !group.is_sorted() {
                return Err(damaged("keys out of order"));
            }
            first += group.len();
        }
        let bitmap = Self::new(Arc::new(Index::new(keyed, ids, checks, groups)));
        for bits in &bitmap.bits {
            let marked = words(from, bits.len())?;
            bits.iter().zip(marked).for_each(|(word, marked)| word.store(marked, Ordering::Relaxed));
        }
        Ok(bitmap)
    }
}

fn array<const N: usize>(from: &mut dyn Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// So many words. Room is made as they come: a length may lie.
fn words(from: &mut dyn Read, count: usize) -> io::Result<Vec<u64>> {
    let mut words = Vec::new();
    let mut piece = vec![0; PIECE * size_of::<u64>()];
    while words.len() < count {
        let now = PIECE.min(count - words.len());
        let bytes = &mut piece[..now * size_of::<u64>()];
        from.read_exact(bytes)?;
        let (whole, _) = bytes.as_chunks::<8>();
        words.extend(whole.iter().map(|word| u64::from_le_bytes(*word)));
    }
    Ok(words)
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use splitstore_domain::BlockKey;
    use splitstore_ports::Reading;

    use super::super::keyed::ID_BITS;
    use super::*;

    fn keys(count: u64) -> Vec<BlockKey> {
        let digest = |number: u64| splitstore_domain::digest::blake2b_256(&number.to_le_bytes());
        let key = |number| [[0xa0, 0xe4, 0x02, 0x20].as_slice(), digest(number).as_slice()].concat();
        let mut keys: Vec<Vec<u8>> = (0..count).map(key).collect();
        keys.sort();
        keys.iter().map(|key| BlockKey::from_bytes(key).unwrap()).collect()
    }

    fn bitmap(keys: &[BlockKey], bits: u32) -> Bitmap {
        let keyed = Arc::new(Keyed::random(bits));
        let shorts = keys.iter().map(|key| keyed.short(key.as_bytes()));
        let (ids, checks) = shorts.map(|short| (short.id, short.check)).unzip();
        let header: Box<[u8]> = [0xa0, 0xe4, 0x02, 0x20].into();
        let groups = vec![(header, u32::try_from(keys.len()).unwrap())];
        let bitmap = Bitmap::new(Arc::new(Index::new(keyed, ids, checks, groups)));
        for ordinal in (0..bitmap.index().len()).step_by(3) {
            bitmap.visit(ordinal, if ordinal % 2 == 0 { Reading::Dag } else { Reading::Opaque });
        }
        bitmap
    }

    fn sealed(bitmap: &Bitmap, words: usize) -> Vec<u8> {
        let (mut bytes, mut written) = (Vec::new(), Some(Written::default()));
        while let Some(from) = written {
            written = bitmap.seal_some(from, words, &mut bytes).unwrap();
        }
        bytes
    }

    #[test]
    fn what_was_written_in_pieces_of_any_size_is_read_back_mark_by_mark() {
        for (count, bits, piece) in [(0, 63, 1), (1, 63, 1), (700, ID_BITS, 64), (700, 8, usize::MAX)] {
            let keys = keys(count);
            let before = bitmap(&keys, bits);
            let bytes = sealed(&before, piece);
            let mut rest = bytes.as_slice();
            let after = Bitmap::unseal(&mut rest).unwrap();
            assert!(rest.is_empty(), "nothing is left over");
            assert_eq!(after.len(), before.len());
            for (key, ordinal) in keys.iter().zip(0..) {
                assert_eq!(after.find(key), Some(ordinal));
                assert!(after.readings(ordinal).eq(before.readings(ordinal)));
            }
        }
    }

    #[test]
    fn what_is_cut_is_an_error_wherever_it_is_cut() {
        let bytes = sealed(&bitmap(&keys(100), 63), 1000);
        for end in 0..bytes.len() {
            assert!(Bitmap::unseal(&mut &bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
