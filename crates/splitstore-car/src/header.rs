//! The header of a CAR: DAG-CBOR `{roots: [CID..], version: 1}`, or of a `CARv2` the pragma `{version: 2}`.
//!
//! ```text
//!   3c             varint: 60 bytes follow
//!   a2             map of 2
//!   65 "roots"     81 d8 2a 58 27 00 <CID>    array of 1: tag 42, 39 bytes, 0x00 and the CID
//!   67 "version"   01
//! ```
//!
//! Zero roots are taken, though the `CARv1` text asks for one or more: go-car and others read and write
//! such archives. Keys may come in either order; a key that is unknown or there twice is refused.

use cid::Cid;

use crate::cbor::{Cbor, Major, TAG_CID, put_argument};
use crate::error::{At, CarError, Result};
use crate::limits::Limits;
use crate::stream::Stream;

/// What a header says.
#[derive(Debug)]
pub(crate) enum Header {
    /// `CARv1` with its roots.
    V1(Vec<Cid>),
    /// The pragma of a `CARv2`.
    V2,
}

impl Header {
    /// Reads the header at the stream's place.
    pub(crate) fn read(stream: &mut Stream, limits: &Limits) -> Result<Self> {
        let at = stream.at();
        let len = stream.varint(WHAT)?.ok_or_else(|| truncated(&at))?;
        if len > limits.header_bytes_max {
            let limit = limits.header_bytes_max;
            return Err(CarError::TooLarge { at, what: "header bytes", limit, found: len });
        }
        let mut bytes = Vec::new();
        stream.read_into(&mut bytes, len, WHAT, at.offset)?;
        let found = Fields::parse(&bytes, limits, &at)?;
        found.judge(at)
    }
}

const WHAT: &str = "the header";

fn truncated(at: &At) -> CarError {
    CarError::Truncated { at: at.clone(), what: WHAT, began: at.offset }
}

/// The fields of the map, each at most once.
#[derive(Default)]
struct Fields {
    roots: Option<Vec<Cid>>,
    version: Option<u64>,
}

impl Fields {
    fn parse(bytes: &[u8], limits: &Limits, at: &At) -> Result<Self> {
        let bad = |reason| CarError::BadHeader { at: at.clone(), reason };
        let mut cbor = Cbor::new(bytes);
        let mut fields = Self::default();
        // A field met twice is refused below, so this loop runs at most three times.
        for _ in 0..cbor.argument(Major::Map).map_err(bad)? {
            match cbor.string(Major::Text).map_err(bad)? {
                b"roots" if fields.roots.is_none() => {
                    fields.roots = Some(read_roots(&mut cbor, limits, at)?);
                }
                b"version" if fields.version.is_none() => {
                    fields.version = Some(cbor.argument(Major::Unsigned).map_err(bad)?);
                }
                _ => return Err(bad("a field is there twice, or is neither roots nor version")),
            }
        }
        if cbor.is_at_end() { Ok(fields) } else { Err(bad("bytes follow the map")) }
    }

    fn judge(self, at: At) -> Result<Header> {
        let bad = |at, reason| Err(CarError::BadHeader { at, reason });
        match (self.version, self.roots) {
            (None, _) => bad(at, "no version"),
            (Some(1), Some(roots)) => Ok(Header::V1(roots)),
            (Some(1), None) => bad(at, "no roots"),
            (Some(2), None) => Ok(Header::V2),
            (Some(2), Some(_)) => bad(at, "version 2 with roots"),
            (Some(version), _) => Err(CarError::UnsupportedVersion { at, version }),
        }
    }
}

fn read_roots(cbor: &mut Cbor<'_>, limits: &Limits, at: &At) -> Result<Vec<Cid>> {
    let bad = |reason| CarError::BadHeader { at: at.clone(), reason };
    let found = cbor.argument(Major::Array).map_err(bad)?;
    if found > limits.roots_max {
        let limit = limits.roots_max;
        return Err(CarError::TooLarge { at: at.clone(), what: "roots", limit, found });
    }
    (0..found).map(|_| cbor.link().map_err(bad)).collect()
}

/// The DAG-CBOR of a `CARv1` header, without the length before it.
pub(crate) fn encode(roots: &[Cid]) -> Vec<u8> {
    let mut out = Vec::new();
    put_argument(&mut out, Major::Map, 2);
    put_text(&mut out, "roots");
    put_argument(&mut out, Major::Array, roots.len() as u64);
    for root in roots {
        let bytes = root.to_bytes();
        put_argument(&mut out, Major::Tag, TAG_CID);
        put_argument(&mut out, Major::Bytes, bytes.len() as u64 + 1);
        out.push(0);
        out.extend_from_slice(&bytes);
    }
    put_text(&mut out, "version");
    put_argument(&mut out, Major::Unsigned, 1);
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_argument(out, Major::Text, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
