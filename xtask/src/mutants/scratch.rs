//! The copy of the last commit that patches are applied to, with a build folder of its own.
//!
//! Git writes only files that differ from what is there, so that little is compiled again. It keeps an index beside
//! the copy: the index and the branches of the checkout are left alone.

use crate::{process::Task, workspace::Workspace};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub(super) struct Scratch {
    git: PathBuf,
    index: PathBuf,
    tree: PathBuf,
    pub(super) build: PathBuf,
}

impl Scratch {
    /// Brings the copy to the last commit.
    pub(super) fn fill(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target.join("mutants");
        let tree = folder.join("tree");
        fs::create_dir_all(&tree).with_context(|| format!("create {}", tree.display()))?;
        let git = ask(workspace, &["rev-parse", "--absolute-git-dir"])?;
        let scratch =
            Self { git: git.into(), index: folder.join("index"), build: folder.join("build"), tree };
        scratch.restore()?;
        Ok(scratch)
    }

    /// Takes back what a patch, or a command that was interrupted, has changed.
    pub(super) fn restore(&self) -> Result<()> {
        self.git(&["read-tree", "--reset", "-u", "HEAD"]).context("copy the last commit")
    }

    pub(super) fn apply(&self, patch: &Path) -> Result<()> {
        let patch = patch.to_str().context("its path is no text")?;
        self.git(&["apply", "--whitespace=nowarn", patch])
    }

    /// A cargo command in the copy.
    pub(super) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Task {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Task::new("cargo", cargo).args(args).folder(&self.tree).quiet_env("CARGO_TARGET_DIR", &self.build)
    }

    /// A program that such a command has built.
    pub(super) fn program(&self, name: &str) -> Task {
        Task::new(name, self.build.join("debug").join(name)).folder(&self.tree)
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        let task = Task::new("git", "git").args(["-c", "safe.directory=*"]).args(args).folder(&self.tree);
        let task = task.quiet_env("GIT_DIR", &self.git).quiet_env("GIT_WORK_TREE", &self.tree);
        task.quiet_env("GIT_INDEX_FILE", &self.index).output().map(drop)
    }
}

/// A number that is another one with every commit, also where git knows no more than the last.
pub(super) fn number_of_commit(workspace: &Workspace) -> Result<u64> {
    let commit = ask(workspace, &["rev-parse", "HEAD"])?;
    let digits = commit.get(..12).with_context(|| format!("git calls the last commit `{commit}`"))?;
    u64::from_str_radix(digits, 16).with_context(|| format!("git calls the last commit `{commit}`"))
}

fn ask(workspace: &Workspace, args: &[&str]) -> Result<String> {
    let task = Task::new("git", "git").args(["-c", "safe.directory=*"]).args(args).folder(&workspace.root);
    Ok(task.output().context("mutants are applied to the last commit, which git must know")?.trim().into())
}
