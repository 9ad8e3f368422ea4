//! Room on the disk, asked for before anything is made.

use std::path::Path;

use anyhow::{Result, ensure};
use splitstore_domain::ByteCount;
use splitstore_files::OsFiles;
use splitstore_ports::FileSystem;

use super::plan::Plan;

/// What is compacted is copied whole. A compaction writes all that stays once more, and all that goes to cold, which takes more
/// there; so does the full reclaim of a store that is made.
const COPIES: u64 = 3;

/// Fails unless the stores that are not made yet and the copies of the largest fit.
pub(super) fn check(cache: &Path, plans: &[Plan]) -> Result<()> {
    let needed = needed(cache, plans);
    let free = OsFiles::new().free_space(cache)?;
    let enough = free.is_none_or(|free| free.0 >= needed);
    ensure!(
        enough,
        "{} are free at {}, {} are needed: {}",
        free.unwrap_or_default(),
        cache.display(),
        ByteCount(needed),
        "--small needs less, and CARGO_TARGET_DIR may name a larger disk"
    );
    Ok(())
}

fn needed(cache: &Path, plans: &[Plan]) -> u64 {
    let largest = plans.iter().map(|plan| plan.size).max().unwrap_or(0);
    let missing: u64 = plans.iter().filter(|plan| !plan.is_made(cache)).map(|plan| plan.size).sum();
    missing + largest * COPIES
}

#[cfg(test)]
mod tests {
    use super::*;
    use splitstore_fixtures::ChainSpec;

    fn plan(size: u64) -> Plan {
        Plan { name: "main", spec: ChainSpec::default(), finality: 1, compacted: 1, size }
    }

    #[test]
    fn too_little_room_is_told_with_the_figure() {
        let cache = tempfile::tempdir().unwrap();
        check(cache.path(), &[plan(1)]).unwrap();
        let error = check(cache.path(), &[plan(1 << 60)]).unwrap_err().to_string();
        assert!(error.contains("are needed") && error.contains("--small"), "{error}");
    }
}
