//! Generated stores, kept between runs: each was compacted once, has grown since, and is due for the next compaction.
//!
//! ```text
//!   <cache>/<name>/hot/      reclaimed fully, closed
//!                 /..        the rest of a closed store
//!                 /recent    CIDs of live blocks
//!                 /note.json what chain it is; written last, so a folder without it is no store
//! ```
//! A store is made in `<name>.partial` and renamed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cid::Cid;
use serde::{Deserialize, Serialize};
use splitstore_domain::Settings;

use super::plan::Plan;
use crate::compose::hot_path;
use crate::engine::RawHot;

mod make;

const NOTE: &str = "note.json";
const RECENT: &str = "recent";

/// A store that is there.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) folder: PathBuf,
    pub(crate) note: Note,
}

/// What is known of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// What it was made of.
    pub(crate) plan: String,
    pub(crate) name: String,
    pub(crate) finality: u64,
    /// Headers of the head.
    pub(crate) head: Vec<String>,
    /// Blocks in hot, their bytes, and those of the files.
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    /// Blocks that a compaction keeps.
    pub(crate) live: u64,
}

/// What the first of these stores is, for a reader of the table.
pub(crate) fn described(stores: &[Stored], rounds: usize) -> String {
    let first = stores.iter().map(|stored| &stored.note).next();
    let data = first.map_or_else(|| "No store.".into(), Note::described);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{data} {threads} threads, {rounds} rounds.")
}

impl Note {
    fn described(&self) -> String {
        let share = |part: u64| part as f64 * 100.0 / self.blocks.max(1) as f64;
        format!(
            "{} blocks, {} bytes of data (mean {}), {} bytes of files; {:.1} % live, {:.1} % dead.",
            self.blocks,
            self.bytes,
            self.bytes / self.blocks.max(1),
            self.files,
            share(self.live),
            share(self.blocks - self.live)
        )
    }
}

impl Stored {
    /// The store of `plan` in the cache, made if it is not there.
    pub(crate) fn open_or_make(cache: &Path, plan: &Plan) -> Result<Self> {
        let folder = cache.join(plan.name);
        if !plan.is_made(cache) {
            eprintln!("the store `{}` is made now, once: {:?}", plan.name, plan.spec);
            let partial = cache.join(format!("{}.partial", plan.name));
            [&folder, &partial].into_iter().try_for_each(|folder| remove(folder))?;
            make::make(&partial, plan).with_context(|| format!("make the store `{}`", plan.name))?;
            std::fs::rename(&partial, &folder)?;
        }
        let stored = Self::at(&folder)?;
        eprintln!("{}: {}", plan.name, stored.note.described());
        Ok(stored)
    }

    /// The store in this folder.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        let path = folder.join(NOTE);
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let note = serde_json::from_str(&text).with_context(|| format!("understand {}", path.display()))?;
        Ok(Self { folder: folder.to_path_buf(), note })
    }

    /// A copy in a folder that is there: hot and all files that are never written again by hard links.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<()> {
        RawHot::copy(&hot_path(&self.folder), &hot_path(folder))?;
        for entry in std::fs::read_dir(&self.folder)? {
            let (from, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            let to = folder.join(&name);
            if from.is_dir() {
                link_all(&from, &to)?;
            } else if ![RECENT, NOTE].iter().any(|ours| name == *ours) {
                std::fs::copy(&from, &to)?;
            }
        }
        Ok(())
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings { finality_epochs: self.note.finality, ..Settings::default() }
    }

    pub(crate) fn head(&self) -> Result<Vec<Cid>> {
        self.note.head.iter().map(|text| Ok(Cid::try_from(text.as_str())?)).collect()
    }

    /// Blocks that stay live, some tens of thousands at least if there are as many.
    pub(crate) fn recent(&self) -> Result<Vec<Cid>> {
        let bytes = std::fs::read(self.folder.join(RECENT))?;
        let (mut rest, mut cids) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            cids.push(Cid::read_bytes(&mut rest)?);
        }
        Ok(cids)
    }
}

/// Links the files of a folder into another one, unless it is there: hot has been copied.
fn link_all(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { link_all(&from, &to)? } else { std::fs::hard_link(&from, &to)? }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::plan;

    #[test]
    fn a_store_is_made_once_and_again_when_its_plan_changes() {
        let cache = tempfile::tempdir().unwrap();
        let state = plan::State { epochs: 60, actors: 200, churn_per_mille: 10, messages_per_block: 4 };
        let mut plan = plan::chain("main", state, 1 << 20);
        let made = Stored::open_or_make(cache.path(), &plan).unwrap();
        assert!(plan.is_made(cache.path()));
        assert!(made.note.live > 0 && made.note.live < made.note.blocks, "{:?}", made.note);
        assert!(!made.recent().unwrap().is_empty());
        assert_eq!(Stored::open_or_make(cache.path(), &plan).unwrap().note, made.note);
        let copy = tempfile::tempdir().unwrap();
        made.copy_to(copy.path()).unwrap();
        let store = crate::compose::open(copy.path(), made.settings()).unwrap();
        assert_eq!(store.store.info().unwrap().compactions, 1);
        plan.spec.seed = 2;
        assert!(!plan.is_made(cache.path()));
        assert_ne!(Stored::open_or_make(cache.path(), &plan).unwrap().note.head, made.note.head);
    }
}
