//! `splitstore.toml`: what a store was made with.
//!
//! ```text
//!   layout = 1                    version of the folder's layout; a newer one is refused by name
//!   marks = "exact"               exact | disk | roaring | bloom
//!   marking = "auto"              walk | scan | links | auto; may be left out
//!   link_index = false            whether "auto" keeps a link index; may be left out
//!   marking_memory_mib = 4096     what a graph of hot may take; may be left out: no limit
//!   purge = "auto"                delete | rewrite | auto; may be left out
//!   [pace]     mode = "paced"      paced | fast; io_limit = bytes a second; all of it may be left out
//!   [hot]      engine = "rocksdb"  rocksdb | fjall
//!   [cold]     engine = "redb"
//!   [windows]  finality_epochs, threshold_finalities, .. as in splitstore_domain::Settings
//! ```

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use splitstore_domain::{PaceLimits, Pacing, PurgeStrategy, Settings};
use splitstore_orchestrator::MarkStrategy;
use thiserror::Error;

/// The layout this version writes, and the newest it reads.
pub const LAYOUT: u64 = 1;

/// Declares an enum of names: its words in settings and on the command line.
macro_rules! names {
    ($(#[$doc:meta])* $what:literal $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                let known = || Self::ALL.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ");
                Self::ALL.iter().copied().find(|one| one.name() == name).ok_or_else(|| UnknownName {
                    what: $what,
                    name: name.to_owned(),
                    known: known(),
                })
            }
        }
    };
}

names! {
    /// The engine of the fast tier.
    "hot engine" HotEngine {
        /// RocksDB; needs the feature `rocksdb`.
        Rocksdb = "rocksdb",
        /// fjall, in pure Rust; needs the feature `fjall`.
        Fjall = "fjall",
    }
}

names! {
    /// The engine of the cheap tier.
    "cold engine" ColdEngine {
        /// One redb file.
        Redb = "redb",
    }
}

names! {
    /// What remembers live blocks during a compaction.
    "kind of mark set" MarksKind {
        /// Exact, in memory.
        Exact = "exact",
        /// Exact, on disk.
        Disk = "disk",
        /// The set on disk, with a roaring bitmap over the keys of hot asked before it.
        Roaring = "roaring",
        /// The set on disk, with a bloom filter asked before it.
        Bloom = "bloom",
    }
}

names! {
    /// How a compaction finds out what is live.
    #[derive(Default)]
    "way of marking" Marking {
        /// Reads live blocks level by level.
        Walk = "walk",
        /// Reads all of hot once in order; about 40 bytes of memory per block of it.
        Scan = "scan",
        /// Keeps the links of every block beside hot, and reads those instead of blocks; about 28 bytes of memory per block,
        /// and some more work for every put.
        Links = "links",
        /// By the link index if one is kept, else a scan, unless little of hot is expected to be live.
        #[default]
        Auto = "auto",
    }
}

impl From<Marking> for MarkStrategy {
    fn from(marking: Marking) -> Self {
        match marking {
            Marking::Walk => Self::Walk,
            Marking::Scan => Self::Scan,
            Marking::Links => Self::Links,
            Marking::Auto => Self::Auto,
        }
    }
}

names! {
    /// How a compaction treats those who use the store meanwhile.
    #[derive(Default)]
    "pace" PaceMode {
        /// It rests between its steps, the longer the more it slows reads down.
        #[default]
        Paced = "paced",
        /// It takes what it can get.
        Fast = "fast",
    }
}

names! {
    /// How a compaction takes dead blocks out of the hot tier.
    #[derive(Default)]
    "way of purging" Purging {
        /// By deletes; a reclaim gives their space back later.
        Delete = "delete",
        /// By writing hot anew without them, range by range, where the engine can and there is room.
        Rewrite = "rewrite",
        /// A rewrite if much of hot is dead and the disk has room for one range, deletes otherwise.
        #[default]
        Auto = "auto",
    }
}

impl From<Purging> for PurgeStrategy {
    fn from(purging: Purging) -> Self {
        match purging {
            Purging::Delete => Self::Delete,
            Purging::Rewrite => Self::Rewrite,
            Purging::Auto => Self::Auto,
        }
    }
}

/// The pace of compactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaceSettings {
    /// How.
    pub mode: PaceMode,
    /// Bytes a second that a paced run reads and writes on average; no limit if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_limit: Option<NonZeroU64>,
}

