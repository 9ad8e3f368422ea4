//! The store that a command works on.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use splitstore::domain::Pacing;
use splitstore::folder::{HotEngine, Opening, PaceMode, PaceSettings, StoreFolder};
use splitstore::ports::{Event, Observer};
use splitstore::{TracingObserver, Trigger};

use crate::args::{Cli, WindowArgs};
use crate::exit::BadUsage;

/// The folder that `--store` names.
pub(crate) fn path(cli: &Cli) -> Result<&Path> {
    let missing =
        BadUsage("which store? give --store DIR before or after the command, or set SPLITSTORE_STORE");
    Ok(cli.store.as_deref().ok_or(missing)?)
}

/// The engine of its hot tier, if that can be read.
pub(crate) fn engine(cli: &Cli) -> Option<HotEngine> {
    StoreFolder::settings_at(cli.store.as_deref()?).ok().map(|settings| settings.hot)
}

/// Opens it as its settings say.
pub(crate) fn open(cli: &Cli) -> Result<StoreFolder> {
    Ok(StoreFolder::open_with(path(cli)?, &opening())?)
}

/// Opens it for a compaction at this pace, with other windows.
pub(crate) fn open_to_compact(cli: &Cli, windows: WindowArgs, mode: PaceMode) -> Result<StoreFolder> {
    let path = path(cli)?;
    let stored = StoreFolder::settings_at(path)?;
    let pacing = PaceSettings { mode, ..stored.pace }.into();
    let windows = Some(windows.over(stored.windows));
    Ok(StoreFolder::open_with(path, &Opening { windows, pacing: Some(pacing), ..opening() })?)
}

/// Opens it with other windows, for as long as the command runs.
pub(crate) fn open_with(cli: &Cli, windows: WindowArgs) -> Result<StoreFolder> {
    let path = path(cli)?;
    let stored = StoreFolder::settings_at(path)?.windows;
    Ok(StoreFolder::open_with(path, &Opening { windows: Some(windows.over(stored)), ..opening() })?)
}

/// Runs start when a command says so: this program may end at any time.
pub(crate) fn opening() -> Opening {
    // Nobody else uses the store meanwhile.
    let pacing = Some(Pacing::Fast);
    Opening { observer: Arc::new(Aloud), trigger: Trigger::Manual, pacing, ..Opening::default() }
}

/// Logs what happens. What open found damaged, and will not find again, is said although nobody asked for a log.
struct Aloud;

impl Observer for Aloud {
    fn on_event(&self, event: &Event) {
        if matches!(event, Event::LogDamaged { .. } | Event::SetAside { .. }) {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "warning: {event}");
        }
        TracingObserver.on_event(event);
    }
}
