//! What happened, as lines: their hash tells whether two runs of a seed are the same, the last ones tell a story.

use std::collections::VecDeque;

const KEPT: usize = 60;

/// Whether lines are printed as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Telling {
    /// Nothing is printed.
    #[default]
    Quiet,
    /// Every action is printed.
    Verbose,
}

/// The lines of one seed.
pub(crate) struct Trace {
    telling: Telling,
    hash: u64,
    last: VecDeque<String>,
    count: u64,
}

impl Trace {
    pub(crate) const fn new(telling: Telling) -> Self {
        Self { telling, hash: 0xcbf2_9ce4_8422_2325, last: VecDeque::new(), count: 0 }
    }

    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let line = format!("{:>4} {line}", self.count);
        self.count += 1;
        if self.telling == Telling::Verbose {
            println!("{line}");
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}
