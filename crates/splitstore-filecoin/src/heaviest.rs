//! Which tipset a set of headers stands for.
//!
//! The roots of a chain archive are the headers of its head: one tipset, in the chain's order. Where they
//! are not, they are grouped into tipsets by height and parents, and one is chosen.
//!
//! The protocol weighs a tipset by its parents' weight plus what its own headers add, which needs the power
//! table. Headers alone tell the parents' weight, and this is what is compared: exact between headers of the
//! same parents, and right wherever chains differ by more than their last tipset.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cid::Cid;
use splitstore_domain::{Epoch, Tipset, TipsetKey};
use splitstore_ports::{BlockRead, ErrorKind, PortError, Result};

use crate::Weight;
use crate::tipset::{self, Member};

/// The heaviest tipset that the headers `roots` form.
///
/// If they form one, it is that, its headers in the order given (a CID that stands twice counts once).
/// Otherwise greatest parent weight wins; among equals the smallest tickets, compared one by one in the
/// tipset's order by their blake2b-256 (Filecoin's rule); then more headers; then the lowest key.
///
/// Errors: `Corrupt` for no roots, a root that is not there, and one that is no header, with its CID.
pub fn heaviest_of(roots: &[Cid], blocks: &dyn BlockRead) -> Result<Tipset> {
    let mut tipsets: BTreeMap<(Epoch, TipsetKey), Vec<Member>> = BTreeMap::new();
    for member in load_all(roots, blocks)? {
        let tipset = tipsets.entry((member.header.height, member.header.parents.clone())).or_default();
        if tipset.iter().all(|other| other.cid != member.cid) {
            tipset.push(member);
        }
    }
    if tipsets.len() > 1 {
        for members in tipsets.values_mut() {
            members.sort_by_cached_key(Member::rank);
        }
    }
    let heaviest = tipsets.into_values().max_by_key(|members| strength(members));
    tipset::form(&heaviest.unwrap_or_default())
}

fn load_all(roots: &[Cid], blocks: &dyn BlockRead) -> Result<Vec<Member>> {
    let members = tipset::load(blocks, roots)?.into_iter().zip(roots);
    members
        .map(|(member, root)| {
            let attempt = || format!("find root {root} in the archive's store");
            member.ok_or_else(|| PortError::bare(ErrorKind::Corrupt, attempt()))
        })
        .collect()
}

type Tickets = Vec<Reverse<Option<[u8; 32]>>>;

/// Greater is heavier. A tipset's ticket list that goes on where the other ends is the greater one: more
/// headers win.
fn strength(members: &[Member]) -> (Weight, Tickets, Reverse<Vec<Vec<u8>>>) {
    // The headers of a tipset should agree on the weight; a lone liar must not lift it.
    let weight = members.iter().map(|member| member.header.parent_weight.clone()).min();
    let (tickets, cids) =
        members.iter().map(Member::rank).map(|(ticket, cid)| (Reverse(ticket), cid)).unzip();
    (weight.unwrap_or_default(), tickets, Reverse(cids))
}
