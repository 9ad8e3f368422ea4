//! Writing tombstones: read what is there, add, replace the file as a whole.
//!
//! ```text
//!   read X.tombstone -> write X.tombstone.tmp -> sync -> rename -> sync the folder
//!        a crash here leaves the old file ... or here the new one; a `.tmp` is never read
//! ```
//! One writer at a time: that two do not add to one file at once is for whoever owns the folder.

use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use segment_compaction::{FileSystem, OsFiles};

use super::{MAGIC, PREDICATE, PREFIX, Scope, Tombstone, load_in, path_of};
use crate::error::{At, Result};
use crate::layout::KEY_LEN_MAX;
use crate::{Limits, Refusal};

const VERSION: u8 = 4;

/// Adds deletes to those of a TSM file, durably: when this returns, they survive a crash, and so do all that were
/// there before, of whatever version. After an error the old file stands as it was.
pub fn add(tsm: &Path, tombstones: &[Tombstone], limits: Limits) -> Result<()> {
    add_in(&OsFiles, tsm, tombstones, limits)
}

/// As [`add`], on any file system.
pub fn add_in(files: &dyn FileSystem, tsm: &Path, tombstones: &[Tombstone], limits: Limits) -> Result<()> {
    let path = path_of(tsm);
    check(&path, tombstones)?;
    let mut all = load_in(files, tsm, limits)?.map_or_else(Vec::new, |file| file.entries);
    let mut known: std::collections::HashSet<_> = all.iter().cloned().collect();
    all.extend(tombstones.iter().filter(|tombstone| known.insert((*tombstone).clone())).cloned());
    replace(files, &path, &encode(&all))
}

fn check(path: &Path, tombstones: &[Tombstone]) -> Result<()> {
    for Tombstone { key, times, .. } in tombstones {
        let at = || At::path(path).key(key);
        if key.len() > KEY_LEN_MAX {
            return Err(at().refused(Refusal::KeyTooLong { len: key.len() }));
        }
        if times.is_empty() {
            return Err(at().refused(Refusal::TimesReversed { min: times.min, max: times.max }));
        }
    }
    Ok(())
}

/// The bytes of a v4 file with these entries. Keys have at most 65,535 bytes.
pub fn encode(tombstones: &[Tombstone]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    if tombstones.is_empty() {
        return out;
    }
    // No time and no name: the same entries are the same bytes.
    let mut zipped: GzEncoder<Vec<u8>> = GzBuilder::new().write(out, Compression::default());
    let written = tombstones.iter().try_for_each(|tombstone| put(tombstone, &mut zipped));
    written.and_then(|()| zipped.finish()).expect("memory takes all that is written")
}

fn put(tombstone: &Tombstone, out: &mut impl Write) -> io::Result<()> {
    let Tombstone { key, times, scope, predicate } = tombstone;
    let prefix = if *scope == Scope::Prefix { PREFIX } else { 0 };
    let flags = prefix | if predicate.is_some() { PREDICATE } else { 0 };
    let len = u32::try_from(key.len()).expect("keys have at most 65,535 bytes");
    out.write_all(&(flags | len).to_be_bytes())?;
    out.write_all(key)?;
    out.write_all(&times.min.to_be_bytes())?;
    out.write_all(&times.max.to_be_bytes())?;
    let Some(predicate) = predicate else { return Ok(()) };
    out.write_all(&(predicate.len() as u64).to_be_bytes())?;
    out.write_all(predicate)
}

/// Replaces a file by bytes that are durable before they are seen.
fn replace(files: &dyn FileSystem, path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("tombstone.tmp");
    let written = write_synced(files, &temporary, bytes).and_then(|()| {
        let renamed = files.rename(&temporary, path);
        renamed.map_err(|error| At::path(path).io("rename to", error))
    });
    if written.is_err() {
        // The first failure is the one to tell; a left-over is never read and is removed at the next start.
        let _ = files.remove(&temporary);
    }
    written.and_then(|()| sync_folder(files, path))
}

fn write_synced(files: &dyn FileSystem, path: &Path, bytes: &[u8]) -> Result<()> {
    let at = || At::path(path);
    // A crash may have left one.
    files.remove(path).map_err(|error| at().io("remove", error))?;
    let mut file = files.create_new(path).map_err(|error| at().io("create", error))?;
    file.write_all(bytes).map_err(|error| at().io("write", error))?;
    file.sync().map_err(|error| at().io("sync", error))
}

fn sync_folder(files: &dyn FileSystem, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    files.sync_dir(folder).map_err(|error| At::path(folder).io("sync", error))
}
