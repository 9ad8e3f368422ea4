//! A CID at the front of a slice.
//!
//! ```text
//!   CIDv0: 12 20 digest[32]
//!   CIDv1: 01 varint(codec) varint(hash code) varint(digest length) digest
//! ```
//!
//! Stricter than the `cid` crate's reader: varints are minimal and at most 9 bytes, so that one CID has
//! one encoding.

use cid::{Cid, multihash::Multihash};

use crate::varint::Varint;

/// Longest digest taken in bytes; identity included. It is the capacity of [`Cid`].
const DIGEST_BYTES_MAX: usize = 64;

/// Longest encoding of a CID in bytes: version, three varints, digest.
pub(crate) const CID_BYTES_MAX: usize = 1 + 3 * 9 + DIGEST_BYTES_MAX;

/// Takes the CID at the front of `bytes`; gives it and the rest, or the reason why there is none.
pub(crate) fn split(bytes: &[u8]) -> Result<(Cid, &[u8]), &'static str> {
    if bytes.starts_with(&[0x12, 0x20]) {
        let (hash, rest) = multihash(bytes)?;
        let cid = Cid::new_v0(hash).map_err(|_| "malformed CIDv0")?;
        return Ok((cid, rest));
    }
    let (version, rest) = varint(bytes)?;
    if version != 1 {
        return Err("CID version is neither 0 nor 1");
    }
    let (codec, rest) = varint(rest)?;
    let (hash, rest) = multihash(rest)?;
    Ok((Cid::new_v1(codec, hash), rest))
}

fn multihash(bytes: &[u8]) -> Result<(Multihash<DIGEST_BYTES_MAX>, &[u8]), &'static str> {
    let (code, rest) = varint(bytes)?;
    let (len, rest) = varint(rest)?;
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len > DIGEST_BYTES_MAX {
        return Err("digest is longer than 64 bytes");
    }
    let (digest, rest) = rest.split_at_checked(len).ok_or("ends inside the digest")?;
    let hash = Multihash::wrap(code, digest).map_err(|_| "digest is longer than 64 bytes")?;
    Ok((hash, rest))
}

fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), &'static str> {
    let mut varint = Varint::default();
    for (index, byte) in bytes.iter().enumerate() {
        match varint.push(*byte) {
            Ok(Some(value)) => return Ok((value, &bytes[index + 1..])),
            Ok(None) => {}
            Err(_) => return Err("a varint in it is longer than 9 bytes or not minimal"),
        }
    }
    Err("ends inside a varint")
}
