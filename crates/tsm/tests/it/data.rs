//! Real files and golden vectors: found in `SPLITSTORE_DATA`, else beside the checkout. In CI they must be there.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde_json::Value;
use tsm::{Limits, TsmReader};

/// The real files, without `.gz`.
pub(crate) const REAL: [&str; 3] = ["merge_a.tsm", "merge_b.tsm", "000000000000005-000000002.tsm"];

/// Path of real data; `None` (said on the terminal) where there is none. In CI that fails.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("SPLITSTORE_DATA").map_or(beside, PathBuf::from);
    let path = folder.join("tsm").join(name);
    if path.is_file() {
        return Some(path);
    }
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci, "no real data in CI: {}", path.display());
    println!("skipped: no real data");
    None
}

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
