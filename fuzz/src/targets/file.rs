//! Whole files: opened, walked, searched, verified and repaired, as they are and again with every checksum mended.

use std::sync::Arc;

use tsm::verify::{Class, Report, verify};
use tsm::{BlockOrder, Entry, IndexSeal, SealedBlock, TsmReader, TsmWriter, WriterOptions};

use super::{LIMITS, Outcome, Target, block, outcome, sample};

pub(super) const TARGET: Target = Target { name: "file", run, seeds, kinds: &["tsm_file"], counted: false };

/// Keys that are walked and searched; an index of 64 KiB can hold more.
const KEYS_MAX: usize = 200;

fn seeds() -> Vec<Vec<u8>> {
    [IndexSeal::None, IndexSeal::Crc].map(seed).into()
}

fn seed(seal: IndexSeal) -> Vec<u8> {
    let mut writer = TsmWriter::new(Vec::new(), "seed", WriterOptions { seal, ..WriterOptions::default() });
    let mut encoder = tsm::Encoder::new(tsm::Encoding::SNAPSHOT);
    for (at, column) in sample::columns().iter().enumerate() {
        let key = format!("m,t={at:02}#!~#{}", column.kind());
        let _ = writer.write_points(key.as_bytes(), column.points(), &mut encoder).expect("samples fit");
    }
    writer.finish().expect("memory takes all").expect("there are blocks").sink
}

fn run(bytes: &[u8]) -> Outcome {
    let raw = one(bytes);
    repaired(bytes);
    let mended = mended(bytes).map(|bytes| one(&bytes));
    outcome(&(format!("{raw:?}"), format!("{mended:?}")))
}

/// What went wrong, in the order of the file, without numbers.
fn one(bytes: &[u8]) -> Vec<String> {
    let source = || Arc::new(bytes.to_vec());
    let report = verify(source(), "fuzzed", LIMITS).expect("memory does not fail");
    match TsmReader::new(source(), "fuzzed", LIMITS) {
        Ok(reader) => walk(&reader, &report),
        Err(error) => {
            assert!(!report.is_clean(), "what does not open is not clean: {error}");
        }
    }
    let faults = report.findings.iter().take(3).map(|finding| format!("{:?}", finding.fault));
    faults.map(|fault| fault.split(['{', '(']).next().unwrap_or_default().to_string()).collect()
}

/// What a repair makes is whole, but for keys and overlaps, which nothing tells how they were.
fn repaired(bytes: &[u8]) {
    let report = verify(Arc::new(bytes.to_vec()), "fuzzed", LIMITS).expect("memory does not fail");
    let options = WriterOptions { order: BlockOrder::Any, ..WriterOptions::default() };
    let writer = TsmWriter::new(Vec::new(), "repaired", options);
    let outcome = tsm::repair(Arc::new(bytes.to_vec()), "fuzzed", LIMITS, writer, &mut |_, _| Ok(()));
    let Ok((done, new)) = outcome else {
        assert!(!report.is_clean(), "what is clean is repaired to itself");
        return;
    };
    assert!(!report.is_clean() || done.lost == 0, "of what is clean nothing is lost");
    let Some(new) = new else { return };
    let again = verify(Arc::new(new.sink), "repaired", LIMITS).expect("memory does not fail");
    let untold = |class| matches!(class, Class::Key | Class::Overlap);
    assert!(again.findings.iter().all(|finding| untold(finding.class())), "{:?}", again.findings);
}

fn walk(reader: &TsmReader, report: &Report) {
    let (mut cursor, mut buffer) = (reader.cursor(), Vec::new());
    for _ in 0..KEYS_MAX {
        if !cursor.advance().expect("it was walked when it was opened") {
            break;
        }
        let kind = cursor.kind().expect("types were checked when it was opened");
        let record = reader.find(cursor.key()).expect("memory does not fail").expect("a key is found again");
        assert_eq!(record.entries, cursor.entries(), "a key is found where it is");
        for entry in cursor.entries().iter().take(20) {
            let sealed = reader.read_block(cursor.key(), kind, entry, &mut buffer);
            let decoded = sealed.ok().and_then(|sealed| block::checked(&sealed.parse().ok()?).ok());
            assert!(decoded.is_some() || !report.is_clean(), "what is clean decodes");
        }
    }
}

/// The file with a right checksum before each block that the index names.
fn mended(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader = TsmReader::new(Arc::new(bytes.to_vec()), "fuzzed", LIMITS).ok()?;
    let (mut mended, mut cursor) = (bytes.to_vec(), reader.cursor());
    while cursor.advance().ok()? {
        for entry in cursor.entries().iter().take(20) {
            mend(&mut mended, entry)?;
        }
    }
    Some(mended)
}

fn mend(bytes: &mut [u8], entry: &Entry) -> Option<()> {
    let start = usize::try_from(entry.offset).ok()?;
    let (crc, block) = bytes.get_mut(start..)?.split_first_chunk_mut::<4>()?;
    let block = block.get(..(entry.size as usize).checked_sub(4)?)?;
    *crc = SealedBlock::seal(block).crc().to_be_bytes();
    Some(())
}
