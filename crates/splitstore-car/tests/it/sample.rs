//! Small archives in every form, built byte by byte or by the writer, and what reading them gives.

use std::io::{Cursor, Write};

use cid::Cid;
use cid::multihash::Multihash;
use splitstore_car::{CarBlock, CarError, CarReader, CarWriter, Limits};
use splitstore_domain::digest::{BLAKE2B_256, IDENTITY, SHA2_256, blake2b_256};

pub(crate) const DAG_CBOR: u64 = 0x71;
pub(crate) const RAW: u64 = 0x55;

/// sha2-256 of `hello world`, from any sha256sum.
pub(crate) const HELLO: (&[u8], [u8; 32]) = (
    b"hello world",
    [
        0xb9, 0x4d, 0x27, 0xb9, 0x93, 0x4d, 0x3e, 0x08, 0xa5, 0x2e, 0x52, 0xd7, 0xda, 0x7d, 0xab, 0xfa, 0xc4,
        0x84, 0xef, 0xe3, 0x7a, 0x53, 0x80, 0xee, 0x90, 0x88, 0xf7, 0xac, 0xe2, 0xef, 0xcd, 0xe9,
    ],
);

pub(crate) fn blake_cid(codec: u64, data: &[u8]) -> Cid {
    Cid::new_v1(codec, Multihash::wrap(BLAKE2B_256, &blake2b_256(data)).unwrap())
}

pub(crate) fn identity_cid(data: &[u8]) -> Cid {
    Cid::new_v1(RAW, Multihash::wrap(IDENTITY, data).unwrap())
}

pub(crate) fn hello_v0() -> Cid {
    Cid::new_v0(Multihash::wrap(SHA2_256, &HELLO.1).unwrap()).unwrap()
}

pub(crate) fn hello_v1() -> Cid {
    Cid::new_v1(RAW, Multihash::wrap(SHA2_256, &HELLO.1).unwrap())
}

/// Blocks of every kind: each hash, both CID versions, empty data, and a length of two varint bytes.
pub(crate) fn blocks() -> Vec<(Cid, Vec<u8>)> {
    let long: Vec<u8> = (0..=255).collect();
    vec![
        (blake_cid(DAG_CBOR, b"\xa0"), b"\xa0".to_vec()),
        (hello_v0(), HELLO.0.to_vec()),
        (identity_cid(b"inline"), b"inline".to_vec()),
        (blake_cid(RAW, &long), long),
        (blake_cid(RAW, b""), Vec::new()),
        (hello_v1(), HELLO.0.to_vec()),
    ]
}

/// A `CARv1` of `blocks` whose root is the first.
pub(crate) fn car_v1(blocks: &[(Cid, Vec<u8>)]) -> Vec<u8> {
    let roots: Vec<Cid> = blocks.iter().map(|(cid, _)| *cid).take(1).collect();
    let mut writer = CarWriter::new(Vec::new(), &roots).unwrap();
    for (cid, data) in blocks {
        writer.write_block(cid, data).unwrap();
    }
    writer.finish().unwrap()
}

/// A `CARv2` around `inner`: `pad` bytes before it and a pretended index after it.
pub(crate) fn car_v2(inner: &[u8], pad: u64) -> Vec<u8> {
    let start = 51 + pad;
    let mut bytes = v2_header(start, inner.len() as u64, start + inner.len() as u64);
    bytes.resize(usize::try_from(start).unwrap(), 0);
    bytes.extend_from_slice(inner);
    bytes.extend_from_slice(b"\x81\x08 an index nobody reads");
    bytes
}

pub(crate) fn v2_header(data_offset: u64, data_size: u64, index_offset: u64) -> Vec<u8> {
    let mut bytes = b"\x0a\xa1\x67version\x02".to_vec();
    bytes.extend_from_slice(&[0; 16]);
    for number in [data_offset, data_size, index_offset] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// One zstd frame with a checksum, as the `zstd` tool writes it.
pub(crate) fn zstd_frame(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A skippable frame; `magic` picks one of the sixteen.
pub(crate) fn skippable_frame(magic: u8, bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x50 | magic, 0x2a, 0x4d, 0x18];
    frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
    frame.extend_from_slice(bytes);
    frame
}

/// Everything an archive gives: the blocks up to the end or to the error.
pub(crate) struct Outcome {
    pub(crate) roots: Vec<Cid>,
    pub(crate) blocks: Vec<CarBlock>,
    pub(crate) error: Option<CarError>,
}

impl Outcome {
    pub(crate) fn pairs(&self) -> Vec<(Cid, Vec<u8>)> {
        self.blocks.iter().map(|block| (block.cid, block.data.clone())).collect()
    }

    /// The error there must be.
    pub(crate) fn refusal(self) -> CarError {
        self.error.unwrap()
    }

    /// What makes a block the same block: hash and data, wherever it stands and whatever its codec.
    pub(crate) fn hashes(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.blocks.iter().map(|block| (block.cid.hash().to_bytes(), block.data.clone())).collect()
    }
}

pub(crate) fn read(bytes: &[u8]) -> Outcome {
    read_within(bytes, Limits::default())
}

pub(crate) fn read_within(bytes: &[u8], limits: Limits) -> Outcome {
    let mut outcome = Outcome { roots: Vec::new(), blocks: Vec::new(), error: None };
    match CarReader::new(Cursor::new(bytes.to_vec()), "sample.car", limits) {
        Err(error) => outcome.error = Some(error),
        Ok(reader) => {
            outcome.roots = reader.roots().to_vec();
            for block in reader {
                match block {
                    Ok(block) => outcome.blocks.push(block),
                    Err(error) => outcome.error = Some(error),
                }
            }
        }
    }
    outcome
}
