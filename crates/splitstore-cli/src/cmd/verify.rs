//! `verify`: every block's hash in both tiers, and everything that must be live is there.

use std::fmt::Write;

use anyhow::Result;
use serde_json::json;
use splitstore::domain::{Audit, Violation};
use splitstore::folder::HotEngine;

use crate::args::{Cli, WindowArgs};
use crate::exit::{HOT_UNREPAIRED, Outcome};
use crate::opened;
use crate::output::Output;

pub(crate) fn run(cli: &Cli, windows: WindowArgs, output: Output) -> Result<Outcome> {
    let folder = opened::open_with(cli, windows)?;
    let mut audit = folder.store().audit()?;
    for cid in folder.lost_head().into_iter().flat_map(|lost| lost.key.cids()) {
        audit.found(Violation::MissingLive { cid: *cid, parent: None });
    }
    let head = folder.head()?;
    let mut text = format!(
        "{} hot{} and {} cold{} blocks hash to their keys or are named below",
        audit.hot_blocks,
        partly(&audit, "hot"),
        audit.cold_blocks,
        partly(&audit, "cold"),
    );
    let _ = match &head {
        Some(head) => write!(text, "\n{} blocks are live below head {}", audit.live_blocks, head.height),
        None => write!(text, "\nno head: nothing must be live"),
    };
    if let Some(compared) = audit.indexed_blocks {
        let _ = write!(text, "\nthe link index was compared with {compared} blocks of hot");
    }
    if audit.tolerated > 0 {
        let _ = write!(text, "\n{} blocks are absent that a snapshot may lack", audit.tolerated);
    }
    for violation in &audit.violations {
        let _ = write!(text, "\nbroken: {violation}");
    }
    let count = audit.violations.len() as u64 + audit.more;
    let way_out = way_out(&audit, folder.settings().hot);
    let _ = match count {
        0 => write!(text, "\nno law is broken"),
        1 => write!(text, "\n1 finding: {way_out}"),
        count => write!(text, "\n{count} findings: {way_out}"),
    };
    let json = json!({
        "clean": audit.is_clean(),
        "hot_blocks": audit.hot_blocks,
        "cold_blocks": audit.cold_blocks,
        "live_blocks": audit.live_blocks,
        "tolerated": audit.tolerated,
        "indexed_blocks": audit.indexed_blocks,
        "head_height": head.map(|head| head.height.height()),
        "findings": count,
        "violations": audit.violations.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    output.result(text, &json)?;
    Ok(if audit.is_clean() { Outcome::Done } else { Outcome::Wrong })
}

/// That a count is none of all, if a page ended it.
fn partly(audit: &Audit, tier: &str) -> &'static str {
    let ends = |found: &Violation| matches!(found, Violation::Unreadable { what, .. } if *what == tier);
    if audit.violations.iter().any(ends) { " (not all: its check ended early)" } else { "" }
}

/// What the worst of the findings asks for.
fn way_out(audit: &Audit, engine: HotEngine) -> &'static str {
    let any = |is: fn(&Violation) -> bool| audit.violations.iter().any(is);
    if any(|found| matches!(found, Violation::Unreadable { what: "hot" | "link index", .. })) {
        if engine.has_repair() {
            "run `repair`, which writes what can be read of hot to a new one, then `verify` again"
        } else {
            HOT_UNREPAIRED
        }
    } else if any(|found| matches!(found, Violation::Unreadable { what: "cold", .. })) {
        "put back a copy of cold that is whole, or import the chain into a new store"
    } else if any(|found| matches!(found, Violation::WrongHash { tier: "cold", .. })) {
        "import the chain again, and compact: a damaged block of cold is written anew when it moves there again; \
         as long as hot keeps it reads are answered from there, and it goes on being named here"
    } else if audit.more > 0 || any(|found| !matches!(found, Violation::LinkIndex { .. })) {
        "import the chain again to mend the store"
    } else {
        "no block is lost, the next compaction builds the link index anew"
    }
}
