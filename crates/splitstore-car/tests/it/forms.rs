//! The same blocks come out of every form an archive can have.

use std::io::{self, Cursor, Read};

use splitstore_car::{CarReader, CarWriter, Compression, HashCheck, Limits, Version};

use crate::sample::{self, blocks, car_v1, car_v2, read, skippable_frame, zstd_frame};

/// The header in one frame and each section in its own, skippable frames before, between and after.
fn framed() -> Vec<u8> {
    let bytes = car_v1(&blocks());
    let mut cuts: Vec<usize> =
        read(&bytes).blocks.iter().map(|block| usize::try_from(block.offset).unwrap()).collect();
    cuts.push(bytes.len());
    let mut out = skippable_frame(0, b"in front");
    out.extend(zstd_frame(&bytes[..cuts[0]]));
    for pair in cuts.windows(2) {
        out.extend(zstd_frame(&bytes[pair[0]..pair[1]]));
        out.extend(skippable_frame(7, b""));
    }
    out.extend(skippable_frame(0xe, &vec![0xab; 300_000]));
    out.extend(skippable_frame(0xf, b"footer"));
    out
}

#[test]
fn every_form_gives_the_same_blocks_and_roots() {
    let v1 = car_v1(&blocks());
    let v2 = car_v2(&v1, 13);
    let forms = [
        (v1.clone(), Version::V1, Compression::None),
        (v2.clone(), Version::V2, Compression::None),
        (zstd_frame(&v1), Version::V1, Compression::Zstd),
        (zstd_frame(&v2), Version::V2, Compression::Zstd),
        (framed(), Version::V1, Compression::Zstd),
    ];
    for (bytes, version, compression) in forms {
        let reader = CarReader::new(Cursor::new(bytes.clone()), "form.car", Limits::default()).unwrap();
        assert_eq!((reader.format().version, reader.format().compression), (version, compression));
        let outcome = read(&bytes);
        assert!(outcome.error.is_none(), "{version:?} {compression:?}: {:?}", outcome.error);
        assert_eq!(outcome.pairs(), blocks());
        assert_eq!(outcome.roots, [blocks()[0].0]);
    }
}

/// Gives one byte per call, and an interruption before each.
struct Trickle {
    bytes: Cursor<Vec<u8>>,
    interrupt: Interrupt,
}

enum Interrupt {
    Now,
    Later,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Interrupt::Now = self.interrupt {
            self.interrupt = Interrupt::Later;
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.interrupt = Interrupt::Now;
        let len = buffer.len().min(1);
        self.bytes.read(&mut buffer[..len])
    }
}

#[test]
fn a_source_that_trickles_and_is_interrupted_is_read_in_full() {
    let v1 = car_v1(&blocks());
    for bytes in [v1.clone(), car_v2(&v1, 0), framed()] {
        let source = Trickle { bytes: Cursor::new(bytes), interrupt: Interrupt::Now };
        let reader = CarReader::new(source, "trickle.car", Limits::default()).unwrap();
        let found: Vec<_> = reader.map(|block| block.map(|block| (block.cid, block.data)).unwrap()).collect();
        assert_eq!(found, blocks());
    }
}

#[test]
fn offsets_count_the_uncompressed_stream_from_its_first_byte() {
    let v1 = car_v1(&blocks());
    let plain: Vec<u64> = read(&v1).blocks.iter().map(|block| block.offset).collect();
    assert_eq!(plain[0], 61, "a header with one blake2b root and its length byte");
    let compressed: Vec<u64> = read(&framed()).blocks.iter().map(|block| block.offset).collect();
    assert_eq!(compressed, plain);
    let inner: Vec<u64> = read(&car_v2(&v1, 9)).blocks.iter().map(|block| block.offset - 60).collect();
    assert_eq!(inner, plain);
}

#[test]
fn bytes_read_ends_at_the_length_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named-anything.bin");
    std::fs::write(&path, framed()).unwrap();
    let mut reader = CarReader::open(&path).unwrap();
    let total = reader.total_bytes();
    assert_eq!(total, Some(framed().len() as u64));
    let mut last = reader.bytes_read();
    while reader.next_block().unwrap().is_some() {
        assert!(reader.bytes_read() >= last);
        last = reader.bytes_read();
    }
    assert_eq!(Some(reader.bytes_read()), total);
}

#[test]
fn a_file_written_is_a_file_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.car");
    let mut writer = CarWriter::create(&path, &[]).unwrap();
    for (cid, data) in blocks() {
        writer.write_block(&cid, &data).unwrap();
    }
    let written = writer.bytes_written();
    writer.finish().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), written);
    let mut reader = CarReader::open(&path).unwrap();
    assert_eq!(reader.roots(), []);
    assert_eq!(reader.by_ref().count(), blocks().len());
    assert_eq!(reader.bytes_read(), written);
}

#[test]
fn blocks_are_not_hashed_when_the_caller_says_so() {
    let wrong = vec![(sample::hello_v1(), b"hello there".to_vec())];
    let reader = CarReader::new(Cursor::new(car_v1(&wrong)), "t.car", Limits::default()).unwrap();
    let found = reader.with_hash_check(HashCheck::Trust).next_block().unwrap().unwrap();
    assert_eq!((found.cid, found.data), wrong[0]);
}
