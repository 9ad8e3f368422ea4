//! Where things are: the checkout, and the cache that outlives it.

use crate::process::Task;
use anyhow::{Context, Result};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

pub(crate) struct Workspace {
    /// Folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Folder for what is built once per machine.
    pub(crate) cache: PathBuf,
    /// Folder for what is built here.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn locate() -> Result<Self> {
        // `cargo run` says where the package is now; the path at compile time is second best.
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package).parent().context("xtask has no folder above it")?.to_path_buf();
        let cache = cache_dir(|name| env::var_os(name))
            .context("no place for the cache: set SPLITSTORE_CACHE or HOME to a folder")?;
        let target = target_dir(&cache, env::var_os("CARGO_TARGET_DIR"));
        Ok(Self { root, cache, target })
    }

    /// What cargo built, by its path in the target folder.
    pub(crate) fn built(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// A cargo command in this workspace, building outside of the checkout.
    pub(crate) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Task {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Task::new("cargo", cargo).args(args).folder(&self.root).quiet_env("CARGO_TARGET_DIR", &self.target)
    }
}

/// An empty variable counts as unset, and a relative `XDG_CACHE_HOME` does too (XDG base directory
/// specification).
fn cache_dir(var: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| var(name).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    folder("SPLITSTORE_CACHE")
        .map(|path| std::path::absolute(&path).unwrap_or(path))
        .or_else(|| {
            folder("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("splitstore"))
        })
        .or_else(|| folder("HOME").map(|path| path.join(".cache").join("splitstore")))
}

fn target_dir(cache: &Path, chosen: Option<OsString>) -> PathBuf {
    chosen.filter(|path| !path.is_empty()).map_or_else(|| cache.join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(vars: &[(&str, &str)]) -> Option<PathBuf> {
        cache_dir(|name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_cache_is_the_first_of_three_that_is_set() {
        assert_eq!(
            cache(&[("SPLITSTORE_CACHE", "/a"), ("XDG_CACHE_HOME", "/b"), ("HOME", "/c")]),
            Some("/a".into())
        );
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/b"), ("HOME", "/c")]), Some("/b/splitstore".into()));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "b"), ("HOME", "/c")]), Some("/c/.cache/splitstore".into()));
        assert_eq!(cache(&[("SPLITSTORE_CACHE", ""), ("HOME", "/c")]), Some("/c/.cache/splitstore".into()));
        assert_eq!(cache(&[]), None);
    }

    #[test]
    fn a_target_folder_of_the_user_is_kept() {
        assert_eq!(target_dir(Path::new("/c"), Some("mine".into())), Path::new("mine"));
        assert_eq!(target_dir(Path::new("/c"), None), Path::new("/c/target"));
    }
}
