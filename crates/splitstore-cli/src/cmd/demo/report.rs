//! What the demo prints: a table per compaction, and a closing summary.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use splitstore::domain::{ByteCount, CompactionReport};
use splitstore::folder::FolderSettings;

use super::judge::Verdict;
use crate::cmd::shape;
use crate::exit::Outcome;
use crate::output::{Output, print};

/// Gathers what happened; prints it as it happens, or to machines all at the end.
pub(super) struct Report {
    output: Output,
    chain: String,
    rows: Vec<Row>,
    played: Played,
}

struct Row {
    done: CompactionReport,
    clean: bool,
    verified: u64,
    verify_time: Duration,
}

#[derive(Default)]
struct Played {
    blocks: u64,
    bytes: u64,
    time: Duration,
}

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self { output, chain: String::new(), rows: Vec::new(), played: Played::default() }
    }

    pub(super) fn compactions(&self) -> usize {
        self.rows.len()
    }

    /// What will be played.
    pub(super) fn title(&mut self, chain: &str, settings: &FolderSettings) -> Result<()> {
        chain.clone_into(&mut self.chain);
        let windows = &settings.windows;
        self.say(&format!(
            "splitstore demo\n\nchain     {chain}\nstore     hot {}, cold {}, marks {}, cold policy {}\n\
             windows   finality {} epochs; compacts beyond {} finalities, keeps {} hot\n",
            settings.hot,
            settings.cold,
            settings.marks,
            windows.cold_policy,
            windows.finality_epochs,
            windows.threshold_finalities,
            windows.boundary_finalities,
        ))
    }

    /// A compaction and how the laws fared.
    pub(super) fn compaction(
        &mut self,
        done: CompactionReport,
        verdict: &Verdict,
        verify_time: Duration,
    ) -> Result<()> {
        let mut text = format!("{done}\n");
        let audit = &verdict.audit;
        let seconds = verify_time.as_secs_f64();
        if verdict.is_clean() {
            let _ = writeln!(
                text,
                "laws      kept: {} live blocks are there, {} hot and {} cold blocks hash to their keys,\n\
                 {:10}all {} blocks ever put read back as they were put ({seconds:.3} s)",
                audit.live_blocks, audit.hot_blocks, audit.cold_blocks, "", verdict.read,
            );
        } else {
            let violations =
                audit.violations.iter().map(|violation| format!("laws      BROKEN: {violation}"));
            let lost =
                verdict.lost.iter().map(|cid| format!("laws      BROKEN: block {cid} was put and is lost"));
            let _ = violations.chain(lost).try_for_each(|line| writeln!(text, "{line}"));
        }
        self.say(&text)?;
        let (clean, verified) = (verdict.is_clean(), verdict.read);
        self.rows.push(Row { done, clean, verified, verify_time });
        Ok(())
    }

    /// The whole chain was played.
    pub(super) fn played(&mut self, blocks: u64, bytes: u64, time: Duration) {
        self.played = Played { blocks, bytes, time };
    }

    /// The summary, and how the demo ends.
    pub(super) fn close(self) -> Result<Outcome> {
        self.output.result(self.summary(), &self.json())?;
        Ok(if self.is_clean() { Outcome::Done } else { Outcome::Wrong })
    }

    fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.clean)
    }

    fn say(&self, text: &str) -> Result<()> {
        match self.output {
            Output::Text => print(|out| Ok(writeln!(out, "{text}")?)),
            Output::Json => Ok(()),
        }
    }

    fn summary(&self) -> String {
        let mut text = String::from("summary\n");
        let _ = writeln!(
            text,
            "{:>4} {:>8} {:>9} {:>9} {:>11} {:>11} {:>11} {:>9}",
            "run", "head", "kept", "moved", "hot before", "hot after", "cold after", "time"
        );
        for row in &self.rows {
            let CompactionReport { index, plan, before, after, .. } = &row.done;
            let _ = writeln!(
                text,
                "{index:>4} {:>8} {:>9} {:>9} {:>11} {:>11} {:>11} {:>8.3}s",
                plan.window.head.height(),
                plan.keep.blocks,
                plan.transfer.blocks,
                size(before.hot),
                size(after.hot),
                size(after.cold),
                row.done.duration().as_secs_f64(),
            );
        }
        let Played { blocks, bytes, time } = &self.played;
        let compacting: Duration = self.rows.iter().map(|row| row.done.duration()).sum();
        let verifying: Duration = self.rows.iter().map(|row| row.verify_time).sum();
        let moved: u64 = self.rows.iter().map(|row| row.done.plan.transfer.blocks).sum();
        let read: u64 = self.rows.iter().map(|row| row.verified).sum();
        let _ = write!(
            text,
            "\n{blocks} blocks, {}, were put; {moved} of them were moved to cold; {read} reads were checked\n\
             {:.2} s in all: {:.2} s compacting, {:.2} s verifying\n\nverdict: {}",
            ByteCount(*bytes),
            time.as_secs_f64(),
            compacting.as_secs_f64(),
            verifying.as_secs_f64(),
            if self.is_clean() {
                "every law was kept after every compaction"
            } else {
                "A LAW WAS BROKEN, see above"
            },
        );
        text
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "report": shape::report(&row.done),
                "clean": row.clean,
                "verified_blocks": row.verified,
                "verify_seconds": row.verify_time.as_secs_f64(),
            })
        });
        json!({
            "chain": self.chain,
            "clean": self.is_clean(),
            "blocks": self.played.blocks,
            "bytes": self.played.bytes,
            "seconds": self.played.time.as_secs_f64(),
            "compactions": rows.collect::<Vec<_>>(),
        })
    }
}

fn size(size: Option<ByteCount>) -> String {
    size.map_or_else(|| "unknown".to_owned(), |size| size.to_string())
}
