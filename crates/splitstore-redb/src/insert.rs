//! Putting a sorted batch into the table.
//!
//! ```text
//!   batch   b c d       p q
//!   table  a       m       z      gap a..m takes b c d as one run, gap m..z takes p q
//! ```
//! redb's cursor writes a run of keys that fall between two neighbours page by page: three times as fast as one
//! by one, says its changelog, and into fuller pages. A batch that follows all keys there is one run. A run of
//! one gains nothing, so single keys take the plain way.

use std::ops::Bound;

use redb::{ReadableTable, Table};
use splitstore_domain::{BlockKey, record};
use splitstore_ports::Block;

use crate::file::Change;

type Blocks<'t> = Table<'t, &'static [u8], &'static [u8]>;
type Sorted<'b> = (BlockKey, Block<'b>);

/// The blocks in the order of their keys, each key once: of several the first.
pub(crate) fn sorted<'b>(blocks: &[Block<'b>]) -> Vec<Sorted<'b>> {
    let mut sorted: Vec<Sorted<'b>> =
        blocks.iter().map(|block| (BlockKey::from(&block.cid), *block)).collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    sorted.dedup_by(|(later, _), (earlier, _)| later == earlier);
    sorted
}

/// Inserts what is not there; writes anew what is there with other data, for that is damaged.
pub(crate) fn insert(table: &mut Blocks<'_>, sorted: &[Sorted<'_>]) -> Result<Change, redb::Error> {
    let mut change = Change::None;
    let mut scratch = Vec::new();
    let mut rest = sorted;
    while let Some(((key, block), after)) = rest.split_first() {
        match place(table, key, block)? {
            Place::Kept => rest = after,
            Place::Damaged => {
                table.insert(key.as_bytes(), encode(block, &mut scratch))?;
                change = Change::Some;
                rest = after;
            }
            Place::Gap(end) => {
                let run =
                    rest.partition_point(|(key, _)| end.as_deref().is_none_or(|end| key.as_bytes() < end));
                let (run, after) = rest.split_at(run);
                insert_run(table, run, &mut scratch)?;
                change = Change::Some;
                rest = after;
            }
        }
    }
    Ok(change)
}

enum Place {
    /// There, with this data.
    Kept,
    /// There, with other data.
    Damaged,
    /// Not there; the next key that is.
    Gap(Option<Vec<u8>>),
}

fn place(table: &Blocks<'_>, key: &BlockKey, block: &Block<'_>) -> Result<Place, redb::Error> {
    let mut cursor = table.lower_bound(Bound::Included(key.as_bytes()))?;
    let Some((next, value)) = cursor.peek_next()? else {
        return Ok(Place::Gap(None));
    };
    if next.value() != key.as_bytes() {
        return Ok(Place::Gap(Some(next.value().to_vec())));
    }
    let same = record::decode(value.value()).is_ok_and(|(_, data)| data == block.data);
    Ok(if same { Place::Kept } else { Place::Damaged })
}

fn insert_run(table: &mut Blocks<'_>, run: &[Sorted<'_>], scratch: &mut Vec<u8>) -> Result<(), redb::Error> {
    if let [(key, block)] = run {
        table.insert(key.as_bytes(), encode(block, scratch))?;
        return Ok(());
    }
    let Some((first, _)) = run.first() else {
        return Ok(());
    };
    let mut cursor = table.lower_bound_mut(Bound::Included(first.as_bytes()))?;
    for (key, block) in run {
        cursor.insert_before(key.as_bytes(), encode(block, scratch))?;
    }
    Ok(cursor.close()?)
}

fn encode<'s>(block: &Block<'_>, scratch: &'s mut Vec<u8>) -> &'s [u8] {
    scratch.clear();
    record::encode(block.cid.codec(), block.data, scratch);
    scratch
}
