//! What the store has acknowledged, in a file of its own beside it.
//!
//! ```text
//!   <letter> <number> <number> <checksum>\n      a line per acknowledgement, written in one call
//!   P  tipset  blocks     that many blocks of this tipset were put
//!   M  tipset  0          the head is about to move there
//!   H  tipset  0          the head moved there
//!   F  tipset  0          everything up to there was flushed; the log is synced after it
//!   V  round   run        the machine wrote this parent; the run it asked in, 0 for none
//!   C  index   0          this compaction finished
//!   S  tipset  0          a process begins its load, the head being there: earlier runs owe nothing more
//! ```
//! A line is written after the call it speaks of has returned, so a lost line claims too little, never too
//! much. A torn last line is dropped; damage before it is an error, because then the file is not ours.
//! A power cut takes what was put and not flushed. Each head change flushes first, so it covers the blocks that the
//! node put before it and the parents that the machine wrote before it began:
//! ```text
//!   V 7   P   M   V 8   H   P   V 9   (cut)        sure: round 7, the first P; loose for ever: rounds 8 and 9
//! ```
//! Checksum: FNV-1a, 64 bits, over the line up to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;

/// One acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// The first so many blocks of a tipset were put.
    Put {
        /// Number of the tipset.
        tipset: u64,
        /// How many.
        blocks: u64,
    },
    /// The head is about to move to this tipset: a kill may fall before or after it did.
    Moving(u64),
    /// The head moved to this tipset.
    Head(u64),
    /// Everything up to this tipset was flushed.
    Flushed(u64),
    /// The machine wrote the parent of this round.
    Parent {
        /// The round.
        round: u64,
        /// The compaction in which it asked, and which therefore owes it the whole DAG; 0 for none.
        run: u64,
    },
    /// A compaction finished.
    Compacted(u64),
    /// A process has checked the store and begins its load at this tipset.
    Started(u64),
}

impl Ack {
    fn fields(self) -> (char, u64, u64) {
        match self {
            Self::Put { tipset, blocks } => ('P', tipset, blocks),
            Self::Moving(tipset) => ('M', tipset, 0),
            Self::Head(tipset) => ('H', tipset, 0),
            Self::Flushed(tipset) => ('F', tipset, 0),
            Self::Parent { round, run } => ('V', round, run),
            Self::Compacted(index) => ('C', index, 0),
            Self::Started(tipset) => ('S', tipset, 0),
        }
    }

    fn line(self) -> String {
        let (letter, first, second) = self.fields();
        let mut line = format!("{letter} {first} {second} ");
        let sum = checksum(line.as_bytes());
        let _ = writeln!(line, "{sum:016x}");
        line
    }

