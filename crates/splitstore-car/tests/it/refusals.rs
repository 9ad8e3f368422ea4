//! Sections that are refused, and what a reader or writer does afterwards.

use std::io::{self, Cursor, Write};

use cid::Cid;
use cid::multihash::Multihash;
use splitstore_car::{CarError, CarReader, CarWriter, Limits, VarintFault};

use crate::sample::{HELLO, RAW, blake_cid, blocks, car_v1, hello_v1, read, zstd_frame};

const START: u64 = 61;

/// A header with one root, then `sections` as they are.
fn with_sections(sections: &[u8]) -> Vec<u8> {
    let mut bytes = car_v1(&blocks()[..1])[..61].to_vec();
    bytes.extend_from_slice(sections);
    bytes
}

#[test]
fn varints_that_are_not_minimal_or_too_long_are_refused() {
    let cases = [
        (&b"\x81\x00"[..], VarintFault::NotMinimal),
        (b"\x80\x00", VarintFault::NotMinimal),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", VarintFault::TooLong),
    ];
    for (section, expected) in cases {
        let error = read(&with_sections(section)).refusal();
        let CarError::BadVarint { at, fault, .. } = error else { panic!("{error}") };
        assert_eq!((at.offset, fault), (START, expected));
    }
    let error = read(b"\x81\x00").refusal();
    assert!(matches!(error, CarError::BadVarint { what: "the header", .. }), "{error}");
}

#[test]
fn a_nine_byte_varint_is_a_number_and_not_a_fault() {
    let error = read(&with_sections(b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f")).refusal();
    assert!(matches!(error, CarError::TooLarge { found: 0x7fff_ffff_ffff_ffff, .. }), "{error}");
}

#[test]
fn sections_without_a_cid_are_refused_with_the_reason() {
    let cases: [(&[u8], &str); 7] = [
        (b"\x00", "empty"),
        (b"\x01\x01", "ends inside a varint"),
        (b"\x04\x02\x55\x00\x00", "version is neither 0 nor 1"),
        (b"\x05\x01\x55\x00\x02a", "ends inside the digest"),
        (b"\x05\x01\x55\x00\x41a", "longer than 64 bytes"),
        (b"\x06\x81\x00\x55\x00\x00a", "not minimal"),
        (b"\x03\x12\x20a", "ends inside the digest"),
    ];
    for (section, reason) in cases {
        let error = read(&with_sections(section)).refusal();
        let CarError::BadCid { at, reason: found } = error else { panic!("{error}") };
        assert_eq!(at.offset, START);
        assert!(found.contains(reason), "{section:02x?}: {found}");
    }
}

#[test]
fn data_that_does_not_hash_to_its_cid_is_refused_by_cid_and_offset() {
    let error = read(&car_v1(&[(hello_v1(), b"hello there".to_vec())])).refusal();
    let CarError::HashMismatch { at, cid } = error else { panic!("{error}") };
    assert_eq!(*cid, hello_v1());
    assert_eq!(at.offset, car_v1(&[(hello_v1(), Vec::new())]).len() as u64 - 37);
}

#[test]
fn a_hash_that_cannot_be_checked_is_refused() {
    let cid = Cid::new_v1(RAW, Multihash::wrap(0x16, &[1; 32]).unwrap());
    let error = read(&car_v1(&[(cid, HELLO.0.to_vec())])).refusal();
    assert!(matches!(error, CarError::UnsupportedHash { code: 0x16, .. }), "{error}");
}

#[test]
fn bytes_that_are_no_zstd_frame_after_a_frame_are_refused() {
    let mut bytes = zstd_frame(&car_v1(&blocks()));
    bytes.extend_from_slice(b"trailing garbage");
    let outcome = read(&bytes);
    assert_eq!(outcome.pairs(), blocks());
    let error = outcome.refusal();
    assert!(matches!(error, CarError::Zstd { .. }), "{error}");
}

#[test]
fn after_an_error_the_reader_says_so_and_the_iterator_ends() {
    let bytes = with_sections(b"\x00\x00");
    let mut reader = CarReader::new(Cursor::new(bytes), "b.car", Limits::default()).unwrap();
    assert!(matches!(reader.next_block(), Err(CarError::BadCid { .. })));
    assert!(matches!(reader.next_block(), Err(CarError::AfterError { .. })), "never a false end");
    assert!(reader.next().is_none());
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = CarReader::open(folder.path().join("absent.car")).unwrap_err();
    assert!(matches!(error, CarError::Io { .. }) && error.to_string().contains("absent.car"), "{error}");
}

/// A disk that is full after so many bytes.
#[derive(Debug)]
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let len = bytes.len().min(self.0);
        self.0 -= len;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_failed_refuses_to_go_on_or_finish() {
    let (cid, data) = &blocks()[0];
    let mut writer = CarWriter::new(Full(70), &[*cid]).unwrap();
    assert!(matches!(writer.write_block(cid, data), Err(CarError::Io { at, .. }) if at.offset == 61));
    assert!(matches!(writer.write_block(cid, data), Err(CarError::AfterError { .. })));
    assert!(matches!(writer.finish(), Err(CarError::AfterError { .. })));
}

#[test]
fn a_block_too_large_is_not_written_and_the_writer_goes_on() {
    let mut writer = CarWriter::new(Vec::new(), &[]).unwrap();
    let large = vec![0; 8 << 20];
    let error = writer.write_block(&blake_cid(RAW, &large), &large).unwrap_err();
    assert!(matches!(error, CarError::TooLarge { limit: 0x80_0000, .. }), "{error}");
    writer.write_block(&hello_v1(), HELLO.0).unwrap();
    assert_eq!(read(&writer.finish().unwrap()).pairs(), [(hello_v1(), HELLO.0.to_vec())]);
}
