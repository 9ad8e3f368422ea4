//! Audit: every block's hash in both tiers, everything that must be live is there, and the link index says of every block
//! what the block says.
//!
//! It reports all it finds instead of stopping at the first, and it changes nothing. A page that cannot be read ends the check
//! that came to it, as a finding, and the next check goes on.

use std::ops::ControlFlow;
use std::path::Path;

use cid::Cid;
use splitstore_domain::links::LinkError;
use splitstore_domain::retain::Scope;
use splitstore_domain::{Audit, HeaderView, Violation, digest};
use splitstore_ports::{BlockRead, ErrorKind, KeyEntry, KeyScan};

use crate::chain_walk::ChainWalk;
use crate::error::{Error, Result, with_causes};
use crate::graph::{Disagreement, Graph};
use crate::links::{self, Unusable};
use crate::store::Inner;
use crate::walk::{Leaves, Missing, Sink, Walker};

/// Keys looked at between two looks at the interrupt.
const BATCH: usize = 1024;

/// Audits the whole store; without a head there is no live set to check.
pub(crate) fn audit(cx: &Inner) -> Result<Audit> {
    cx.exclusively("audit", |folder| audit_in(cx, folder))
}

fn audit_in(cx: &Inner, folder: &Path) -> Result<Audit> {
    let mut audit = Audit::default();
    audit.hot_blocks = check_hashes(cx, &*cx.tiers.hot, "hot", &mut audit)?;
    audit.cold_blocks = check_hashes(cx, &*cx.tiers.cold, "cold", &mut audit)?;
    let checked = check_links(cx, &mut audit);
    damage_is_a_finding(checked, "link index", &mut audit)?;
    match check_live(cx, folder, &mut audit) {
        Err(Error::NoHead | Error::NotStarted) => {}
        checked => damage_is_a_finding(checked, "live blocks", &mut audit)?,
    }
    Ok(audit)
}

/// Takes damage that has ended a check for a finding of it.
fn damage_is_a_finding(checked: Result<()>, what: &'static str, audit: &mut Audit) -> Result<()> {
    match checked {
        Err(Error::Port(error)) if error.kind() == ErrorKind::Corrupt => {
            audit.found(Violation::Unreadable { what, fault: with_causes(&error) });
            Ok(())
        }
        checked => checked,
    }
}

fn check_hashes<T>(cx: &Inner, tier: &T, name: &'static str, audit: &mut Audit) -> Result<u64>
where
    T: BlockRead + KeyScan + ?Sized,
{
    let mut cursor = match tier.keys() {
        Ok(cursor) => cursor,
        Err(error) => return damage_is_a_finding(Err(error.into()), name, audit).map(|()| 0),
    };
    let mut batch = Vec::with_capacity(BATCH);
    let mut checked = 0;
    loop {
        cx.interrupt.check("verify the store")?;
        batch.clear();
        let listed = cursor.next_batch(&mut batch, BATCH);
        checked += batch.len() as u64;
        check_batch(tier, &batch, name, audit)?;
        let goes_on = listed.is_ok() && !batch.is_empty();
        damage_is_a_finding(listed.map_err(Error::from), name, audit)?;
        if !goes_on {
            return Ok(checked);
        }
    }
}

fn check_batch<T>(tier: &T, batch: &[KeyEntry], name: &'static str, audit: &mut Audit) -> Result<()>
where
    T: BlockRead + ?Sized,
{
    for entry in batch {
        let cid = entry.cid();
        let mut sound = None;
        let read = tier.view(&cid, &mut |data| sound = Some(digest::verify(&cid, data).is_ok()));
        match (read, sound) {
            (Err(error), _) if error.kind() != ErrorKind::Corrupt => return Err(error.into()),
            (Err(_), _) | (Ok(_), Some(false)) => audit.found(Violation::WrongHash { tier: name, cid }),
            // Deleted since the scan began, or sound.
            (Ok(_), None | Some(true)) => {}
        }
    }
    Ok(())
}

/// Compares the link index, if there is one, with every block that hot has now.
fn check_links(cx: &Inner, audit: &mut Audit) -> Result<()> {
    let (Some(blocks), true) = (cx.tiers.hot.block_scan(), cx.links.is_kept()) else { return Ok(()) };
    let mut found = |cid, fault| audit.found(Violation::LinkIndex { cid, fault });
    let (parts, added) = match (links::load(cx)?, cx.links.writing()) {
        (Ok(read), Some(_)) => read,
        (Err(Unusable::Distrusted(fault)), _) => {
            found(None, fault);
            return Ok(());
        }
        (Ok(_) | Err(Unusable::Absent(_)), _) => return Ok(()),
    };
    let Some(writing) = cx.links.writing() else { return Ok(()) };
    let graph = Graph::of_parts(blocks.snapshot()?, parts, added, &writing.keyed, 1)?;
    let path = links::pack_path(cx);
    let (mut known, mut going, mut compared) = (0, Ok(()), 0);
    graph.each_block(&mut |ordinal, block| {
        compared += 1;
        known += u32::from(ordinal.is_some());
        let disagreement = ordinal.and_then(|ordinal| graph.compare(ordinal, block));
        if let Some(Disagreement { fault, .. }) = disagreement {
            found(Some(block.key.to_cid(block.codec)), format!("{}: {fault}", path.display()));
        }
        going = cx.interrupt.check("verify the store");
        if going.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    going?;
    let lacking = graph.index().len() - known;
    if lacking > 0 {
        found(None, format!("{}: it has {lacking} blocks that hot lacks", path.display()));
    }
    audit.indexed_blocks = Some(compared);
    Ok(())
}

fn check_live(cx: &Inner, folder: &Path, audit: &mut Audit) -> Result<()> {
    let window = cx.window_now()?;
    let sets = crate::run::new_sets(cx, folder, "live")?;
    // Only who reads them learns that they are there.
    let live = Walker::new(cx.tiers.clone(), sets, Leaves::Read);
    let mut walk = ChainWalk::new(cx.tiers.clone(), cx.chain()?.clone(), live, None);
    let every_root = cx.roots_of(window)?;
    let roots_of = |header: &HeaderView| {
        let roots = every_root(header).into_iter();
        roots.filter(|root| root.scope == Scope::Hot).collect()
    };
    walk.push_tipset(&cx.head()?.key, &mut Findings(audit))?;
    while let Some(walked) = walk.step(&roots_of, &mut Findings(audit))? {
        cx.interrupt.check("verify the store")?;
        audit.live_blocks += walked.objects;
    }
    Ok(())
}

struct Findings<'a>(&'a mut Audit);

impl Sink for Findings<'_> {
    fn missing(&mut self, missing: &Missing) -> Result<()> {
        let Missing { cid, root, .. } = *missing;
        if missing.is_fatal() {
            self.0.found(Violation::MissingLive { cid, parent: (root != cid).then_some(root) });
        } else {
            self.0.tolerated += 1;
        }
        Ok(())
    }

    fn malformed(&mut self, cid: Cid, source: LinkError) -> Result<()> {
        self.0.found(Violation::Malformed { cid, fault: source.to_string() });
        Ok(())
    }
}
