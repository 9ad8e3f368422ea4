//! Marks made after the seal, as notes in hot's own log.
//!
//! ```text
//!   note   version u8 = 1 | run u64 LE | (reading u8 | key length u8 | key)*
//! ```
//! **Why no note needs a sync.** Hot keeps one log of puts, deletes and notes, and a power cut leaves a beginning of
//! it. Let X be a block that was put after the seal and that the cut left. Then
//!
//! 1. its note is left, as both are one batch;
//! 2. every mark that the walk below X stopped at is durable: sealed with the marks file, or noted before, as walks
//!    stop only at what is in the sets, and nothing comes there before its note is in the log;
//! 3. every delete that the walk below X saw (as a block that is gone) stands before X in the log, and is left: no
//!    delete is undone behind a mark's back.
//!
//! So after a restart X is marked with exactly what was there below it, and the resumed purge spares it. If the cut
//! took X, it took what relied on X. A reader who was told "yes", wrote nothing and flushed relies on a mark whose
//! note stands before that flush. A killed process loses nothing of the log at all.

use splitstore_domain::BlockKey;
use splitstore_ports::{ErrorKind, Notes, PortError, Reading, Visit};

use crate::error::Result;

const VERSION: u8 = 1;

/// The note that these visits were made by the run of this index.
pub(crate) fn encode(run: u64, visits: &[Visit]) -> Vec<u8> {
    let mut note = Vec::with_capacity(9 + visits.len() * 40);
    note.push(VERSION);
    note.extend_from_slice(&run.to_le_bytes());
    for Visit { key, reading } in visits {
        let key = key.as_bytes();
        let len = u8::try_from(key.len()).expect("multihashes are at most 80 bytes");
        note.extend_from_slice(&[*reading as u8, len]);
        note.extend_from_slice(key);
    }
    note
}

/// Shows the visits of every note of this run, in order. Notes of other runs are none of ours.
pub(crate) fn read(hot: &dyn Notes, run: u64, see: &mut dyn FnMut(Vec<Visit>) -> Result<()>) -> Result<()> {
    let mut outcome = Ok(());
    let mut number = 0_u64;
    hot.notes(&mut |note| {
        if outcome.is_ok() {
            outcome = decode(note, run, number).and_then(|visits| visits.map_or(Ok(()), &mut *see));
        }
        number += 1;
    })?;
    outcome
}

fn decode(note: &[u8], run: u64, number: u64) -> Result<Option<Vec<Visit>>> {
    let fault =
        |kind, what| PortError::bare(kind, format!("read note {number} of the hot tier, which {what}"));
    let head =
        note.split_first().and_then(|(version, rest)| Some((*version, rest.split_first_chunk::<8>()?)));
    match head {
        Some((VERSION, (of, _))) if u64::from_le_bytes(*of) != run => Ok(None),
        Some((VERSION, (_, visits))) => {
            let damaged = || fault(ErrorKind::Corrupt, "holds a visit that cannot be read").into();
            decode_visits(visits).map(Some).ok_or_else(damaged)
        }
        Some((version, _)) if version > VERSION => {
            Err(fault(ErrorKind::TooNew, "has a newer version").into())
        }
        Some(_) | None => Err(fault(ErrorKind::Corrupt, "is none of a run").into()),
    }
}

fn decode_visits(mut bytes: &[u8]) -> Option<Vec<Visit>> {
    let mut visits = Vec::new();
    while let Some((&[reading, len], rest)) = bytes.split_first_chunk::<2>() {
        let reading =
            [Reading::Opaque, Reading::Dag, Reading::Header].into_iter().find(|r| *r as u8 == reading)?;
        let (key, rest) = rest.split_at_checked(len.into())?;
        visits.push(Visit { key: BlockKey::from_bytes(key).ok()?, reading });
        bytes = rest;
    }
    bytes.is_empty().then_some(visits)
}

#[cfg(test)]
mod tests {
    use splitstore_memory::MemoryStore;

    use super::*;

    fn visits() -> Vec<Visit> {
        let key = |n: u8| BlockKey::from_bytes(&[0x1e, 2, n, n]).expect("a multihash of two bytes");
        vec![
            Visit { key: key(1), reading: Reading::Opaque },
            Visit { key: key(2), reading: Reading::Dag },
            Visit { key: key(3), reading: Reading::Header },
        ]
    }

    fn read_back(note: &[u8], run: u64) -> Result<Vec<Visit>> {
        let hot = MemoryStore::hot();
        hot.put_many_noting(&[], note).unwrap();
        let mut all = Vec::new();
        read(&hot, run, &mut |visits| {
            all.extend(visits);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn a_note_is_read_back_by_its_run_and_no_other() {
        assert_eq!(read_back(&encode(7, &visits()), 7).unwrap(), visits());
        assert_eq!(read_back(&encode(7, &visits()), 8).unwrap(), []);
        assert_eq!(read_back(&encode(7, &[]), 7).unwrap(), []);
    }

    #[test]
    fn a_cut_or_newer_note_is_an_error_that_names_it() {
        let note = encode(7, &visits());
        for len in 0..note.len() {
            let whole = len >= 9 && (len - 9) % 6 == 0;
            let error = match read_back(&note[..len], 7) {
                Ok(_) if whole => continue,
                Ok(_) => panic!("{len} bytes of a note were used"),
                Err(error) => error.to_string(),
            };
            assert!(error.contains("note 0 of the hot tier"), "{error}");
        }
        let mut newer = note;
        newer[0] = VERSION + 1;
        assert!(read_back(&newer, 7).unwrap_err().to_string().contains("newer version"));
    }
}
