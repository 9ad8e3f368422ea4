//! Notes of links: what the put of a block tells the link index, in the batch of the block.
//!
//! ```text
//!   note    version u8 = 1 | era u64 LE | block*
//!   block   kind u8: 0 no links, 1 links, 2 to be read; +128 if a header follows, else that of the block before
//!           header length u8 | header               the multihash before its digest
//!           id u64 LE | check u64 LE                its short names (graph/keyed.rs)
//!           names u32 LE | sum u64 LE | name u64 LE*      if it has links (graph/names.rs)
//! ```
//! About 17 bytes for a block without links, and 29 and 8 per link for one with. A put of one block writes 14 more.

use splitstore_domain::BlockKey;
use splitstore_domain::object::DAG_CBOR;
use splitstore_ports::{Block, ErrorKind, PortError};

use crate::error::Result;
use crate::graph::{Added, Keyed, Noted, Short, header_len, links_of};

const VERSION: u8 = 1;
const HEAD: usize = 1 + 8;
const NEW_HEADER: u8 = 0x80;
/// Room for a block in a note that is about to be written: more are copied once more.
const ROOM: usize = 96;

/// The note of these blocks.
pub(super) fn encode(blocks: &[Block<'_>], keyed: &Keyed, era: u64) -> Vec<u8> {
    let mut note = Vec::with_capacity(HEAD + blocks.len() * ROOM);
    note.push(VERSION);
    note.extend_from_slice(&era.to_le_bytes());
    let (mut header, mut slots) = (Vec::new(), Vec::new());
    for block in blocks {
        let key = BlockKey::from(&block.cid);
        let key = key.as_bytes();
        // A block kept under another codec is read when a link says that it is DAG-CBOR.
        let links = match block.cid.codec() {
            DAG_CBOR => links_of(block.data, keyed, &mut slots),
            _ => Noted::Unread,
        };
        let own = &key[..header_len(key)];
        let new = if *own == *header { 0 } else { NEW_HEADER };
        let kind = match links {
            Noted::Leaf => 0,
            Noted::Links(_) => 1,
            Noted::Unread => 2,
        };
        note.push(kind | new);
        if new != 0 {
            note.push(u8::try_from(own.len()).expect("two varints"));
            note.extend_from_slice(own);
            header = own.to_vec();
        }
        let Short { id, check } = keyed.short(key);
        note.extend_from_slice(&id.to_le_bytes());
        note.extend_from_slice(&check.to_le_bytes());
        if let Noted::Links(slots) = links {
            let names = u32::try_from(slots.len() - 1).expect("links of one block");
            note.extend_from_slice(&names.to_le_bytes());
            for slot in slots {
                note.extend_from_slice(&slot.to_le_bytes());
            }
        }
    }
    note
}

/// The era of a note.
pub(super) fn era(note: &[u8], number: u64) -> Result<u64> {
    let head = note.split_first().and_then(|(version, rest)| Some((*version, rest.first_chunk::<8>()?)));
    match head {
        Some((VERSION, era)) => Ok(u64::from_le_bytes(*era)),
        Some((version, _)) if version > VERSION => {
            let attempt = format!("read note of links {number} of the hot tier, which has a newer version");
            Err(PortError::bare(ErrorKind::TooNew, attempt).into())
        }
        _ => Err(damaged(number)),
    }
}

/// Adds the blocks of a note.
pub(super) fn decode(note: &[u8], number: u64, added: &mut Added) -> Result<()> {
    let mut rest = note.get(HEAD..).ok_or_else(|| damaged(number))?;
    let (mut header, mut slots) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        rest = decode_block(rest, &mut header, &mut slots, added).ok_or_else(|| damaged(number))?;
    }
    Ok(())
}

fn decode_block<'a>(
    note: &'a [u8],
    header: &mut Vec<u8>,
    slots: &mut Vec<u64>,
    added: &mut Added,
) -> Option<&'a [u8]> {
    let (kind, mut rest) = note.split_first()?;
    if kind & NEW_HEADER != 0 {
        let (len, behind) = rest.split_first()?;
        let (own, behind) = behind.split_at_checked((*len).into())?;
        header.clear();
        header.extend_from_slice(own);
        rest = behind;
    }
    let mut number = || {
        let (number, behind) = rest.split_first_chunk::<8>()?;
        rest = behind;
        Some(u64::from_le_bytes(*number))
    };
    let short = Short { id: number()?, check: number()? };
    let noted = match kind & !NEW_HEADER {
        0 => Noted::Leaf,
        1 => {
            let (names, behind) = rest.split_first_chunk::<4>()?;
            let len = usize::try_from(u32::from_le_bytes(*names)).ok()?.checked_add(1)?;
            let (own, behind) = behind.split_at_checked(len.checked_mul(8)?)?;
            slots.clear();
            slots.extend(own.as_chunks::<8>().0.iter().map(|slot| u64::from_le_bytes(*slot)));
            rest = behind;
            Noted::Links(slots)
        }
        2 => Noted::Unread,
        _ => return None,
    };
    added.push(header, short, noted);
    Some(rest)
}

fn damaged(number: u64) -> crate::Error {
    let attempt = format!("read note of links {number} of the hot tier, which is damaged");
    PortError::bare(ErrorKind::Corrupt, attempt).into()
}

#[cfg(test)]
mod tests {
    use cid::Cid;
    use splitstore_domain::object::RAW;

    use super::*;
    use crate::graph::ID_BITS;

    fn block(codec: u64, data: &[u8]) -> Cid {
        let digest = splitstore_domain::digest::blake2b_256(data);
        BlockKey::from_bytes(&[&[0xa0, 0xe4, 0x02, 0x20], digest.as_slice()].concat()).unwrap().to_cid(codec)
    }

    /// A list of one link.
    fn list(link: &Cid) -> Vec<u8> {
        let bytes = link.to_bytes();
        let len = u8::try_from(bytes.len() + 1).unwrap();
        [&[0x81, 0xd8, 0x2a, 0x58, len, 0], bytes.as_slice()].concat()
    }

    fn note() -> Vec<u8> {
        let leaf = block(RAW, b"leaf");
        let data = list(&leaf);
        let blocks = [
            Block { cid: leaf, data: b"leaf" },
            Block { cid: block(DAG_CBOR, &data), data: &data },
            Block { cid: block(DAG_CBOR, &[0x80]), data: &[0x80] },
            Block { cid: block(DAG_CBOR, b"no cbor"), data: &[0xff] },
        ];
        encode(&blocks, &Keyed::random(ID_BITS), 7)
    }

    #[test]
    fn every_block_of_a_note_is_read_back() {
        let note = note();
        assert_eq!(note.len(), HEAD + 4 * 17 + 5 + 4 + 16);
        assert_eq!(era(&note, 0).unwrap(), 7);
        let mut added = Added::default();
        decode(&note, 0, &mut added).unwrap();
        assert_eq!(added.len(), 4);
    }

    #[test]
    fn a_cut_or_newer_note_is_an_error_that_names_it() {
        let note = note();
        let whole = [HEAD, HEAD + 22, HEAD + 59, HEAD + 76];
        for len in (0..note.len()).filter(|len| !whole.contains(len)) {
            let read = era(&note[..len], 5).and_then(|_| decode(&note[..len], 5, &mut Added::default()));
            let error = read.unwrap_err().to_string();
            assert!(error.contains("note of links 5 of the hot tier"), "{len} bytes: {error}");
        }
        let mut newer = note;
        newer[0] = VERSION + 1;
        assert!(era(&newer, 5).unwrap_err().to_string().contains("newer version"));
    }
}
