//! The link index: the links of every block of hot, kept beside it, so that a run marks without reading blocks.
//!
//! ```text
//!   run N     marks by scan, or by the index  ->  pack: what it marked, resolved         one file, at the seal
//!   puts                                          note of links, in the block's own batch       in hot's log
//!   run N+1   pack + notes -> graph -> sampled against the blocks -> marks -> the next pack; older notes are cleared
//!
//!   era       0 --- run begins ---> 1 --- run begins ---> 2      a number in every note; begins when protection does
//!   in force  notes of the pack's era and later
//! ```
//! # Why it may be believed
//!
//! What the index says of a block is its links. A block is what its key is the hash of, so they never change: an entry is
//! true for as long as there is such a block, and the index can be wrong in three ways only.
//!
//! 1. **It lacks a block of hot** (written by somebody else, or while the index was switched off; marked too late to be
//!    in the pack). No link to it resolves, so who links to it is read, and then the block itself is read
//!    (`graph.rs` has the proof). It costs reads and loses nothing.
//! 2. **It has a block that hot lacks.** Then a run would mark what is below a block that is gone, and would not notice
//!    that it is. It cannot come about: a pack holds what its run marked, and no purge deletes that before the next run
//!    seals; by then the next pack is in its place, or none is. It is put there after a sync of hot, so that no power
//!    cut takes a block that it has. A note of era E is written when protection of the run that opened E is on, so its
//!    block is a reference of that run, and what a later run deletes it deletes after a later pack. The pass over hot counts
//!    all the same, and a run whose index has marked a block that its snapshot lacks fails before it seals.
//! 3. **What it says is not what the block says**: damage, a bug, other data under the same key. Records have checksums,
//!    shortened names are proved by sums when they are resolved, and every run compares some blocks, drawn anew each
//!    time, before it marks; `verify` compares all.
//!
//! What fails any of these is set aside as `links/damaged`, reported with the block and the file, and the run scans.
//!
//! | crash | what is there afterwards |
//! |---|---|
//! | while a pack is written | the pack before it, in force: the new one lies in the run's folder, which goes |
//! | after it got its name, before the seal | the new pack and all of hot: what it lacks is only read |
//! | after the seal | the new pack, and what the purge leaves, which holds all that it has |
//! | before old notes are cleared, or the clearing is undone | notes of older eras, which nobody believes |
//! | a put is undone by a power cut | neither the block nor its note |
//!
//! A pack also names its run. One that is neither the last finished run nor the one after it was passed over by runs that
//! knew nothing of it, and is not believed.

mod note;
mod pack;
mod read;

use std::path::PathBuf;
use std::sync::Arc;

use splitstore_domain::object::DAG_CBOR;
use splitstore_ports::{Block, ErrorKind, Event, HotStore, MetaCell, PortError};

use crate::components::{MarkStrategy, Options};
use crate::error::{Error, Result};
use crate::graph::{Disagreement, Keyed};
use crate::ledger::Ledger;
use crate::store::Inner;
use crate::sync::RwLock;

pub(crate) use pack::{Head, PackWriter};
pub(crate) use read::{Unusable, load};

use pack::PackReader;

/// Version of the meta cell.
const VERSION: u8 = 1;
/// The file of a run that will be the pack.
pub(crate) const NEW: &str = "links";

/// What puts need to know of the index.
pub(crate) struct LinkIndex {
    kept: bool,
    keyed: Arc<Keyed>,
    /// Nothing while no pack is in force and no run is about to write one.
    writing: RwLock<Option<Writing>>,
}

/// How notes are written.
#[derive(Clone)]
pub(crate) struct Writing {
    pub(crate) keyed: Arc<Keyed>,
    pub(crate) era: u64,
}

impl LinkIndex {
    /// As the options ask, where the tier can: the first index comes of a scan. Keys are named under the secret that the
    /// meta store has, or a new one.
    pub(crate) fn new(options: &Options, hot: &dyn HotStore, ledger: &Ledger) -> Result<Self> {
        let asked = options.link_index || options.strategy == MarkStrategy::Links;
        let kept = asked && hot.link_notes().is_some() && hot.block_scan().is_some();
        let saved = if kept { saved(ledger)? } else { None };
        let keyed = match saved {
            Some((secret, _)) => Keyed::of(secret, options.scan_id_bits),
            None => Keyed::random(options.scan_id_bits),
        };
        Ok(Self { kept, keyed: Arc::new(keyed), writing: RwLock::default() })
    }

