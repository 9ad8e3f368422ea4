//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand};
use tsm::IndexSeal;

use crate::damage::{Damage, Then};
use crate::output::Output;
use crate::text::{self, Bucket};
use crate::time;

/// InfluxDB TSM files: verify, dump, report, plan, compact, repair, export, delete, import.
///
/// Works on files and folders that no server has open. Exit codes: 0 done; 1 something is wrong with the files; 2
/// bad usage or unreadable input.
#[derive(Debug, Parser)]
#[command(name = "tsm", version)]
pub(crate) struct Args {
    /// Print one JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check everything: checksums, decoding, order, the index, overlaps.
    Verify(Files),
    /// Show the index of a file, or its points.
    Dump(Dump),
    /// Levels, sizes, fill, overlap, deleted shares.
    Report(Report),
    /// What compaction would do, and why not more.
    Plan(Plan),
    /// Compact a folder, or files of one folder that follow each other.
    Compact(Compact),
    /// Write what can be saved of a damaged file into another folder.
    Repair(Repair),
    /// Points on standard output, the newest value of each time: line protocol, or JSON.
    Export(Export),
    /// Delete times of keys: adds tombstones to the files that hold them.
    Delete(Delete),
    /// Line protocol into new level-1 files of a folder.
    Import(Import),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Files {
    /// Files, folders or patterns such as 'data/*.tsm'.
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) damage: OnDamage,
}

/// What a damaged file does to the others.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct OnDamage {
    /// End at the first damage. Else it is told, the rest is done, and the exit code is 1.
    #[arg(long)]
    stop_at_damage: bool,
}

impl OnDamage {
    pub(crate) fn damage(self) -> Damage {
        Damage::new(if self.stop_at_damage { Then::Stop } else { Then::GoOn })
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Dump {
    /// The file.
    pub(crate) file: PathBuf,
    /// Only keys that hold this text.
    #[arg(long, default_value = "")]
    pub(crate) key: String,
    /// Points instead of blocks.
    #[arg(long)]
    pub(crate) points: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// How long nothing was written, such as 5h [default: since the newest file was].
    #[arg(long, value_parser = humantime::parse_duration)]
    pub(crate) idle: Option<Duration>,
    /// Plan everything that gains by it, as if asked for a full compaction.
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Compact {
    /// A folder, or files of one folder that follow each other.
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Merge everything into one generation. One file that would stay as it is, is left alone.
    #[arg(long)]
    pub(crate) all: bool,
    /// Say what would be done, and how much space it needs.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Compare the content before and after, point by point.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Points of a full block.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) points: u32,
    /// Bytes written per second at most; 0 is no limit.
    #[arg(long, default_value_t = 0)]
    pub(crate) rate: u64,
    #[command(flatten)]
    pub(crate) seal: Seal,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Repair {
    /// The damaged file. It is only read.
    pub(crate) file: PathBuf,
    /// Where the new file goes, under the same name.
    #[arg(long)]
    pub(crate) output: PathBuf,
    /// Keep the bytes of blocks that are given up, one file each, in this folder.
    #[arg(long)]
    pub(crate) quarantine: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) seal: Seal,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// Files, folders or patterns. A later file wins over an earlier one.
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Only keys that hold this text, as `dump` shows them.
    #[arg(long, default_value = "")]
    pub(crate) key: String,
    /// Only this bucket of 2.0 alpha: organisation and bucket, 32 hexadecimal digits; `none` for keys without one.
    #[arg(long, value_parser = text::bucket)]
    pub(crate) bucket: Option<Bucket>,
    #[command(flatten)]
    pub(crate) times: Times,
    #[command(flatten)]
    pub(crate) damage: OnDamage,
}

#[derive(Debug, ClapArgs)]
#[group(skip)]
#[command(group(ArgGroup::new("which").args(["keys", "patterns"]).required(true).multiple(true)))]
pub(crate) struct Delete {
    /// Files, folders or patterns.
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// A key as `dump` shows it: series, #!~#, field. May be given more than once.
    #[arg(long = "key")]
    pub(crate) keys: Vec<String>,
    /// Keys that look so, as `dump` shows them: * for any text, ? for one letter, [..] for one of some. May be given
    /// more than once.
    #[arg(long = "match")]
    pub(crate) patterns: Vec<glob::Pattern>,
    /// Say what would be deleted.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) times: Times,
    #[command(flatten)]
    pub(crate) damage: OnDamage,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Import {
    /// Line protocol; - is standard input, which is kept in a nameless file in the folder until it was looked at.
    pub(crate) file: PathBuf,
    /// The folder of the new files.
    #[arg(long)]
    pub(crate) into: PathBuf,
    /// Memory for points before they are written to a file, in MiB.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub(crate) memory: u64,
    /// Write as lines come, without looking at all of them first: a bad line leaves what came before it.
    #[arg(long)]
    pub(crate) unchecked: bool,
    /// Bytes written per second at most; 0 is no limit. Lifted while snapshots take longer than 15 s.
    #[arg(long, default_value_t = 0)]
    pub(crate) rate: u64,
    #[command(flatten)]
    pub(crate) seal: Seal,
}

/// Whether new files are sealed.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Seal {
    /// Leave out the checksum of the index, which finds turned bits in keys and which InfluxDB does not look at.
    #[arg(long)]
    unsealed: bool,
}

impl Seal {
    pub(crate) fn seal(self) -> IndexSeal {
        if self.unsealed { IndexSeal::None } else { IndexSeal::Crc }
    }
}

/// A span of time, both ends included.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Times {
    /// First time: nanoseconds since 1970, 2020-05-27 or 2020-05-27T13:16:44.5+02:00 [default: the beginning].
    #[arg(long, value_parser = time::parse, allow_negative_numbers = true)]
    start: Option<i64>,
    /// Last time, included [default: the end].
    #[arg(long, value_parser = time::parse, allow_negative_numbers = true)]
    end: Option<i64>,
}

impl Times {
    pub(crate) fn range(self) -> Result<tsm::TimeRange> {
        let range = tsm::TimeRange::new(self.start.unwrap_or(i64::MIN), self.end.unwrap_or(i64::MAX));
        ensure!(!range.is_empty(), "--start comes after --end");
        Ok(range)
    }
}

impl Args {
    pub(crate) fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
