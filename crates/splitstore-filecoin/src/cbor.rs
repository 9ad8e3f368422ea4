//! Reads the items of a header off a slice: strict, without recursion, without copies.
//!
//! A header is a fixed grammar, so nothing nests deeper than the grammar does. Every error carries the field
//! that was announced with [`Reader::at`] and the offset of the item at fault.

use cid::Cid;
use splitstore_domain::links::Link;

use crate::{HeaderError, HeaderFault, Kind};

const TAG_CID: u64 = 42;
const NULL: u8 = 0xf6;
/// The longest list that Filecoin's own decoder (cbor-gen) takes.
const LIST_MAX: u64 = 8192;

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    field: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, field: "header" }
    }

    /// Names the field that is read next.
    pub(crate) const fn at(&mut self, field: &'static str) -> &mut Self {
        self.field = field;
        self
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, HeaderError> {
        self.expect(Kind::Unsigned)
    }

    /// An integer of either sign, which is not kept.
    pub(crate) fn skip_integer(&mut self) -> Result<(), HeaderError> {
        let start = self.offset;
        match self.item()? {
            (Kind::Unsigned | Kind::Negative, _) => Ok(()),
            (found, _) => Err(self.wrong_type(start, Kind::Unsigned, found)),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], HeaderError> {
        let start = self.offset;
        let len = self.expect(Kind::Bytes)?;
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        let taken = taken.ok_or_else(|| self.error(start, HeaderFault::Truncated))?;
        self.offset += taken.len();
        Ok(taken)
    }

    /// An array of exactly `len` items; the items are still to be read.
    pub(crate) fn tuple(&mut self, len: u64) -> Result<(), HeaderError> {
        let start = self.offset;
        let found = self.expect(Kind::Array)?;
        if found == len {
            return Ok(());
        }
        Err(self.error(start, HeaderFault::WrongLength { expected: len, found }))
    }

    /// An array of items that `read` reads.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, HeaderError>,
    ) -> Result<Vec<T>, HeaderError> {
        let start = self.offset;
        let found = self.expect(Kind::Array)?;
        if found > LIST_MAX {
            return Err(self.error(start, HeaderFault::WrongLength { expected: LIST_MAX, found }));
        }
        (0..found).map(|_| read(self)).collect()
    }

    /// `None` for null, else what `read` reads.
    pub(crate) fn nullable<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, HeaderError>,
    ) -> Result<Option<T>, HeaderError> {
        if self.bytes.get(self.offset) == Some(&NULL) {
            self.offset += 1;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// A link: tag 42 around the byte string `00 | binary CID`.
    pub(crate) fn link(&mut self) -> Result<Cid, HeaderError> {
        let start = self.offset;
        let tag = self.expect(Kind::Tag)?;
        let bad = self.error(start, HeaderFault::BadCid);
        if tag != TAG_CID {
            return Err(bad);
        }
        let link = self.bytes()?.strip_prefix(&[0]).and_then(Link::parse);
        link.map(|link| link.cid()).ok_or(bad)
    }

    /// Succeeds when everything was read.
    pub(crate) fn end(&mut self) -> Result<(), HeaderError> {
        let offset = self.offset;
        if offset == self.bytes.len() {
            return Ok(());
        }
        Err(self.at("header").error(offset, HeaderFault::Trailing))
    }

    /// An error about the item at `offset` of the announced field.
    pub(crate) const fn error(&self, offset: usize, fault: HeaderFault) -> HeaderError {
        HeaderError { field: self.field, offset, fault }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    fn expect(&mut self, expected: Kind) -> Result<u64, HeaderError> {
        let start = self.offset;
        match self.item()? {
            (found, value) if found == expected => Ok(value),
            (found, _) => Err(self.wrong_type(start, expected, found)),
        }
    }

    const fn wrong_type(&self, offset: usize, expected: Kind, found: Kind) -> HeaderError {
        self.error(offset, HeaderFault::WrongType { expected, found })
    }

    /// The type and the argument of the next item.
    fn item(&mut self) -> Result<(Kind, u64), HeaderError> {
        let start = self.offset;
        let [first] = self.array(start)?;
        let (value, lowest) = match first & 0x1f {
            small @ 0..=23 => (u64::from(small), 0),
            24 => (u64::from(u8::from_be_bytes(self.array(start)?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.array(start)?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array(start)?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array(start)?), 1 << 32),
            _ => return Err(self.error(start, HeaderFault::BadItem)),
        };
        let kind = Kind::of(first >> 5);
        // The argument of a simple value may be a float: it has no shortest form.
        if value < lowest && kind != Kind::Simple {
            return Err(self.error(start, HeaderFault::NotShortest));
        }
        Ok((kind, value))
    }

    fn array<const N: usize>(&mut self, start: usize) -> Result<[u8; N], HeaderError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let bytes = rest.first_chunk().ok_or_else(|| self.error(start, HeaderFault::Truncated))?;
        self.offset += N;
        Ok(*bytes)
    }
}