    /// What names keys in this store.
    pub(crate) const fn keyed(&self) -> &Arc<Keyed> {
        &self.keyed
    }

    /// Whether puts write notes and runs write packs.
    pub(crate) const fn is_kept(&self) -> bool {
        self.kept
    }

    /// The note that the put of these blocks has to write, if any. Its caller holds a permit to write, so that the era
    /// does not change before the note is in the log.
    pub(crate) fn note(&self, blocks: &[Block<'_>]) -> Option<Vec<u8>> {
        if !self.kept {
            return None;
        }
        let writing = self.writing.read().clone()?;
        Some(note::encode(blocks, &writing.keyed, writing.era))
    }

    /// How notes are written at the moment.
    pub(crate) fn writing(&self) -> Option<Writing> {
        self.writing.read().clone()
    }

    /// Notes from here on are of this era. Called while writers are stopped, in the step in which protection goes on.
    pub(crate) fn turn(&self, to: Option<Writing>) {
        if to.is_some() {
            *self.writing.write() = to;
        }
    }
}

/// At open: notes go on being written if a pack is in force. Where the index is switched off, a pack of earlier days goes:
/// should it be switched on again, nobody may take it for complete.
pub(crate) fn open(cx: &Inner) -> Result<()> {
    clear_the_way(cx)?;
    if !cx.links.is_kept() {
        return remove_pack(cx);
    }
    let Some((_, era)) = saved(&cx.ledger)? else { return Ok(()) };
    let writing = Writing { keyed: cx.links.keyed.clone(), era };
    // What is wrong with a pack is for the next run to find and tell.
    let head = match PackReader::open(&*cx.files, &pack_path(cx)) {
        Ok(pack) => pack.map(|pack| pack.head),
        Err(Error::DamagedFile { .. }) => None,
        Err(Error::Port(error)) if error.kind() == ErrorKind::TooNew => None,
        Err(error) => return Err(error),
    };
    if head.is_some_and(|head| head.fingerprint == writing.keyed.fingerprint()) {
        *cx.links.writing.write() = Some(writing);
    }
    Ok(())
}

/// Opens an era for a run, durably: no note of an earlier one will ever have its number.
pub(crate) fn next_era(cx: &Inner) -> Result<Option<Writing>> {
    if !cx.links.is_kept() {
        return Ok(None);
    }
    let era = saved(&cx.ledger)?.map_or(0, |(_, era)| era) + 1;
    let writing = Writing { keyed: cx.links.keyed.clone(), era };
    let mut value = vec![VERSION];
    value.extend_from_slice(&era.to_le_bytes());
    value.extend_from_slice(writing.keyed.secret());
    cx.ledger.set(MetaCell::LinkIndex, value)?;
    Ok(Some(writing))
}

/// Secret and era.
type Saved = (Box<[u8; Keyed::SECRET]>, u64);

fn saved(ledger: &Ledger) -> Result<Option<Saved>> {
    let Some(value) = ledger.get(MetaCell::LinkIndex)? else { return Ok(None) };
    let fault =
        |kind, what: &str| Error::from(PortError::bare(kind, format!("read link-index, which {what}")));
    let parsed = value.split_first().and_then(|(version, rest)| {
        let (era, secret) = rest.split_first_chunk::<8>()?;
        Some((*version, u64::from_le_bytes(*era), secret))
    });
    match parsed {
        Some((VERSION, era, secret)) => {
            let secret = secret.try_into().map_err(|_| fault(ErrorKind::Corrupt, "has no secret"))?;
            Ok(Some((Box::new(secret), era)))
        }
        Some((version, ..)) if version > VERSION => Err(fault(ErrorKind::TooNew, "has a newer version")),
        _ => Err(fault(ErrorKind::Corrupt, "is cut")),
    }
}

/// Puts the pack of a run that is about to seal into force, or, if it wrote none, the one before it out of force: from the
/// seal on blocks go that only the old one has. Hot has been synced since the run marked.
pub(crate) fn install(cx: &Inner, folder: &std::path::Path) -> Result<()> {
    let new = folder.join(NEW);
    if cx.files.open(&new)?.is_none() {
        remove_pack(cx)?;
        *cx.links.writing.write() = None;
        return clear_notes(cx, None);
    }
    let links = links_folder(cx);
    cx.files.create_dir(&links)?;
    cx.files.sync_dir(&cx.options.folder)?;
    cx.files.rename(&new, &pack_path(cx))?;
    cx.files.sync_dir(&links)?;
    clear_notes(cx, cx.links.writing().map(|writing| writing.era))
}

/// Removes the notes of eras before this one, or all.
fn clear_notes(cx: &Inner, before: Option<u64>) -> Result<()> {
    let Some(notes) = cx.tiers.hot.link_notes().filter(|_| cx.links.is_kept()) else { return Ok(()) };
    let mut end = None;
    let mut last = None;
    notes.each_link_note(&mut |number, note| {
        last = Some(number);
        // One that cannot be read is for the next run to tell of; it stays, and with it what is behind.
        let stays = note::era(note, number).map_or(true, |era| before.is_some_and(|before| era >= before));
        if stays && end.is_none() {
            end = Some(number);
        }
    })?;
    let end = end.or_else(|| last.map(|last| last.saturating_add(1)));
    Ok(end.map_or(Ok(()), |end| notes.clear_link_notes(end))?)
}

/// A disagreement in words that name the block and the file.
pub(crate) fn told(cx: &Inner, disagreement: &Disagreement) -> String {
    let path = pack_path(cx);
    let Disagreement { key, fault } = disagreement;
    match key {
        Some(key) => format!("{}: block {}: {fault}", path.display(), key.to_cid(DAG_CBOR)),
        None => format!("{}: {fault}", path.display()),
    }
}

/// Nothing may be deleted on the strength of an index that has marked blocks which hot lacks.
pub(crate) fn check_all_found(cx: &Inner, marked: u64, found: u64) -> Result<()> {
    if marked == found {
        return Ok(());
    }
    let path = pack_path(cx);
    set_aside(cx, format!("{}: it has {marked} live blocks, and hot {found} of them", path.display()))?;
    let fault = "it has blocks that hot lacks, and was set aside: the next run builds it anew";
    Err(Error::DamagedFile { path, fault })
}

/// Takes an index out of use that is not what it should be, and tells.
pub(crate) fn set_aside(cx: &Inner, reason: String) -> Result<()> {
    let links = links_folder(cx);
    let aside = links.join("damaged");
    if cx.files.open(&pack_path(cx))?.is_some() {
        cx.files.rename(&pack_path(cx), &aside)?;
        cx.files.sync_dir(&links)?;
    }
    cx.observer.on_event(&Event::LinkIndexSetAside { file: aside, reason });
    Ok(())
}

/// A file in the place of the folder is damage like any other: it is only an index.
fn clear_the_way(cx: &Inner) -> Result<()> {
    let links = links_folder(cx);
    let Err(error) = cx.files.list(&links) else { return Ok(()) };
    if !matches!(cx.files.open(&links), Ok(Some(_))) {
        return Err(error.into());
    }
    let aside = cx.options.folder.join("links-damaged");
    cx.files.rename(&links, &aside)?;
    cx.files.sync_dir(&cx.options.folder)?;
    let reason = format!("{} was a file, not a folder", links.display());
    cx.observer.on_event(&Event::LinkIndexSetAside { file: aside, reason });
    Ok(())
}

fn remove_pack(cx: &Inner) -> Result<()> {
    let path = pack_path(cx);
    if cx.files.open(&path)?.is_some() {
        cx.files.remove(&path)?;
        cx.files.sync_dir(&links_folder(cx))?;
    }
    Ok(())
}

fn links_folder(cx: &Inner) -> PathBuf {
    cx.options.folder.join("links")
}

/// The file in force.
pub(crate) fn pack_path(cx: &Inner) -> PathBuf {
    links_folder(cx).join("pack")
}
