//! What a child tells its parent, a line each, on its standard output.
//!
//! ```text
//!   opening                      before the store is touched
//!   opened 1234 resumed          it took so many microseconds; `resumed` or `fresh`
//!   checked 100 20 3             blocks read, live ones among them, tipsets on the chain
//!   ready                        the load begins
//!   phase mark                   a phase began; `phase idle`: the compaction finished
//!   broken TEXT                  a law is broken, or an error came
//! ```

use std::fmt;
use std::time::Duration;

use splitstore::domain::Phase;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The store is about to be opened.
    Opening,
    /// It is open.
    Opened {
        /// How long it took, to the microsecond.
        took: Duration,
        /// Whether a sealed run was found and resumed.
        resumed: Resumed,
    },
    /// It was checked and nothing was missing.
    Checked {
        /// Blocks that were read and compared.
        blocks: u64,
        /// How many of them had to be live.
        live: u64,
        /// Tipsets from genesis to the head.
        tipsets: u64,
    },
    /// The load begins.
    Ready,
    /// A phase began.
    Phase(Phase),
    /// Something that must not happen.
    Broken(String),
}

/// What open found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// A sealed run, which it finishes.
    Yes,
    /// None.
    No,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opening => f.write_str("opening"),
            Self::Opened { took, resumed: Resumed::Yes } => write!(f, "opened {} resumed", took.as_micros()),
            Self::Opened { took, resumed: Resumed::No } => write!(f, "opened {} fresh", took.as_micros()),
            Self::Checked { blocks, live, tipsets } => write!(f, "checked {blocks} {live} {tipsets}"),
            Self::Ready => f.write_str("ready"),
            Self::Phase(phase) => write!(f, "phase {phase}"),
            Self::Broken(what) => write!(f, "broken {}", what.replace('\n', " ")),
        }
    }
}

impl Line {
    /// Reads a line; `None` for one that no child writes, such as the half of one that a kill cut off.
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut numbers = rest.split(' ').map_while(|word| word.parse().ok());
        match word {
            "opening" => Some(Self::Opening),
            "opened" => {
                let took = Duration::from_micros(numbers.next()?);
                match rest.rsplit(' ').next() {
                    Some("resumed") => Some(Self::Opened { took, resumed: Resumed::Yes }),
                    Some("fresh") => Some(Self::Opened { took, resumed: Resumed::No }),
                    _ => None,
                }
            }
            "checked" => {
                let mut next = || numbers.next();
                Some(Self::Checked { blocks: next()?, live: next()?, tipsets: next()? })
            }
            "ready" => Some(Self::Ready),
            "phase" => phase(rest).map(Self::Phase),
            "broken" => Some(Self::Broken(rest.to_owned())),
            _ => None,
        }
    }
}

fn phase(name: &str) -> Option<Phase> {
    std::iter::once(Phase::Idle).chain(Phase::RUN).find(|phase| phase.name() == name)
}
