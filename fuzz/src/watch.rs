//! A thread that notices an input on which nothing moves any more.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

/// An input may take this long. A usual one takes microseconds, also on a busy machine.
const SECONDS_MAX: u32 = 10;

/// The input under way, and the seconds for which it has been.
type UnderWay = Option<(&'static str, Vec<u8>, u32)>;

pub(crate) struct Watch(Arc<Mutex<UnderWay>>);

impl Watch {
    pub(crate) fn start() -> Self {
        let watched = Arc::new(Mutex::new(None));
        let mine = Arc::clone(&watched);
        std::thread::spawn(move || {
            loop {
                #[expect(clippy::disallowed_methods, reason = "a watchdog watches time itself")]
                std::thread::sleep(Duration::from_secs(1));
                look(&mine);
            }
        });
        Self(watched)
    }

    pub(crate) fn begin(&self, name: &'static str, input: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((name, input.to_vec(), 0));
    }

    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn look(watched: &Mutex<UnderWay>) {
    let mut under_way = watched.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((name, input, seconds)) = under_way.as_mut() else { return };
    *seconds += 1;
    if *seconds > SECONDS_MAX {
        let kept =
            keep(name, input).map_or_else(|error| format!("{error:#}"), |path| path.display().to_string());
        println!("{name:<11} FAILED: an input takes more than {SECONDS_MAX} s: {kept}");
        std::process::exit(1);
    }
}

/// Writes an input that failed.
pub(crate) fn keep(name: &str, input: &[u8]) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts");
    std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let path = folder.join(format!("{name}-{:016x}", hasher.finish()));
    std::fs::write(&path, input).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}
