//! The bytes of a sealed set.
//!
//! ```text
//!   0    kind      u8      'e' exact, 'r' roaring, 'b' bloom, 'd' disk
//!   1    version   u8      1
//!   2    again     u8      the version's complement: a damaged version does not pass for a newer one
//!   3    secret    192     of the fingerprints
//!   195  body              lists: (count u32 > 0 | count words)* | 0 u32 | words in all u64
//!   end  checksum  u64     XXH3 of everything before it
//! ```
//! Little-endian. A list says its length twice, piece by piece and at its end, instead of once in front: a set
//! may be marked while it is sealed, and nobody has to be stopped to count it. Cut input, an altered byte and
//! another kind are all seen; who can forge the checksum can forge the set: the bytes are trusted like the
//! store's own. Nothing is read beyond the checksum.

use std::error::Error;
use std::io::{self, BufWriter, Read, Write};

use splitstore_ports::{ErrorKind, PortError, Result};
use xxhash_rust::xxh3::Xxh3Default;

use crate::fingerprint::{Fingerprinter, SECRET_BYTES};

const VERSION: u8 = 1;

/// Words per piece of a list; also what a reader allocates at most on the word of its input.
const PIECE_WORDS: usize = 4096;

/// Whose payload it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    #[cfg(feature = "exact")]
    Exact,
    #[cfg(feature = "roaring")]
    Roaring,
    #[cfg(feature = "bloom")]
    Bloom,
    #[cfg(all(feature = "disk", unix))]
    Disk,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            #[cfg(feature = "exact")]
            Self::Exact => b'e',
            #[cfg(feature = "roaring")]
            Self::Roaring => b'r',
            #[cfg(feature = "bloom")]
            Self::Bloom => b'b',
            #[cfg(all(feature = "disk", unix))]
            Self::Disk => b'd',
        }
    }

    /// Whether a set of this kind can be made from a payload that begins with this byte. The two exact kinds hold
    /// the same, so a store may change from one to the other while a run is sealed.
    fn reads(self, found: u8) -> bool {
        let exact = |byte| matches!(byte, b'e' | b'd');
        found == self.byte() || (exact(found) && exact(self.byte()))
    }

    /// The word of [`splitstore_ports::MarkSetFactory::name`].
    pub(crate) const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "exact")]
            Self::Exact => "exact",
            #[cfg(feature = "roaring")]
            Self::Roaring => "roaring",
            #[cfg(feature = "bloom")]
            Self::Bloom => "bloom",
            #[cfg(all(feature = "disk", unix))]
            Self::Disk => "disk",
        }
    }

    fn seal_phrase(self) -> String {
        format!("seal the {} mark set", self.name())
    }

    fn recover_phrase(self) -> String {
        format!("recover the {} mark set", self.name())
    }
}

/// Why a payload was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SealedError {
    #[error("the payload is of kind 0x{found:02x}, not 0x{expected:02x}")]
    Kind { expected: u8, found: u8 },
    #[error("the payload has version {found}, known is {VERSION}")]
    Version { found: u8 },
    #[error("a list of {found} words says that it has {said}")]
    Count { said: u64, found: u64 },
    #[error("a piece of {count} words, {PIECE_WORDS} are allowed")]
    Piece { count: u32 },
    #[error("the checksum is {found:016x}, the payload says {said:016x}")]
    Checksum { said: u64, found: u64 },
    #[cfg(any(feature = "roaring", feature = "bloom"))]
    #[error("{what}: {value}")]
    Value { what: &'static str, value: u64 },
}

/// A fixed-size piece of a list: a fingerprint of 64 or 128 bits, or a word of a bitmap.
pub(crate) trait Word: Sized {
    const BYTES: usize;
    fn put(&self, out: &mut Vec<u8>);
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! word {
    ($int:ty) => {
        impl Word for $int {
            const BYTES: usize = size_of::<$int>();

            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn get(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("a list is cut into whole words"))
            }
        }
    };
}
#[cfg(feature = "roaring")]
word!(u8);
word!(u64);
#[cfg(any(feature = "exact", all(feature = "disk", unix)))]
word!(u128);

/// Writes one payload.
pub(crate) struct SealWriter<'a> {
    out: BufWriter<&'a mut dyn Write>,
    hash: Xxh3Default,
    kind: Kind,
}

