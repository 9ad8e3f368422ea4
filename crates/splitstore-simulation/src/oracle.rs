//! What must be readable, said with sets of numbers.
//!
//! ```text
//!   live      the retention table at the head                        law 1, always
//!   owed      read, written, viewed, applied since the run began,
//!             with all that was there below it at that moment        law 1, until the next run begins
//!   deleted   gone by a purge and not put since                      law 2: nothing that shows hangs above it
//!   flushed   there when a flush returned                            universal: for ever
//! ```

use std::collections::{BTreeMap, BTreeSet};

use splitstore_domain::{ColdPolicy, Epoch, Policy, Window};

use crate::universe::{Id, Universe};

/// The promises of one store.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) owed: BTreeSet<Id>,
    /// On whose behalf each of them is, and why.
    pub(crate) reasons: BTreeMap<Id, (Id, &'static str)>,
    /// What was written since the run began, with all below it.
    pub(crate) written: BTreeSet<Id>,
    /// The same, as far as a flush covered it: survives a crash.
    pub(crate) carried: BTreeSet<Id>,
    pub(crate) flushed: BTreeSet<Id>,
    pub(crate) deleted: BTreeSet<Id>,
    /// On its way out of hot by a rewrite, or left over by one that failed: as good as gone.
    pub(crate) going: BTreeSet<Id>,
    /// Behind a filter with a hole below it when somebody wrote its parent, who will bring it, too: its deletion is no
    /// loss.
    pub(crate) promised: BTreeSet<Id>,
    /// Blocks of cold, and what was not there below them when they came there: nobody promised to follow it.
    pub(crate) holes: BTreeSet<(Id, Id)>,
    /// What was in neither tier when it was put, since the run began.
    pub(crate) fresh: BTreeSet<Id>,
    /// Deleted from hot although it was live or owed.
    pub(crate) wrongly: Option<Id>,
    /// Deleted from hot under `universal`, and not in cold.
    pub(crate) lost: Option<Id>,
    /// Kept as a leaf by somebody who asked for it as raw: promises nothing below it.
    pub(crate) leaves: BTreeSet<Id>,
    /// Headers that the present run walks as such.
    pub(crate) canonical: BTreeSet<Id>,
    pub(crate) live: BTreeSet<Id>,
    /// What hangs in the window from reverted tipsets younger than finality: it may be lost by a power cut, and is
    /// never deleted.
    pub(crate) forked: BTreeSet<Id>,
    /// Under `messages`: old messages and receipts of the chain.
    pub(crate) moved: BTreeSet<Id>,
}

impl Oracle {
    /// These are owed from now on, for this root.
    pub(crate) fn owe(&mut self, ids: BTreeSet<Id>, root: Id, why: &'static str) {
        for id in ids {
            if self.owed.insert(id) {
                self.reasons.insert(id, (root, why));
            }
        }
    }

    /// Why a block must be readable.
    pub(crate) fn reason(&self, id: Id) -> String {
        match self.reasons.get(&id).filter(|_| self.owed.contains(&id)) {
            _ if self.live.contains(&id) => format!("b{id} (in the window)"),
            Some((root, why)) => format!("b{id} (below b{root}, {why})"),
            None => format!("b{id}"),
        }
    }
}

/// Everything below a block that is there now, itself included.
pub(crate) fn closure(
    universe: &Universe,
    from: Id,
    canonical: &BTreeSet<Id>,
    there: impl Fn(Id) -> bool,
) -> BTreeSet<Id> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if found.contains(&id) || !there(id) {
            continue;
        }
        found.insert(id);
        let block = &universe.blocks[id];
        open.extend(&block.links);
        if let Some(parts) = block.header.as_ref().filter(|_| !canonical.contains(&id)) {
            open.extend([parts.state, parts.receipts, parts.messages]);
            open.extend(&parts.parents);
        }
    }
    found
}

/// What the retention table keeps hot at a head, and what policy `messages` keeps in either tier.
pub(crate) fn table(
    universe: &Universe,
    head: &[Id],
    policy: &Policy,
    key_object: impl Fn(&[Id]) -> Option<Id>,
) -> (BTreeSet<Id>, BTreeSet<Id>) {
    let height = universe.blocks[head[0]].header.as_ref().map_or(0, |parts| parts.height);
    let window = Window::at(Epoch::new(height), Epoch::GENESIS, policy);
    let (live, mut moved) = below_tipset(universe, head, &window, key_object, &|_| true);
    if policy.cold() != ColdPolicy::Messages {
        moved.clear();
    }
    (live, moved)
}

/// What a window keeps hot of the chain below a tipset, and what of it is old, as far as it is there.
pub(crate) fn below_tipset(
    universe: &Universe,
    tipset: &[Id],
    window: &Window,
    key_object: impl Fn(&[Id]) -> Option<Id>,
    there: &dyn Fn(Id) -> bool,
) -> (BTreeSet<Id>, BTreeSet<Id>) {
    let (mut live, mut moved) = (BTreeSet::new(), BTreeSet::new());
    let whole = |root| closure(universe, root, &BTreeSet::new(), there);
    let mut tipset = tipset.to_vec();
    while !tipset.is_empty() {
        live.extend(key_object(&tipset).filter(|id| there(*id)));
        let mut parents = Vec::new();
        for id in tipset.into_iter().filter(|id| there(*id)) {
            live.insert(id);
            let Some(parts) = &universe.blocks[id].header else { continue };
            if parts.height >= window.boundary.height() || parts.height == 0 {
                live.extend(whole(parts.state));
            }
            if parts.height > 0 {
                let hot = parts.height >= window.messages_from.height();
                let set = if hot { &mut live } else { &mut moved };
                set.extend(whole(parts.messages));
                set.extend(whole(parts.receipts));
            }
            parents.clone_from(&parts.parents);
        }
        tipset = parents;
    }
    (live, moved)
}
