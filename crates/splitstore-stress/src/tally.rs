//! What a crash run came to, in numbers and as a table.

use std::fmt;
use std::time::Duration;

use crate::Stage;
use splitstore_faultfs::Settled;

use crate::line::{Line, Resumed};

/// Counts over all runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    kills: [u64; Stage::ALL.len()],
    /// Children that were killed.
    pub runs: u64,
    /// Openings that finished.
    pub opens: u64,
    /// Openings that resumed a sealed run.
    pub resumes: u64,
    /// Blocks read and compared.
    pub blocks: u64,
    /// Compactions that finished under load.
    pub compactions: u64,
    /// Tipsets of all finished lives.
    pub tipsets: u64,
    /// The longest opening.
    pub worst_open: Duration,
    /// What power cuts took back of own files; none without power cuts.
    pub settled: Option<Settled>,
}

impl Tally {
    /// Counts a kill.
    pub fn kill(&mut self, stage: Stage) {
        self.runs += 1;
        self.kills[stage.index()] += 1;
    }

    /// How many kills hit this stage.
    pub fn kills(&self, stage: Stage) -> u64 {
        self.kills[stage.index()]
    }

    /// Counts what a power cut took back.
    pub fn settled(&mut self, more: &Settled) {
        let all = self.settled.get_or_insert_default();
        all.shortened += more.shortened;
        all.vanished += more.vanished;
        all.returned += more.returned;
    }

    /// Counts what a child said.
    pub fn hear(&mut self, line: &Line) {
        match line {
            Line::Opened { took, resumed } => {
                self.opens += 1;
                self.resumes += u64::from(*resumed == Resumed::Yes);
                self.worst_open = self.worst_open.max(*took);
            }
            Line::Checked { blocks, .. } => self.blocks += blocks,
            Line::Phase(splitstore::domain::Phase::Idle) => self.compactions += 1,
            _ => {}
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, count: u64| writeln!(f, "{name:<22} {count:>10}");
        row(f, "runs", self.runs)?;
        for stage in Stage::ALL {
            row(f, &format!("  killed in {stage}"), self.kills(stage))?;
        }
        row(f, "compactions finished", self.compactions)?;
        row(f, "opens", self.opens)?;
        row(f, "resumes seen", self.resumes)?;
        row(f, "tipsets", self.tipsets)?;
        row(f, "blocks verified", self.blocks)?;
        if let Some(Settled { shortened, vanished, returned }) = self.settled {
            row(f, "own files cut short", shortened)?;
            row(f, "own names lost", vanished)?;
            row(f, "removals undone", returned)?;
        }
        // Whoever loses a block or fails to open ends the whole at once, and no table is printed.
        row(f, "lost", 0)?;
        row(f, "failed opens", 0)?;
        write!(f, "{:<22} {:>7.1} ms", "worst open", self.worst_open.as_secs_f64() * 1000.0)
    }
}
