//! Marks in the making, after the seal: what one walk visits, before anybody may rely on it.
//!
//! ```text
//!                      walk          write            publish        drop
//!   own visits         growing ----> in the note ---> in the sets --> forgotten
//!   held back (keys)   |<------- purge spares them -------------->|
//!   others             know nothing of them          rely on them
//! ```
//! Many walks grow beside one another; each stops at what is in the sets and at its own visits, never at those of
//! another walk, which may still fail. So a mark in the sets has all its children in the sets, and its note in
//! hot's log. What two walks meet at once both walk, and both note.
//!
//! From the moment at which a note may have reached the log its keys are held back until they are in the sets. If
//! that never happens (a write that failed may be in the log all the same) they are held back until the purge ends:
//! should a restart find the note, nothing that it promises was deleted meanwhile. Then what of them is not whole
//! goes after all: the purge had taken a part of it before, and without a filter the rest would show.
//!
//! Keys are spread over shards. Whatever is said of a key is said under its shard's lock, and nothing is said of two keys at
//! once. So a put meets the purge only in the shards of its own blocks: a thread of the purge that stands back may be made
//! to wait anywhere, also where it holds a lock.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{ErrorKind, MarkSet, PortError, Reading, Result, Visit, VisitSet};

use crate::sets::WalkSets;
use crate::sync::{Mutex, MutexGuard, SHARDS};

/// Keys that a purge must not delete although they are not marked.
#[derive(Default)]
pub(crate) struct HeldBack([Mutex<Keys>; SHARDS]);

/// The shard of a key. Its last byte is of a hash: whoever can choose it makes his own puts wait.
pub(crate) fn shard_of(key: &[u8]) -> usize {
    key.last().map_or(0, |byte| usize::from(*byte) % SHARDS)
}

#[derive(Default)]
pub(crate) struct Keys {
    /// By how many walks they are met at the moment.
    walked: HashMap<BlockKey, usize>,
    /// In a note that may be in the log.
    kept: HashMap<BlockKey, Visit>,
}

/// How a key is held back.
pub(crate) enum Hold {
    Free,
    /// Until some walks are over.
    Walked,
    /// Until the purge ends.
    Kept,
}

/// The visits of one walk.
pub(crate) struct Growth {
    /// What others may rely on.
    settled: WalkSets,
    held_back: Arc<HeldBack>,
    own: Mutex<Own>,
}

#[derive(Default)]
struct Own {
    known: HashSet<Visit>,
    /// The same in the order in which they were made.
    visits: Vec<Visit>,
    fate: Fate,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing of it is in the log.
    #[default]
    Unwritten,
    /// It may be.
    Written,
    Published,
}

impl HeldBack {
    /// Nobody holds another key back, or lets one go, meanwhile.
    pub(crate) fn lock_all(&self) -> Locked<'_> {
        Locked(self.0.iter().map(Mutex::lock).collect())
    }

    /// The same for keys of this shard.
    pub(crate) fn lock(&self, shard: usize) -> MutexGuard<'_, Keys> {
        self.0[shard].lock()
    }

    /// What is held back until the purge ends.
    pub(crate) fn kept(&self) -> Vec<Visit> {
        self.0.iter().flat_map(|shard| shard.lock().kept.values().cloned().collect::<Vec<_>>()).collect()
    }

    /// The purge has ended, and these are not whole.
    pub(crate) fn let_go(&self, keys: &HashSet<BlockKey>) {
        for shard in &self.0 {
            shard.lock().kept.retain(|key, _| !keys.contains(key));
        }
    }

    fn add(&self, visits: &[Visit]) {
        self.each(visits, |keys, visit| *keys.walked.entry(visit.key.clone()).or_default() += 1);
    }

    fn each(&self, visits: &[Visit], mut change: impl FnMut(&mut Keys, &Visit)) {
        for visit in visits {
            change(&mut self.lock(shard_of(visit.key.as_bytes())), visit);
        }
    }
}

/// All of them.
pub(crate) struct Locked<'a>(Vec<MutexGuard<'a, Keys>>);

