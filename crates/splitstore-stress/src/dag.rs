//! The DAGs of the machine: few subtrees, wanted again after they have become garbage, and a new parent on top
//! of one of them per round.
//!
//! ```text
//!   parent(round) = [top, round, seed]      top = [inner, k]     inner = [leaf a, leaf b]
//! ```

use anyhow::Result;
use ipld_core::ipld::Ipld;
use multihash_codetable::{Code, MultihashDigest};
use splitstore::ports::cid::Cid;

use crate::Dice;

const DAG_CBOR: u64 = 0x71;
const RAW: u64 = 0x55;
/// Subtrees.
const SUBTREES: u64 = 7;
/// Rounds that prefer the same subtree.
const STRETCH: u64 = 48;

/// The subtree that a round builds on. Mostly the same as the round before, so that the others go stale.
pub(crate) fn wanted(seed: u64, round: u64) -> u64 {
    let mut dice = Dice::new(seed, round);
    if dice.below(16) == 0 { dice.below(SUBTREES) } else { (round / STRETCH) % SUBTREES }
}

/// The subtree that a round only asks for; none that a parent stands on.
pub(crate) fn asked_for(seed: u64, round: u64) -> Result<Vec<(Cid, Vec<u8>)>> {
    subtree(seed, SUBTREES + Dice::new(seed, round).below(SUBTREES))
}

/// The blocks of subtree `k`, the top last.
pub fn subtree(seed: u64, k: u64) -> Result<Vec<(Cid, Vec<u8>)>> {
    let [a, b] = ["a", "b"].map(|name| raw(format!("leaf {name} of {k}, seed {seed}").into_bytes()));
    let inner = list(vec![Ipld::Link(a.0), Ipld::Link(b.0)])?;
    let top = list(vec![Ipld::Link(inner.0), Ipld::Integer(k.into())])?;
    Ok(vec![a, b, inner, top])
}

/// The parent of `round`, on top of `top`.
pub fn parent(seed: u64, round: u64, top: Cid) -> Result<(Cid, Vec<u8>)> {
    list(vec![Ipld::Link(top), Ipld::Integer(round.into()), Ipld::Integer(seed.into())])
}

/// All blocks of a round's DAG, the parent last.
pub(crate) fn of_round(seed: u64, round: u64) -> Result<Vec<(Cid, Vec<u8>)>> {
    let mut blocks = subtree(seed, wanted(seed, round))?;
    if let Some((top, _)) = blocks.last() {
        blocks.push(parent(seed, round, *top)?);
    }
    Ok(blocks)
}

fn list(items: Vec<Ipld>) -> Result<(Cid, Vec<u8>)> {
    let bytes = serde_ipld_dagcbor::to_vec(&Ipld::List(items))?;
    Ok((Cid::new_v1(DAG_CBOR, Code::Blake2b256.digest(&bytes)), bytes))
}

fn raw(bytes: Vec<u8>) -> (Cid, Vec<u8>) {
    (Cid::new_v1(RAW, Code::Blake2b256.digest(&bytes)), bytes)
}
