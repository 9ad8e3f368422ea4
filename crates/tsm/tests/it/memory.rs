//! Bounds of memory, counted: bytes that a thread holds at once, and how often it asks for more.

use std::io::{self, Write};
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use tsm::{BlockType, Column, Decoder, Encoder, Encoding, IndexBuffer, Limits, ReadAt, SealedBlock, Sink};
use tsm::{TimeRange, TsmReader, TsmWriter, WriterOptions};

use crate::sample::{Content, encode, file, ramp};

/// Takes everything and keeps nothing.
struct Nowhere(u64);

impl Write for Nowhere {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0 += buf.len() as u64;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Nowhere {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn key(number: usize, len: usize) -> Vec<u8> {
    format!("{number:0>len$}").into_bytes()
}

/// A file of many keys with one small block each.
fn many_keys(keys: usize, len: usize) -> Arc<Vec<u8>> {
    let block = || vec![ramp(BlockType::Boolean, 0, 2)];
    Arc::new(file(&(0..keys).map(|number| (key(number, len), block())).collect::<Content>()))
}

fn read_all(bytes: &Arc<Vec<u8>>) -> AllocationInfo {
    let mut points = 0;
    let info = measure(|| {
        let source: Arc<dyn ReadAt> = Arc::<Vec<u8>>::clone(bytes);
        let reader = TsmReader::new(source, "a.tsm", Limits::default()).unwrap();
        let (mut cursor, mut buffer, mut column) =
            (reader.cursor(), Vec::new(), Column::empty(BlockType::Boolean));
        let mut decoder = Decoder::default();
        while cursor.advance().unwrap() {
            for entry in cursor.entries() {
                let kind = cursor.kind().unwrap();
                let sealed = reader.read_block(cursor.key(), kind, entry, &mut buffer).unwrap();
                decoder.decode(&sealed.parse().unwrap(), &mut column).unwrap();
                points += column.len();
            }
        }
    });
    assert!(points > 0);
    info
}

#[test]
fn reading_takes_no_more_memory_for_more_keys() {
    let [few, many] = [1_000, 100_000].map(|keys| read_all(&many_keys(keys, 10)));
    assert!(many.bytes_max < 200 << 10, "{many:?}");
    // The marks fill up to their bound, and that is all.
    assert!(many.count_total < few.count_total + 20, "{few:?} {many:?}");
}

#[test]
fn reading_long_keys_takes_a_few_keys_of_memory() {
    let info = read_all(&many_keys(50, 65_000));
    assert!(info.bytes_max < 10 * 65_535 + (200 << 10), "{info:?}");
}

fn write_keys(keys: usize, index: IndexBuffer) -> AllocationInfo {
    let block = encode(Encoding::SNAPSHOT, ramp(BlockType::Float, 0, 5).points());
    measure(|| {
        let mut writer =
            TsmWriter::new(Nowhere(0), "a.tsm", WriterOptions { index, ..WriterOptions::default() });
        for number in 0..keys {
            let sealed = SealedBlock::seal(&block);
            let _ = writer.write_block(&key(number, 20), TimeRange::new(0, 4), sealed).unwrap();
        }
        assert!(writer.finish().unwrap().unwrap().sink.0 > 0);
    })
}

#[test]
fn writing_with_a_spilled_index_takes_no_more_memory_for_more_keys() {
    let folder = tempfile::tempdir().unwrap();
    for keys in [1_000, 100_000] {
        let index = IndexBuffer::spilling_to_file(64 << 10, folder.path().join("a.idx.tmp"));
        let info = write_keys(keys, index);
        assert!(info.bytes_max < 600 << 10, "{keys} keys: {info:?}");
    }
    let kept = write_keys(100_000, IndexBuffer::in_memory());
    assert!(kept.bytes_max > 5 << 20, "the index of 100,000 keys is in memory: {kept:?}");
}

#[test]
fn nothing_is_allocated_per_block_once_the_buffers_have_grown() {
    for kind in BlockType::ALL {
        let column = ramp(kind, 0, 1000);
        let (mut encoder, mut decoder) = (Encoder::new(Encoding::COMPACTION), Decoder::default());
        let (mut bytes, mut back) = (Vec::new(), Column::empty(kind));
        let mut round = || {
            bytes.clear();
            encoder.encode(column.points(), &mut bytes).unwrap();
            decoder.decode_bytes(&bytes, &mut back).unwrap();
        };
        round();
        let info = measure(|| (0..100).for_each(|_| round()));
        assert_eq!(info.count_total, 0, "{kind}: {info:?}");
    }
}

#[test]
fn a_block_that_claims_much_allocates_no_more_than_the_limits_grant() {
    let limits = Limits { points: 1000, string_bytes: 10_000, ..Limits::default() };
    let one = [&[9, 0x1c][..], &[0; 8]].concat();
    let rle = |n: &[u8]| [&[11, 0x20][..], &[0; 8], &[1], n].concat();
    let bombs = [
        [&[0][..], &[12, 0x20], &[0; 8], &[1, 0xe8, 0x07], &[0x10], &[0; 9]].concat(),
        [&[2][..], &rle(&[0x7f]), &[0x10, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat(),
        [&[3][..], &one, &[0x10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]].concat(),
        [&[1][..], &one, &[0x20], &[0; 8], &[2, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat(),
        [&[1][..], &[200, 1, 0x1c], &[0; 200], &[0x10], &[0; 8]].concat(),
    ];
    for bomb in bombs {
        let mut column = Column::empty(BlockType::Float);
        let info = measure(|| assert!(Decoder::new(limits).decode_bytes(&bomb, &mut column).is_err()));
        assert!(info.bytes_max <= 1000 * 8 + 10_000 + 1000, "{bomb:?} {info:?}");
    }
}
