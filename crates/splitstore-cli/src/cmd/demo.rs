//! `demo [FILE]`: a chain goes into a store tipset by tipset, which compacts as its head moves; after each
//! compaction every law is checked.
//!
//! ```text
//!   feed.rs      the chain: generated, or replayed from an archive (archive.rs)
//!   player.rs    puts blocks, moves the head, compacts when the trigger says so
//!   judge.rs     the audit, and every block ever put read back and hashed
//!   report.rs    what is printed
//! ```

mod archive;
mod feed;
mod judge;
mod player;
mod report;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use splitstore::domain::Settings;
use splitstore::folder::{FolderSettings, Opening, StoreFolder};
use tempfile::TempDir;

use self::archive::ArchiveFeed;
use self::feed::{Feed, GeneratedFeed};
use self::report::Report;
use crate::args::DemoArgs;
use crate::exit::Outcome;
use crate::opened;
use crate::output::Output;

pub(crate) fn run(args: &DemoArgs, output: Output) -> Result<Outcome> {
    let workshop = Workshop::new(args)?;
    let settings = FolderSettings { hot: args.hot, ..FolderSettings::default() };
    let mut feed = open_feed(args, &workshop, &settings, output)?;
    let settings = FolderSettings { windows: windows_for(feed.span_epochs()), ..settings };
    StoreFolder::create(&workshop.store, &settings)?;
    // The sizes it shows are to be those of what is kept, not of what an engine has yet to tidy up.
    let opening = Opening { full_reclaim_every: Some(1), ..opened::opening() };
    let folder = StoreFolder::open_with(&workshop.store, &opening)?;
    let mut report = Report::new(output);
    report.title(&feed.title(), &settings)?;
    player::play(&folder, &mut *feed, &mut report)?;
    drop(feed);
    folder.close()?;
    if let Some(kept) = &args.keep {
        output.note(format_args!("the store is kept at {}", kept.display()));
    }
    report.close()
}

/// Where the demo works; removed when dropped, but for a store that is to be kept.
struct Workshop {
    temporary: TempDir,
    store: PathBuf,
}

impl Workshop {
    fn new(args: &DemoArgs) -> Result<Self> {
        let temporary = tempfile::Builder::new().prefix("splitstore-demo-").tempdir();
        let temporary =
            temporary.context("make a temporary folder for the demo: set TMPDIR to one that is writable")?;
        let store = args.keep.clone().unwrap_or_else(|| temporary.path().join("store"));
        Ok(Self { temporary, store })
    }

    /// The store that an archive is read into before it is replayed.
    fn source(&self) -> PathBuf {
        self.temporary.path().join("source")
    }
}

fn open_feed(
    args: &DemoArgs,
    workshop: &Workshop,
    settings: &FolderSettings,
    output: Output,
) -> Result<Box<dyn Feed>> {
    let Some(file) = &args.file else {
        return Ok(Box::new(GeneratedFeed::new(&args.chain)?));
    };
    Ok(Box::new(ArchiveFeed::open(file, &source(workshop, settings)?, output)?))
}

fn source(workshop: &Workshop, settings: &FolderSettings) -> Result<PathBuf> {
    let path = workshop.source();
    StoreFolder::create(Path::new(&path), settings)?;
    Ok(path)
}

/// Windows small enough that a chain of this many epochs compacts about five times.
fn windows_for(epochs: u64) -> Settings {
    let (threshold_finalities, boundary_finalities) = if epochs < 10 { (2, 1) } else { (5, 4) };
    Settings {
        finality_epochs: (epochs / 10).max(1),
        threshold_finalities,
        boundary_finalities,
        ..Settings::default()
    }
}
