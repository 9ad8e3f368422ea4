//! RocksDB as one static archive, built once per machine and then only linked.
//!
//! ```text
//!   lock -> cargo build -p librocksdb-sys -> copy to librocksdb.a.<pid> -> rename to librocksdb.a
//! ```
//! Readers need no lock: the name appears only when the file is whole.

use super::NativeEnv;
use crate::{process::Task, workspace::Workspace};
use anyhow::{Context, Result};
use cargo_metadata::{Message, Metadata, MetadataCommand};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

const PACKAGE: &str = "librocksdb-sys";
const FILE: &str = "librocksdb.a";

/// Features that only choose how bindings are made, not what is compiled.
const OF_BINDINGS: &[&str] = &["default", "static", "bindgen-runtime", "bindgen-static"];

/// The folder that holds the archive.
pub(super) fn ensure(workspace: &Workspace, vars: &NativeEnv) -> Result<PathBuf> {
    let host = host()?;
    let folder = workspace.cache.join(folder_name(&resolved(workspace, &host)?, &host)?);
    if folder.join(FILE).is_file() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let path = workspace.cache.join("rocksdb.lock");
    let lock = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    lock.lock().with_context(|| format!("lock {}", path.display()))?;
    // Another process may have built it while this one waited.
    if !folder.join(FILE).is_file() {
        install(&build(workspace, vars)?.join(FILE), &folder)?;
    }
    Ok(folder)
}

fn host() -> Result<String> {
    let said = Task::new("rustc", "rustc").args(["-vV"]).output()?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_string())
}

fn resolved(workspace: &Workspace, host: &str) -> Result<Metadata> {
    MetadataCommand::new()
        .current_dir(&workspace.root)
        .other_options(["--locked", "--filter-platform", host].map(String::from))
        .exec()
        .context("resolve the workspace")
}

/// `rocksdb-<version>-<target>-<features>`: another of any of these is another archive.
fn folder_name(metadata: &Metadata, host: &str) -> Result<String> {
    let package = metadata.packages.iter().find(|package| package.name == PACKAGE);
    let package = package.with_context(|| format!("{PACKAGE} is not in Cargo.lock"))?;
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let features = nodes.filter(|node| node.id == package.id).flat_map(|node| &node.features);
    let features: Vec<_> = features.map(|name| name.as_str()).collect();
    Ok(format!("rocksdb-{}-{host}-{}", package.version, compiled(features)))
}

fn compiled(mut features: Vec<&str>) -> String {
    // `lz4-sys` only says again that `lz4` is on.
    features.retain(|name| !OF_BINDINGS.contains(name) && !name.ends_with("-sys"));
    features.sort_unstable();
    if features.is_empty() { "plain".into() } else { features.join("+") }
}

/// Compiles the C++ and returns the folder in which the build script left the archive.
fn build(workspace: &Workspace, vars: &NativeEnv) -> Result<PathBuf> {
    eprintln!("RocksDB is compiled now: 8 to 25 minutes on two cores, once per machine.");
    let target = workspace.cache.join("rocksdb-build");
    let mut out_dir = None;
    workspace
        .cargo([
            "build",
            "--locked",
            "-p",
            PACKAGE,
            "--message-format=json-render-diagnostics",
            "--target-dir",
        ])
        .args([target.to_string_lossy()])
        .envs(vars)
        .lines(|line| out_dir = out_dir_of(line).or(out_dir.take()))?;
    out_dir.with_context(|| format!("cargo named no output folder of {PACKAGE}"))
}

fn out_dir_of(line: &str) -> Option<PathBuf> {
    match Message::parse_stream(line.as_bytes()).next()?.ok()? {
        Message::BuildScriptExecuted(script) if script.package_id.repr.contains(PACKAGE) => {
            Some(script.out_dir.into_std_path_buf())
        }
        _ => None,
    }
}

fn install(built: &Path, folder: &Path) -> Result<()> {
    let partial = folder.join(format!("{FILE}.{}", std::process::id()));
    let whole = folder.join(FILE);
    fs::copy(built, &partial)
        .with_context(|| format!("copy {} to {}", built.display(), partial.display()))?;
    File::open(&partial)?.sync_all().with_context(|| format!("sync {}", partial.display()))?;
    fs::rename(&partial, &whole)
        .with_context(|| format!("rename {} to {}", partial.display(), whole.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_features_that_change_the_archive_name_it() {
        assert_eq!(compiled(vec!["zstd", "zstd-sys", "bindgen-runtime", "static", "lz4"]), "lz4+zstd");
        assert_eq!(compiled(vec!["default"]), "plain");
    }

    #[test]
    fn the_output_folder_is_that_of_rocksdb_alone() {
        let line = |package: &str| {
            format!(
                r#"{{"reason":"build-script-executed","package_id":"registry+x#{package}@0.1.0","linked_libs":[],
                "linked_paths":[],"cfgs":[],"env":[],"out_dir":"/t/{package}/out"}}"#
            )
            .replace('\n', "")
        };
        assert_eq!(out_dir_of(&line("librocksdb-sys")), Some("/t/librocksdb-sys/out".into()));
        assert_eq!(out_dir_of(&line("zstd-sys")), None);
        assert_eq!(out_dir_of("   Compiling"), None);
    }
}
