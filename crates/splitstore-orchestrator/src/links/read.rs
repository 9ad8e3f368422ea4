//! Reading the index at the beginning of a run: pack and notes, and whether they may be believed.

use splitstore_domain::Fallback;
use splitstore_ports::ErrorKind;

use super::pack::PackReader;
use super::{note, pack_path};
use crate::error::{Error, Result};
use crate::graph::{Added, Parts};
use crate::run::threads;
use crate::store::Inner;

/// Why there is nothing to mark by.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// There is none, and that is no surprise.
    Absent(Fallback),
    /// There is one that is not what it should be.
    Distrusted(String),
}

/// What the index holds: the pack, and what was written since.
pub(crate) fn load(cx: &Inner) -> Result<Result<(Parts, Added), Unusable>> {
    match read(cx) {
        Ok(read) => Ok(read),
        Err(error @ Error::DamagedFile { .. }) => Ok(Err(Unusable::Distrusted(error.to_string()))),
        // Of a newer version, or damaged notes: the scan does without.
        Err(Error::Port(error)) if matches!(error.kind(), ErrorKind::TooNew | ErrorKind::Corrupt) => {
            Ok(Err(Unusable::Distrusted(error.to_string())))
        }
        Err(error) => Err(error),
    }
}

fn read(cx: &Inner) -> Result<Result<(Parts, Added), Unusable>> {
    let path = pack_path(cx);
    let distrust = |what: &str| Ok(Err(Unusable::Distrusted(format!("{}: {what}", path.display()))));
    let Some(pack) = PackReader::open(&*cx.files, &path)? else {
        return Ok(Err(Unusable::Absent(Fallback::NoIndex)));
    };
    let Some(writing) = cx.links.writing() else { return distrust("nobody knows its secret") };
    let head = pack.head;
    if head.fingerprint != writing.keyed.fingerprint() {
        return distrust("its names are of another secret");
    }
    // The run that wrote it has finished, or has not sealed, or is the last.
    let last = cx.ledger.index()?;
    if head.run != last && head.run != last + 1 {
        return distrust("runs have passed since that knew nothing of it");
    }
    // Both are long, and neither asks for the other.
    if threads(head.blocks) == 1 {
        return Ok(Ok((pack.read()?, read_notes(cx, head.era)?)));
    }
    std::thread::scope(|scope| {
        let added = scope.spawn(|| read_notes(cx, head.era));
        let parts = pack.read();
        let added = added.join().expect("reading notes does not panic");
        Ok(Ok((parts?, added?)))
    })
}

fn read_notes(cx: &Inner, since: u64) -> Result<Added> {
    let mut added = Added::default();
    let Some(notes) = cx.tiers.hot.link_notes() else { return Ok(added) };
    let mut outcome = Ok(());
    notes.each_link_note(&mut |number, bytes| {
        if outcome.is_ok() {
            outcome = note::era(bytes, number)
                .and_then(|era| if era < since { Ok(()) } else { note::decode(bytes, number, &mut added) });
        }
    })?;
    added.sort();
    outcome.map(|()| added)
}