impl From<PaceSettings> for Pacing {
    fn from(PaceSettings { mode, io_limit }: PaceSettings) -> Self {
        match mode {
            PaceMode::Paced => Self::Paced(PaceLimits::default().bytes_per_second(io_limit)),
            PaceMode::Fast => Self::Fast,
        }
    }
}

/// A word that names none of the choices.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown {what} `{name}`: {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: String,
}

impl HotEngine {
    /// Whether this build has it.
    pub const fn is_built(self) -> bool {
        match self {
            Self::Rocksdb => cfg!(feature = "rocksdb"),
            Self::Fjall => cfg!(feature = "fjall"),
        }
    }

    /// Whether a damaged tier of it can be repaired (`StoreFolder::repair`).
    pub const fn has_repair(self) -> bool {
        match self {
            Self::Rocksdb => true,
            Self::Fjall => false,
        }
    }

    /// The file by which the engine tells that there is a database in a folder; without it, it makes one.
    pub(super) const fn marker(self) -> &'static str {
        match self {
            Self::Rocksdb => "CURRENT",
            Self::Fjall => "version",
        }
    }

    /// Every how manieth compaction should reclaim space fully.
    pub(super) const fn full_reclaim_every(self) -> u64 {
        match self {
            Self::Rocksdb => 20,
            // Its online reclaim leaves the work to the background, which has no reason to begin.
            Self::Fjall => 1,
        }
    }
}

impl Default for HotEngine {
    /// `RocksDB` where it was built, fjall otherwise.
    fn default() -> Self {
        if Self::Rocksdb.is_built() || !Self::Fjall.is_built() { Self::Rocksdb } else { Self::Fjall }
    }
}

/// What a store is made of and how it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderSettings {
    /// The fast tier.
    pub hot: HotEngine,
    /// The cheap tier.
    pub cold: ColdEngine,
    /// What remembers live blocks.
    pub marks: MarksKind,
    /// How they are found.
    pub marking: Marking,
    /// Whether [`Marking::Auto`] keeps a link index; [`Marking::Links`] always does.
    pub link_index: bool,
    /// What marking may take of memory for a graph of hot, in MiB; a run that would need more walks.
    pub marking_memory_mib: Option<u64>,
    /// How dead blocks leave hot.
    pub purge: Purging,
    /// How compactions are paced.
    pub pace: PaceSettings,
    /// Windows and cold policy.
    pub windows: Settings,
}

impl Default for FolderSettings {
    fn default() -> Self {
        Self {
            hot: HotEngine::default(),
            cold: ColdEngine::Redb,
            marks: MarksKind::Exact,
            marking: Marking::Auto,
            link_index: false,
            marking_memory_mib: None,
            purge: Purging::Auto,
            pace: PaceSettings::default(),
            windows: Settings::default(),
        }
    }
}

/// The file, field by field.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    layout: u64,
    marks: MarksKind,
    #[serde(default)]
    marking: Marking,
    #[serde(default)]
    link_index: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marking_memory_mib: Option<u64>,
    #[serde(default)]
    purge: Purging,
    #[serde(default)]
    pace: PaceSettings,
    hot: Engine<HotEngine>,
    cold: Engine<ColdEngine>,
    windows: Settings,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Engine<T> {
    engine: T,
}

/// What every layout, also one to come, begins with.
#[derive(Deserialize)]
struct Layout {
    layout: u64,
}

/// Why text is no settings file.
#[derive(Debug)]
pub(super) enum SettingsFault {
    TooNew(u64),
    Malformed(Box<dyn std::error::Error + Send + Sync>),
}

impl FolderSettings {
    pub(super) fn parse(text: &str) -> Result<Self, SettingsFault> {
        let malformed = |error: toml::de::Error| SettingsFault::Malformed(error.into());
        let Layout { layout } = toml::from_str(text).map_err(malformed)?;
        if layout > LAYOUT {
            return Err(SettingsFault::TooNew(layout));
        }
        if layout == 0 {
            return Err(SettingsFault::Malformed("layout 0 never was".into()));
        }
        let File { marks, marking, link_index, marking_memory_mib, purge, pace, hot, cold, windows, .. } =
            toml::from_str(text).map_err(malformed)?;
        let (hot, cold) = (hot.engine, cold.engine);
        Ok(Self { hot, cold, marks, marking, link_index, marking_memory_mib, purge, pace, windows })
    }