impl<'a> SealWriter<'a> {
    /// Writes the head.
    pub(crate) fn start(out: &'a mut dyn Write, kind: Kind, keys: &Fingerprinter) -> Result<Self> {
        let mut writer = Self { out: BufWriter::new(out), hash: Xxh3Default::new(), kind };
        writer.bytes(&[kind.byte(), VERSION, !VERSION])?;
        writer.bytes(keys.secret())?;
        Ok(writer)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes).map_err(|source| PortError::io(self.kind.seal_phrase(), source))
    }

    /// An error on the way to this payload.
    #[cfg(feature = "roaring")]
    pub(crate) fn attempt(&self, source: io::Error) -> PortError {
        PortError::io(self.kind.seal_phrase(), source)
    }

    /// Writes one number.
    #[cfg(feature = "bloom")]
    pub(crate) fn number(&mut self, number: u64) -> Result<()> {
        self.bytes(&number.to_le_bytes())
    }

    /// Writes a list that comes in any number of parts and may fail to.
    pub(crate) fn list<W: Word>(&mut self, words: impl IntoIterator<Item = Result<W>>) -> Result<()> {
        let mut piece = Vec::with_capacity(PIECE_WORDS * W::BYTES);
        let mut total = 0;
        for word in words {
            word?.put(&mut piece);
            if piece.len() == PIECE_WORDS * W::BYTES {
                total += self.piece::<W>(&mut piece)?;
            }
        }
        if !piece.is_empty() {
            total += self.piece::<W>(&mut piece)?;
        }
        self.bytes(&0_u32.to_le_bytes())?;
        self.bytes(&total.to_le_bytes())
    }

    fn piece<W: Word>(&mut self, piece: &mut Vec<u8>) -> Result<u64> {
        let count = u32::try_from(piece.len() / W::BYTES).expect("a piece has at most 4096 words");
        self.bytes(&count.to_le_bytes())?;
        self.bytes(piece)?;
        piece.clear();
        Ok(count.into())
    }

    /// Writes the checksum.
    pub(crate) fn finish(mut self) -> Result<()> {
        let checksum = self.hash.digest();
        self.bytes(&checksum.to_le_bytes())?;
        self.out.flush().map_err(|source| PortError::io(self.kind.seal_phrase(), source))
    }
}

/// Reads one payload.
pub(crate) struct SealReader<'a> {
    from: &'a mut dyn Read,
    hash: Xxh3Default,
    kind: Kind,
}

impl<'a> SealReader<'a> {
    /// Reads the head.
    pub(crate) fn start(from: &'a mut dyn Read, kind: Kind) -> Result<(Self, Fingerprinter)> {
        let mut reader = Self { from, hash: Xxh3Default::new(), kind };
        let mut head = [0; 3];
        reader.bytes(&mut head)?;
        let [found, version, again] = head;
        if !kind.reads(found) {
            return Err(reader.refuse(SealedError::Kind { expected: kind.byte(), found }));
        }
        if version == 0 || version != !again {
            return Err(reader.refuse(SealedError::Version { found: version }));
        }
        if version > VERSION {
            let source = SealedError::Version { found: version };
            return Err(PortError::new(ErrorKind::TooNew, kind.recover_phrase(), source));
        }
        let mut secret = [0; SECRET_BYTES];
        reader.bytes(&mut secret)?;
        Ok((reader, Fingerprinter::known(secret)))
    }

    /// A `Corrupt` error about this payload.
    pub(crate) fn refuse(&self, why: impl Into<Box<dyn Error + Send + Sync>>) -> PortError {
        PortError::new(ErrorKind::Corrupt, self.kind.recover_phrase(), why)
    }

    fn bytes(&mut self, bytes: &mut [u8]) -> Result<()> {
        let attempt = |source: io::Error| PortError::io(self.kind.recover_phrase(), source);
        self.from.read_exact(bytes).map_err(attempt)?;
        self.hash.update(bytes);
        Ok(())
    }

    /// Reads one number.
    pub(crate) fn number(&mut self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads a list, word by word; returns how many there were.
    pub(crate) fn list<W: Word>(&mut self, mut take: impl FnMut(W) -> Result<()>) -> Result<u64> {
        let mut piece = vec![0; PIECE_WORDS * W::BYTES];
        let mut found: u64 = 0;
        loop {
            let mut count = [0; 4];
            self.bytes(&mut count)?;
            let count = u32::from_le_bytes(count);
            if count == 0 {
                break;
            }
            let words = usize::try_from(count).unwrap_or(usize::MAX);
            let Some(bytes) = piece.get_mut(..words.saturating_mul(W::BYTES)) else {
                return Err(self.refuse(SealedError::Piece { count }));
            };
            self.bytes(bytes)?;
            bytes.chunks_exact(W::BYTES).try_for_each(|word| take(W::get(word)))?;
            found += u64::from(count);
        }
        let said = self.number()?;
        if said == found { Ok(found) } else { Err(self.refuse(SealedError::Count { said, found })) }
    }

    /// Compares the checksum.
    pub(crate) fn finish(mut self) -> Result<()> {
        let found = self.hash.digest();
        let said = self.number()?;
        if said == found { Ok(()) } else { Err(self.refuse(SealedError::Checksum { said, found })) }
    }
}
