//! Real files and golden vectors: found in `SPLITSTORE_DATA`, else beside the checkout. In CI they must be there.

use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde_json::Value;
use tsm::{Limits, TsmReader};

/// The real files, without `.gz`.
pub(crate) const REAL: [&str; 3] = ["merge_a.tsm", "merge_b.tsm", "000000000000005-000000002.tsm"];

#[path = "../../../segment-compaction/tests/it/real.rs"]
mod real_data;
pub(crate) use real_data::path;

/// The bytes of a real file.
pub(crate) fn real(name: &str) -> Option<Vec<u8>> {
    let packed = std::fs::read(path(&format!("{name}.gz"))?).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

/// The golden vectors of a kind.
pub(crate) fn vectors(kind: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(path("tsm_vectors.json")?).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let all = all["vectors"].as_array().unwrap().clone();
    let found: Vec<_> = all.into_iter().filter(|vector| vector["kind"] == kind).collect();
    assert!(!found.is_empty(), "no vectors of kind {kind}");
    Some(found)
}

/// Bytes of a hexadecimal text.
pub(crate) fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The one vector of a kind that is a file.
pub(crate) fn file_vector(kind: &str) -> Option<Vec<u8>> {
    vectors(kind).map(|found| hex(&found[0]["hex"]))
}

pub(crate) fn open(name: &str, bytes: Vec<u8>) -> TsmReader {
    TsmReader::new(Arc::new(bytes), name, Limits::default()).unwrap()
}