    pub(super) fn to_toml(self) -> String {
        let Self { hot, cold, marks, marking, link_index, marking_memory_mib, purge, pace, windows } = self;
        let (hot, cold) = (Engine { engine: hot }, Engine { engine: cold });
        let layout = LAYOUT;
        let file =
            File { layout, marks, marking, link_index, marking_memory_mib, purge, pace, hot, cold, windows };
        toml::to_string(&file).expect("numbers and words can be written as toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_back_as_they_were_written() {
        for (hot, marks) in [(HotEngine::Fjall, MarksKind::Disk), (HotEngine::Rocksdb, MarksKind::Bloom)] {
            for marking in Marking::ALL.iter().copied() {
                let (link_index, marking_memory_mib) = (marking == Marking::Auto, Some(7));
                let purge = Purging::Rewrite;
                let rest = FolderSettings::default();
                let settings =
                    FolderSettings { hot, marks, marking, link_index, marking_memory_mib, purge, ..rest };
                assert_eq!(FolderSettings::parse(&settings.to_toml()).unwrap(), settings);
            }
        }
    }

    #[test]
    fn settings_from_before_there_was_a_choice_of_marking_choose_for_themselves() {
        let settings = FolderSettings::default();
        let text = settings.to_toml().replace("marking = \"auto\"\n", "").replace("link_index = false\n", "");
        let text = text.replace("purge = \"auto\"\n", "");
        assert!(!text.contains("marking") && !text.contains("link") && !text.contains("purge"));
        assert_eq!(FolderSettings::parse(&text).unwrap(), settings);
    }

    #[test]
    fn settings_from_before_there_was_a_pace_are_paced_without_a_limit() {
        let text = FolderSettings::default().to_toml().replace("[pace]\nmode = \"paced\"\n", "");
        assert!(!text.contains("pace"), "{text}");
        assert_eq!(Pacing::from(FolderSettings::parse(&text).unwrap().pace), Pacing::default());
        let limited = text + "[pace]\nio_limit = 1000\n";
        let pace = FolderSettings::parse(&limited).unwrap().pace;
        assert_eq!(pace, PaceSettings { io_limit: NonZeroU64::new(1000), ..PaceSettings::default() });
        assert_eq!(
            FolderSettings::parse(&FolderSettings { pace, ..Default::default() }.to_toml()).unwrap().pace,
            pace
        );
        let Err(SettingsFault::Malformed(_)) = FolderSettings::parse(&limited.replace("1000", "0")) else {
            panic!("a limit of nothing was taken")
        };
    }

    /// The page for operators.
    const PAGE: &str = include_str!("../../../../docs/settings.md");

    #[test]
    fn the_page_on_settings_shows_the_file_that_is_written_for_a_store_of_defaults() {
        let shown = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        assert_eq!(shown, FolderSettings { hot: HotEngine::Rocksdb, ..Default::default() }.to_toml());
    }

    #[test]
    fn the_page_on_settings_tells_every_key_and_every_word() {
        let pace = PaceSettings { io_limit: NonZeroU64::new(1), ..Default::default() };
        let all = FolderSettings { marking_memory_mib: Some(1), pace, ..Default::default() };
        let keys = all.to_toml();
        let keys = keys.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
        let words = (HotEngine::ALL.iter().map(|one| one.name()))
            .chain(MarksKind::ALL.iter().map(|one| one.name()))
            .chain(Marking::ALL.iter().map(|one| one.name()))
            .chain(Purging::ALL.iter().map(|one| one.name()))
            .chain(PaceMode::ALL.iter().map(|one| one.name()));
        for word in keys.chain(words) {
            assert!(PAGE.contains(&format!("`{word}`")), "docs/settings.md does not tell `{word}`");
        }
    }

    #[test]
    fn a_newer_layout_is_refused_by_number_whatever_else_it_says() {
        let fault = FolderSettings::parse("layout = 7\n[novelty]\nx = 1").unwrap_err();
        assert!(matches!(fault, SettingsFault::TooNew(7)));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_name() {
        let text = FolderSettings::default().to_toml() + "\nnovelty = 1\n";
        let Err(SettingsFault::Malformed(fault)) = FolderSettings::parse(&text) else { panic!("was read") };
        assert!(fault.to_string().contains("novelty"), "{fault}");
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_known_ones() {
        let fault = "rocks".parse::<HotEngine>().unwrap_err();
        assert_eq!(fault.to_string(), "unknown hot engine `rocks`: rocksdb, fjall");
    }
}