impl Locked<'_> {
    pub(crate) fn of(&self, key: &BlockKey) -> Hold {
        self.0[shard_of(key.as_bytes())].of(key)
    }
}

impl Keys {
    pub(crate) fn of(&self, key: &BlockKey) -> Hold {
        if self.kept.contains_key(key) {
            Hold::Kept
        } else if self.walked.contains_key(key) {
            Hold::Walked
        } else {
            Hold::Free
        }
    }

    fn keep(&mut self, visit: &Visit) {
        let kept = self.kept.entry(visit.key.clone()).or_insert_with(|| visit.clone());
        if visit.reading != Reading::Opaque {
            kept.reading = visit.reading;
        }
    }

    fn release(&mut self, visit: &Visit) {
        if let Some(walks) = self.walked.get_mut(&visit.key) {
            *walks -= 1;
            if *walks == 0 {
                self.walked.remove(&visit.key);
            }
        }
    }
}

impl Growth {
    pub(crate) fn new(settled: WalkSets, held_back: Arc<HeldBack>) -> Arc<Self> {
        Arc::new(Self { settled, held_back, own: Mutex::default() })
    }

    /// What was visited so far, for the first time by anybody.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        self.own.lock().visits.clone()
    }

    /// Lets go of everything but these keys.
    pub(crate) fn keep_only(&self, keep: impl Fn(&BlockKey) -> bool) {
        let mut own = self.own.lock();
        let (kept, gone) = std::mem::take(&mut own.visits).into_iter().partition(|visit| keep(&visit.key));
        own.visits = kept;
        self.held_back.each(&gone, Keys::release);
    }

    /// A note of it is about to be written.
    pub(crate) fn written(&self) {
        self.own.lock().fate = Fate::Written;
    }

    /// Others may rely on it.
    pub(crate) fn publish(&self) -> Result<(), crate::Error> {
        let mut own = self.own.lock();
        self.settled.visit(&own.visits, &mut Vec::with_capacity(own.visits.len()))?;
        own.fate = Fate::Published;
        Ok(())
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        let own = self.own.lock();
        self.held_back.each(&own.visits, |keys, visit| {
            if own.fate == Fate::Written {
                keys.keep(visit);
            }
            keys.release(visit);
        });
    }
}

impl VisitSet for Growth {
    fn visit_many(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        let before = self.settled.visited(visits)?;
        let mut own = self.own.lock();
        let had = own.visits.len();
        for (visit, before) in visits.iter().zip(before) {
            let new = !before && own.known.insert(visit.clone());
            if new {
                own.visits.push(visit.clone());
            }
            first.push(new);
        }
        // Before the walk reads them: what a purge has not deleted by now, it spares.
        self.held_back.add(&own.visits[had..]);
        Ok(())
    }

    fn visited_many(&self, visits: &[Visit], before: &mut Vec<bool>) -> Result<()> {
        let had = before.len();
        before.extend(self.settled.visited(visits)?);
        let own = self.own.lock();
        before[had..].iter_mut().zip(visits).for_each(|(made, visit)| *made |= own.known.contains(visit));
        Ok(())
    }
}

impl MarkSet for Growth {
    fn mark_many(&self, _keys: &[BlockKey]) -> Result<()> {
        Err(unsupported("mark keys without visiting them"))
    }

    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()> {
        let had = answers.len();
        answers.extend(self.settled.marked(keys)?);
        let own = self.own.lock();
        let is_own = |key: &BlockKey| own.visits.iter().any(|visit| visit.key == *key);
        answers[had..].iter_mut().zip(keys).for_each(|(marked, key)| *marked |= is_own(key));
        Ok(())
    }

    fn len(&self) -> u64 {
        self.settled.len() + self.own.lock().visits.len() as u64
    }

    fn seal(&self, _out: &mut dyn Write) -> Result<()> {
        Err(unsupported("seal"))
    }
}

fn unsupported(what: &str) -> PortError {
    PortError::bare(ErrorKind::Unsupported, format!("{what} in a walk after the seal"))
}
