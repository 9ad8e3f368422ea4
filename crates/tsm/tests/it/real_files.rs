//! Files that `InfluxDB` wrote.

use tsm::{BlockType, Column, Decoder, Encoder, Encoding, TsmWriter};

use crate::data;

#[test]
fn real_files_hold_what_they_are_known_to_hold() {
    for (name, keys, blocks, min, max) in [
        (data::REAL[0], 212, 212, 1_594_150_840_000_000_000, 1_594_150_890_000_000_000),
        (data::REAL[1], 212, 212, 1_594_151_000_000_000_000, 1_594_151_200_000_000_000),
        (data::REAL[2], 2159, 2159, 1_590_585_404_546_128_000, 1_590_597_378_379_824_000),
    ] {
        let Some(bytes) = data::real(name) else { return };
        let reader = data::open(name, bytes);
        let summary = reader.summary();
        assert_eq!((summary.keys, summary.blocks), (keys, blocks), "{name}");
        assert_eq!((summary.times.min, summary.times.max), (min, max), "{name}");
    }
}

#[test]
fn every_block_of_a_real_file_encodes_to_the_same_bytes_and_so_does_the_file() {
    for name in data::REAL {
        let Some(bytes) = data::real(name) else { return };
        let reader = data::open(name, bytes.clone());
        let (mut cursor, mut buffer, mut again) = (reader.cursor(), Vec::new(), Vec::new());
        let (mut decoder, mut encoder) = (Decoder::default(), Encoder::new(Encoding::COMPACTION));
        let mut column = Column::empty(BlockType::Float);
        let mut writer = TsmWriter::new(Vec::new(), name, tsm::WriterOptions::default());
        while cursor.advance().unwrap() {
            let kind = cursor.kind().unwrap();
            for entry in cursor.entries() {
                let sealed = reader.read_block(cursor.key(), kind, entry, &mut buffer).unwrap();
                let block = sealed.parse().unwrap();
                decoder.decode(&block, &mut column).unwrap();
                assert_eq!(block.count(), Ok(column.len() as u64));
                assert_eq!(column.time_range(), Some(entry.times));
                again.clear();
                encoder.encode(column.points(), &mut again).unwrap();
                // Snappy's bytes are the compressor's own choice.
                if kind == BlockType::String {
                    let mut back = Column::empty(kind);
                    decoder.decode_bytes(&again, &mut back).unwrap();
                    assert!(back.same_bits(&column));
                } else {
                    assert!(again == sealed.bytes(), "{}", cursor.place());
                }
                let _ = writer.write_block(cursor.key(), entry.times, sealed).unwrap();
            }
        }
        assert!(writer.finish().unwrap().unwrap().sink == bytes, "{name} passed through");
    }
}

#[test]
fn any_key_of_a_real_file_is_found_and_no_other() {
    let Some(bytes) = data::real(data::REAL[2]) else { return };
    let reader = data::open(data::REAL[2], bytes);
    let mut cursor = reader.cursor();
    while cursor.advance().unwrap() {
        let record = reader.find(cursor.key()).unwrap().unwrap();
        assert_eq!(record.entries, cursor.entries());
        let beside = [cursor.key(), b"\0"].concat();
        assert_eq!(reader.find(&beside).unwrap(), None);
    }
    assert_eq!((reader.find(b"").unwrap(), reader.find(&[0xff; 9]).unwrap()), (None, None));
}
