//! Which files a command means: paths, folders, and patterns that no shell has expanded.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tsm::name::{FileName, TSM};

use crate::output::Output;

/// TSM files in the order of their writes, each once.
pub(crate) fn tsm_files(paths: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let found = expand(path)?;
        ensure!(!found.is_empty(), "{path}: no TSM file there");
        files.extend(found);
    }
    // Files without a proper name come first, in the order given: they say nothing about their age.
    files.sort_by_key(|file| FileName::parse(file).ok());
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    let twins = files.iter().enumerate().find_map(|(at, file)| {
        let name = FileName::parse(file).ok()?;
        let same = |other: &&PathBuf| other.parent() == file.parent() && FileName::parse(other) == Ok(name);
        files[at + 1..]
            .iter()
            .take_while(|other| FileName::parse(other) == Ok(name))
            .find(same)
            .map(|other| (file, other))
    });
    match twins {
        Some((one, other)) => bail!(
            "{} and {} have the same generation and sequence: which is newer, nobody can say",
            one.display(),
            other.display()
        ),
        None => Ok(files),
    }
}

fn expand(path: &str) -> Result<Vec<PathBuf>> {
    let plain = Path::new(path);
    if plain.is_dir() {
        return in_folder(plain);
    }
    if plain.exists() {
        return Ok(vec![plain.into()]);
    }
    if !path.contains(['*', '?', '[']) {
        bail!("{path}: no such file or folder");
    }
    let matches = glob::glob(path).with_context(|| format!("{path}: not a pattern"))?;
    let mut files = matches.collect::<Result<Vec<_>, _>>().with_context(|| format!("search {path}"))?;
    files.retain(|file| file.is_file() && is_tsm(file));
    Ok(files)
}

/// The TSM files of a folder, oldest first; none is no error.
pub(crate) fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("list {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if is_tsm(&path) && path.is_file() {
            files.push(path);
        }
    }
    files.sort_by_key(|file| FileName::parse(file).ok());
    Ok(files)
}

/// Refuses a folder without TSM files, and tells which of them are nobody's segments for want of a name.
pub(crate) fn look_over(folder: &Path, output: Output) -> Result<()> {
    let files = in_folder(folder)?;
    ensure!(!files.is_empty(), "{}: no TSM file there", folder.display());
    for file in files.iter().filter(|file| FileName::parse(file).is_err()) {
        output.note(format_args!("left aside: {} is not named GENERATION-SEQUENCE", file.display()));
    }
    Ok(())
}

fn is_tsm(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == TSM)
}

/// The one folder of some files, and their names.
pub(crate) fn same_folder(files: &[PathBuf]) -> Result<PathBuf> {
    let folder = |file: &PathBuf| match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let first = files.first().map(folder).context("no files")?;
    let other = files.iter().find(|file| folder(file) != first);
    match other {
        None => Ok(first),
        Some(other) => {
            bail!("{} is not in {}: files of one folder are compacted", other.display(), first.display())
        }
    }
}
