//! Where real data lies: in `SPLITSTORE_DATA`, else beside the checkout. In CI it must be there. The crates above this
//! one take this file too.

use std::path::{Path, PathBuf};

/// The path of a file of `tsm` data; `None`, said on the terminal, where there is none.
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