    /// Reads a line without its end; `None` if it is none.
    fn parse(line: &str) -> Option<Self> {
        let (body, sum) = line.split_at_checked(line.rfind(' ')? + 1)?;
        if u64::from_str_radix(sum, 16).ok()? != checksum(body.as_bytes()) {
            return None;
        }
        let mut words = body.split_whitespace();
        let letter = words.next()?;
        let (first, second) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        match letter {
            "P" => Some(Self::Put { tipset: first, blocks: second }),
            "M" => Some(Self::Moving(first)),
            "H" => Some(Self::Head(first)),
            "F" => Some(Self::Flushed(first)),
            "V" => Some(Self::Parent { round: first, run: second }),
            "C" => Some(Self::Compacted(first)),
            "S" => Some(Self::Started(first)),
            _ => None,
        }
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The file, for appending.
#[derive(Debug)]
pub struct AckLog {
    file: Mutex<File>,
    path: PathBuf,
}

impl AckLog {
    /// Opens the log at `path`, or makes one; a torn tail is cut off first.
    pub fn open(path: &Path) -> Result<Self> {
        let whole = sound_len(&read(path)?, path)?;
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let file = opened.with_context(|| format!("open the log {}", path.display()))?;
        file.set_len(whole as u64).with_context(|| format!("cut the tail of {}", path.display()))?;
        Ok(Self { file: Mutex::new(file), path: path.to_owned() })
    }

    /// Appends, without a sync: a killed process has written it all the same.
    pub fn append(&self, ack: Ack) -> Result<()> {
        let written = self.file.lock().write_all(ack.line().as_bytes());
        written.with_context(|| format!("append {ack:?} to {}", self.path.display()))
    }

    /// Makes all lines durable.
    pub fn sync(&self) -> Result<()> {
        self.file.lock().sync_data().with_context(|| format!("sync {}", self.path.display()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What an end of the process leaves of what was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survives {
    /// All of it: it was killed.
    Everything,
    /// What a flush covered that had returned: the power was cut.
    Flushed,
}

/// All acknowledgements together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// The highest tipset of which blocks were put, and how many.
    pub put: Option<(u64, u64)>,
    /// The tipset that was made head last.
    pub head: Option<u64>,
    /// The tipset that was to be made head last.
    pub moving: Option<u64>,
    /// The tipset up to which all was flushed.
    pub flushed: Option<u64>,
    /// The machine's rounds, with the compaction that it asked in; 0 for none.
    pub parents: BTreeMap<u64, u64>,
    /// The first round since the last process began: what its compaction owes it is still owed.
    pub fresh: u64,
    /// Rounds whose parents may be gone.
    pub loose: BTreeSet<u64>,
    /// The compaction that finished last; 0 before the first.
    pub compactions: u64,
}

/// What no flush has covered yet, of the process whose lines are read.
#[derive(Default)]
struct Pending {
    put: Option<(u64, u64)>,
    rounds: BTreeSet<u64>,
    /// Rounds from before the last head change began.
    before_moving: BTreeSet<u64>,
}

impl Acknowledged {
    /// Reads the log at `path`; nothing is acknowledged where there is none.
    pub fn read(path: &Path, survives: Survives) -> Result<Self> {
        let text = read(path)?;
        let whole = sound_len(&text, path)?;
        let (mut all, mut pending) = (Self::default(), Pending::default());
        for ack in text.get(..whole).unwrap_or_default().lines().filter_map(Ack::parse) {
            match survives {
                Survives::Everything => all.add(ack),
                Survives::Flushed => all.add_flushed(ack, &mut pending),
            }
        }
        Ok(all)
    }

    /// Adds an acknowledgement that counts only once a flush has covered it.
    fn add_flushed(&mut self, ack: Ack, pending: &mut Pending) {
        match ack {
            Ack::Put { tipset, blocks } => {
                pending.put = pending.put.max(Some((tipset, blocks)));
                return;
            }
            Ack::Parent { round, .. } => {
                self.loose.insert(round);
                pending.rounds.insert(round);
            }
            Ack::Moving(_) => pending.before_moving.append(&mut pending.rounds),
            Ack::Head(_) => {
                self.put = self.put.max(pending.put);
                self.loose.retain(|round| !pending.before_moving.contains(round));
                pending.before_moving.clear();
            }
            Ack::Flushed(_) => self.put = self.put.max(pending.put),
            // What the process before did not flush is loose for ever.
            Ack::Started(_) => *pending = Pending::default(),
            Ack::Compacted(_) => {}
        }
        self.add(ack);
    }

    /// The round after the last one.
    pub fn next_round(&self) -> u64 {
        self.parents.last_key_value().map_or(0, |(round, _)| round + 1)
    }

    fn add(&mut self, ack: Ack) {
        match ack {
            // A tipset that is put again after a restart was acknowledged before, all the same.
            Ack::Put { tipset, blocks } => self.put = self.put.max(Some((tipset, blocks))),
            Ack::Moving(tipset) => self.moving = Some(tipset),
            Ack::Head(tipset) => self.head = Some(tipset),
            Ack::Flushed(tipset) => self.flushed = Some(tipset),
            Ack::Parent { round, run } => {
                self.parents.insert(round, run);
            }
            Ack::Compacted(index) => self.compactions = index,
            Ack::Started(_) => self.fresh = self.next_round(),
        }
    }
}

fn read(path: &Path) -> Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("read the log {}", path.display())),
    }
}

/// Bytes up to the end of the last whole line; an error if an earlier one is damaged.
fn sound_len(text: &str, path: &Path) -> Result<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let whole = line.strip_suffix('\n').and_then(Ack::parse).is_some();
        if !whole && at + line.len() < text.len() {
            bail!("the log {} is damaged at byte {at}", path.display());
        }
        if whole {
            at += line.len();
        }
    }
    Ok(at)
}
