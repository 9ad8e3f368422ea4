//! A second look where a read found nothing: is the block there all the same, behind a damaged key?
//!
//! redb checks nothing as it reads. A bit that turned in a key leaves the entry where it was and sends searches past it,
//! so blocks would look absent, which is worse than an error: whoever asks believes it.
//!
//! ```text
//!   leaf     .. a  K' b  c ..        K' was K. The search for K ends at one side of K'.
//!   branch   .. a | K' | b ..        Where K' < a, the search for a is sent to the right of K' and ends there.
//!                                    Where K' > b, the search for b ends at the left of K'.
//! ```
//! In all cases the end of the search is beside `K'`, since all other keys are in order and narrow it down to there. So:
//!
//! - a neighbour whose key is nearly the one looked for is it, if its data hashes to the CID;
//! - where a search was sent astray, two neighbours are out of order, and the block is found one by one from there.
//!
//! What is really absent costs two more descents and no hash.

use redb::Range;
use splitstore_domain::BlockKey;
use thiserror::Error;

use crate::fault::{Fault, calmly};
use crate::reader::{Reader, Value};

/// Up to so many turned bits a key is taken for another's: what one damaged byte can do. Two honest digests differ in
/// half of their bits.
const TURNED: u32 = 8;

/// Neighbours that are looked at on each side: two show whether the nearer one is in its place.
const NEIGHBOURS: usize = 2;

/// How many entries are gone through on each side of two that are out of order: some hundred pages.
const ASTRAY: usize = 16_384;

/// What the second look met.
#[derive(Debug, Error)]
pub(crate) enum Damage {
    /// redb failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Keys out of order, and the block is not near: it may be anywhere.
    #[error("keys beside it are damaged or out of order, so whether it is there cannot be told")]
    Order,
}

/// What may be the block: for its hash to say.
pub(crate) fn find(reader: &Reader<'_>, key: &BlockKey) -> Result<Option<Value>, Damage> {
    let wanted = key.as_bytes();
    let nearly = |found: &[u8]| near(found, wanted);
    let (before, behind) = range(reader, wanted)?;
    let (before, found) = look(before.rev(), NEIGHBOURS, nearly)?;
    if found.is_some() {
        return Ok(found);
    }
    let (behind, found) = look(behind, NEIGHBOURS, nearly)?;
    if found.is_some() {
        return Ok(found);
    }
    if in_order(&before, wanted, &behind) { Ok(None) } else { astray(reader, wanted) }
}

/// Goes through the entries on both sides, one by one.
fn astray(reader: &Reader<'_>, wanted: &[u8]) -> Result<Option<Value>, Damage> {
    let (before, behind) = range(reader, wanted)?;
    let same = |found: &[u8]| found == wanted;
    let found = match look(before.rev(), ASTRAY, same)? {
        (_, Some(value)) => Some(value),
        (_, None) => look(behind, ASTRAY, same)?.1,
    };
    found.map(Some).ok_or(Damage::Order)
}

type Entries = Range<'static, &'static [u8], &'static [u8]>;
type Entry = <Entries as Iterator>::Item;

/// What the tree says is before a key, and what is behind it.
fn range(reader: &Reader<'_>, wanted: &[u8]) -> Result<(Entries, Entries), Fault> {
    let table = reader.table();
    calmly(|| Ok((table.range::<&[u8]>(..=wanted)?, table.range::<&[u8]>(wanted..)?)))
}

/// The keys of up to `most` entries, and the first value whose key is `right`.
fn look(
    mut entries: impl Iterator<Item = Entry>,
    most: usize,
    right: impl Fn(&[u8]) -> bool,
) -> Result<(Vec<Vec<u8>>, Option<Value>), Fault> {
    calmly(|| {
        let mut keys = Vec::new();
        for entry in entries.by_ref().take(most) {
            let (key, value) = entry?;
            if right(key.value()) {
                return Ok((keys, Some(Value::new(value))));
            }
            keys.push(key.value().to_vec());
        }
        Ok((keys, None))
    })
}

/// Whether all are keys and ascend; `before` begins with the nearest.
fn in_order(before: &[Vec<u8>], wanted: &[u8], behind: &[Vec<u8>]) -> bool {
    let keys = before.iter().rev().map(Vec::as_slice).chain([wanted]);
    let keys = keys.chain(behind.iter().map(Vec::as_slice));
    let are_keys = before.iter().chain(behind).all(|key| BlockKey::from_bytes(key).is_ok());
    are_keys && keys.is_sorted_by(|left, right| left < right)
}

fn near(left: &[u8], right: &[u8]) -> bool {
    let turned = |(left, right): (&u8, &u8)| (left ^ right).count_ones();
    left.len() == right.len() && left.iter().zip(right).map(turned).sum::<u32>() <= TURNED
}
