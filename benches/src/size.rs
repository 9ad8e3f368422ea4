//! How much one run measures.

use anyhow::{Result, bail};
use splitstore_domain::Settings;
use splitstore_fixtures::ChainSpec;

/// How much one run measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Whether it works at all: a few thousand blocks, one round.
    Test,
    /// A quick look: about 30,000 blocks, three rounds.
    Small,
    /// The figures of `docs/benchmarks.md`: about 400,000 blocks, ten rounds.
    Full,
}

impl Size {
    /// What the environment asks for: small with `SPLITSTORE_BENCH_SIZE=small` (as `cargo xtask bench --small`
    /// sets it) or `SPLITSTORE_BENCH_SMALL=1`, else full.
    pub fn from_env() -> Result<Self> {
        let small = std::env::var("SPLITSTORE_BENCH_SMALL").is_ok_and(|value| value == "1");
        match std::env::var("SPLITSTORE_BENCH_SIZE").as_deref() {
            Ok("small") => Ok(Self::Small),
            Ok("full") => Ok(Self::Full),
            Err(_) => Ok(if small { Self::Small } else { Self::Full }),
            Ok(other) => bail!("SPLITSTORE_BENCH_SIZE is `{other}`, must be `small` or `full`"),
        }
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Small => "small",
            Self::Full => "full",
        }
    }

    /// Rounds that count.
    pub const fn rounds(self) -> usize {
        match self {
            Self::Test => 1,
            Self::Small => 3,
            Self::Full => 10,
        }
    }

    /// Blocks that one round puts.
    pub(crate) const fn puts(self) -> usize {
        self.scaled(2_000, 20_000, 100_000)
    }

    /// Blocks that one round reads.
    pub(crate) const fn reads(self) -> usize {
        self.scaled(1_000, 10_000, 50_000)
    }

    /// Keys that one round marks.
    pub(crate) const fn marks(self) -> usize {
        self.scaled(10_000, 1_000_000, 1_000_000)
    }

    /// The chain.
    pub(crate) fn spec(self) -> ChainSpec {
        let (epochs, actors) = match self {
            Self::Test => (60, 200),
            Self::Small => (300, 2_500),
            Self::Full => (1_500, 11_000),
        };
        ChainSpec { epochs, actors, ..ChainSpec::default() }
    }

    /// Windows under which the newest 40 % of the epochs stay hot, and all else moves to cold.
    pub(crate) fn settings(self) -> Settings {
        Settings { finality_epochs: self.spec().epochs / 10, ..Settings::default() }
    }

    const fn scaled(self, test: usize, small: usize, full: usize) -> usize {
        match self {
            Self::Test => test,
            Self::Small => small,
            Self::Full => full,
        }
    }
}
