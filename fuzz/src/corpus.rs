//! What mutation starts from: made by our own encoders, and the golden vectors where they are.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::targets::Target;

pub(crate) fn seeds(target: &Target) -> Result<Vec<Vec<u8>>> {
    let mut all = (target.seeds)();
    if let Some(folder) = data() {
        all.extend(vectors(&folder, target)?);
        if target.name == "file" {
            all.push(unzipped(&folder.join("merge_a.tsm.gz"))?);
        }
    }
    Ok(all)
}

fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("SPLITSTORE_DATA").map_or(beside, PathBuf::from).join("tsm");
    folder.is_dir().then_some(folder)
}

fn vectors(folder: &Path, target: &Target) -> Result<Vec<Vec<u8>>> {
    let path = folder.join("tsm_vectors.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let parsed: Value = serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
    let all = parsed["vectors"].as_array().context("there is a list of vectors")?;
    let mine = all.iter().filter(|vector| target.kinds.iter().any(|kind| vector["kind"] == *kind));
    Ok(mine.flat_map(|vector| sections(vector, target)).collect())
}

/// The bytes of a vector: a whole file, or what each encoder wrote, with the count in front.
fn sections(vector: &Value, target: &Target) -> Vec<Vec<u8>> {
    let values = vector["values"].as_array().or_else(|| vector["bits"].as_array());
    let count = values.and_then(|values| u16::try_from(values.len()).ok()).unwrap_or_default();
    let fields = ["hex", "snapshot_encoder", "compaction_encoder"];
    let found = fields.iter().filter_map(|field| hex(vector[*field].as_str()?));
    found
        .map(|bytes| if target.counted { [&count.to_be_bytes(), &bytes[..]].concat() } else { bytes })
        .collect()
}

/// `None` for what is no number, such as the text of an error.
fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

fn unzipped(path: &Path) -> Result<Vec<u8>> {
    let packed = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let mut bytes = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).context("unpack it")?;
    Ok(bytes)
}
