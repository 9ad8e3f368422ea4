//! One package of the workspace, as far as the checks look at it.

use super::Violation;
use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use std::{fs, path::Path};

pub(super) use cargo_metadata::DependencyKind as Kind;

pub(super) struct Member {
    pub(super) name: String,
    /// Manifest below the root, with its text.
    pub(super) manifest: String,
    pub(super) text: String,
    pub(super) dependencies: Vec<(String, Kind)>,
    /// Root files of the integration tests, below the root.
    pub(super) tests: Vec<String>,
}

impl Member {
    pub(super) fn all(root: &Path) -> Result<Vec<Self>> {
        let metadata =
            MetadataCommand::new().current_dir(root).no_deps().exec().context("read the manifests")?;
        metadata.packages.iter().map(|package| Self::of(&metadata, package)).collect()
    }

    fn of(metadata: &Metadata, package: &Package) -> Result<Self> {
        let below = |path: &cargo_metadata::camino::Utf8Path| {
            path.strip_prefix(&metadata.workspace_root).unwrap_or(path).as_str().replace('\\', "/")
        };
        let tests = package.targets.iter().filter(|target| target.is_test());
        Ok(Self {
            name: package.name.to_string(),
            manifest: below(&package.manifest_path),
            text: fs::read_to_string(&package.manifest_path)
                .with_context(|| format!("read {}", package.manifest_path))?,
            dependencies: package.dependencies.iter().map(|needs| (needs.name.clone(), needs.kind)).collect(),
            tests: tests.map(|target| below(&target.src_path)).collect(),
        })
    }

    /// A violation at the line of the manifest that opens with `word`, or at its head.
    pub(super) fn violation(&self, word: &str, what: impl Into<String>) -> Violation {
        let opens = |line: &str| {
            let rest = line.trim_start().trim_start_matches('"').strip_prefix(word);
            rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=', '"']))
        };
        let line = self.text.lines().position(opens).map_or(1, |at| at + 1);
        Violation::new(&self.manifest, line, what)
    }
}

#[cfg(test)]
impl Member {
    /// A member under `crates/` with everything inherited.
    pub(super) fn planted(name: &str, dependencies: &[(&str, Kind)]) -> Self {
        let inherited =
            ["version", "edition", "rust-version", "license"].map(|key| format!("{key}.workspace = true\n"));
        let mut text = format!("[package]\nname = \"{name}\"\n{}\n", inherited.concat());
        text.push_str("[lints]\nworkspace = true\n\n[dependencies]\n");
        text.extend(dependencies.iter().map(|(needs, _)| format!("{needs}.workspace = true\n")));
        Self {
            name: name.into(),
            manifest: format!("crates/{name}/Cargo.toml"),
            text,
            dependencies: dependencies.iter().map(|(needs, kind)| ((*needs).to_string(), *kind)).collect(),
            tests: vec![format!("crates/{name}/tests/it/main.rs")],
        }
    }
}
