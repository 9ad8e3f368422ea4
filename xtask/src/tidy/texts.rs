//! The files that are looked at: what git tracks, and what it soon will.

use crate::process::Task;
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where new files belong to the project; elsewhere they may be a cache or notes.
const FOLDERS: &[&str] = &["crates", "benches", "docs", "fixtures", "xtask"];

/// Path and content of every text file of the project, sorted by path.
pub(super) fn all(root: &Path) -> Result<Vec<(String, String)>> {
    // An exported tree has no git: then all in those folders is the project's.
    let mut paths = if root.join(".git").exists() { known_to_git(root)? } else { walked(root) };
    paths.sort();
    // A file that is gone or binary has no lines to check.
    Ok(paths
        .into_iter()
        .filter_map(|path| fs::read_to_string(root.join(&path)).ok().map(|text| (path, text)))
        .collect())
}

fn known_to_git(root: &Path) -> Result<Vec<String>> {
    // On a build server the checkout may belong to another user, which git refuses unless told.
    let listed = |args: &[&str]| {
        let git = Task::new("git", "git").args(["-c", "safe.directory=*", "ls-files", "-z"]).args(args);
        git.folder(root).output().context("ask git for the files of the project")
    };
    let tracked = listed(&["--cached"])?;
    let new = listed(&[&["--others", "--exclude-standard", "--"], FOLDERS].concat())?;
    let paths = tracked.split('\0').chain(new.split('\0'));
    Ok(paths.filter(|path| !path.is_empty()).map(String::from).collect())
}

fn walked(root: &Path) -> Vec<String> {
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let below = |path: &PathBuf| Some(path.strip_prefix(root).ok()?.to_str()?.to_string());
    files.iter().filter_map(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn sources_and_root_files_are_among_them() {
        let texts = all(root()).unwrap();
        let has = |wanted: &str| texts.iter().any(|(path, _)| path == wanted);
        assert!(has("xtask/src/tidy/texts.rs"));
        assert!(has("Cargo.toml") || !root().join(".git").exists());
    }

    #[test]
    fn without_git_the_folders_of_the_project_are_walked() {
        assert!(walked(root()).contains(&"xtask/src/tidy/texts.rs".to_string()));
    }
}
