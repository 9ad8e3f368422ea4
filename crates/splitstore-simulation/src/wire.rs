//! What stands between the orchestrator and all its adapters: the life of the process, faults on order, and
//! places where a reader's thread can be held.
//!
//! ```text
//!   hot.put  files.write  cold.sync | fuse burnt |  hot.delete  meta.set      every effect passes here
//!   ok       ok           EIO       | dead       |  Closed      Closed
//! ```
//! After a failed sync a tier refuses effects until the store is opened again, as its contract asks. It also knows
//! two laws that only it can see broken: nothing leaves hot while its copy in cold is not synced, and none of a
//! run's deletes follows one of its errors.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use parking_lot::Mutex;
use splitstore_domain::BlockKey;
use splitstore_ports::{ErrorKind, PortError, Result};

use crate::broken::Broken;
use crate::rewriting::Interlude;

/// An adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Port {
    Hot,
    Cold,
    Files,
    Meta,
}

impl Port {
    pub(crate) const ALL: [Self; 4] = [Self::Hot, Self::Cold, Self::Files, Self::Meta];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Cold => "cold",
            Self::Files => "files",
            Self::Meta => "meta",
        }
    }
}

/// What a tier did to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Put,
    Deleted,
}

/// Whether the process lives, and what ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Life {
    #[default]
    Alive,
    /// Between two effects.
    Killed,
    /// At this effect.
    BurntOut(&'static str, &'static str),
}

impl Life {
    /// A process dies once.
    fn end(&mut self, how: Self) {
        if *self == Self::Alive {
            *self = how;
        }
    }
}

/// Which calls a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Effect,
    Read,
}

impl Access {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::Read => "read",
        }
    }
}

/// A fault on order: the `nth` call of this kind fails once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) port: Port,
    pub(crate) access: Access,
    pub(crate) kind: ErrorKind,
    pub(crate) nth: u64,
    pub(crate) aim: Aim,
    /// Whether the next effect of a run fails there as well: a disk that fails seldom fails once.
    pub(crate) twice: bool,
}

/// Which of these calls count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// All.
    Any,
    /// Those that no run does.
    Node,
    /// Those of a run, or of who opens the store.
    Run,
    /// Syncs of theirs.
    SyncOfRun,
}

impl Fault {
    fn is_for(&self, port: Port, access: Access, what: &str, place: &str) -> bool {
        let aimed = match self.aim {
            Aim::Any => true,
            Aim::Node => place == NODE,
            Aim::Run => place != NODE,
            Aim::SyncOfRun => place != NODE && what == SYNC,
        };
        aimed && self.port == port && self.access == access
    }
}

/// The place of everything that no run does.
pub(crate) const NODE: &str = "node";

/// The effect of a rewrite of hot, and of each block that it leaves out.
pub(crate) const REWRITE: &str = "rewrite";

/// Where a run, or the finishing of an earlier one, begins: what went wrong before is over.
const BEGINNINGS: [&str; 3] = ["open", "finish", "prepare"];

/// The effect that makes others durable.
const SYNC: &str = "sync";

/// Effects that need room.
const TAKES_DATA: [&str; 4] = ["put", "write", "set", "create"];

/// Shared by all adapters of one seed.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    left: Option<u64>,
    /// The process is dead; at which effect, if it was one.
    life: Life,
    faults: Vec<Fault>,
    poisoned: BTreeSet<Port>,
    /// A sync failed, of a tier or a file.
    shaken: bool,
    /// The tier whose sync failed in a run's step, until that is asked.
    unsynced_step: Option<Port>,
    /// Takes no data until somebody makes room.
    full: BTreeSet<Port>,
    /// In cold, and not durable.
    unsynced: BTreeSet<BlockKey>,
    /// Where the run under way, or the finishing of an earlier one, met an error.
    erred: Option<&'static str>,
    broken: Option<Broken>,
    /// Most keys that one call deleted from hot.
    most_deleted: usize,
    excuses: u64,
    place: &'static str,
    fired: Vec<(Port, Access, ErrorKind)>,
    /// Keys put and deleted, in order.
    changes: Vec<(Port, Change, BlockKey)>,
    /// Doomed, and still there.
    going: Vec<BlockKey>,
    interlude: Option<Interlude>,
    /// What was reached that only an adapter sees.
    reached: Vec<String>,
}

impl Wire {
    /// What the process is doing: the name of a crash point.
    pub(crate) fn set_place(&self, place: &'static str) {
        let mut state = self.0.lock();
        state.place = place;
        if BEGINNINGS.contains(&place) {
            state.erred = None;
        }
    }

    pub(crate) fn place(&self) -> &'static str {
        self.0.lock().place
    }

    /// Lets so many more effects happen; the next one finds the process dead.
    pub(crate) fn burn_after(&self, effects: u64) {
        self.0.lock().left = Some(effects);
    }

    /// From now on nothing takes effect.
    pub(crate) fn kill(&self) {
        self.0.lock().life.end(Life::Killed);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.0.lock().life != Life::Alive
    }

    /// Where the fuse burnt out, if it did.
    pub(crate) fn died_at(&self) -> Option<(&'static str, &'static str)> {
        match self.0.lock().life {
            Life::BurntOut(place, what) => Some((place, what)),
            Life::Alive | Life::Killed => None,
        }
    }

    pub(crate) fn order(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// The next process: nothing fails any more.
    pub(crate) fn renew(&self) {
        let mut state = self.0.lock();
        let (excuses, fired) = (state.excuses, std::mem::take(&mut state.fired));
        let reached = std::mem::take(&mut state.reached);
        *state = State { excuses, fired, reached, place: "open", ..State::default() };
    }

    /// From now on this port takes no data, or takes it again.
    pub(crate) fn fill(&self, port: Port) {
        let mut state = self.0.lock();
        if !state.full.insert(port) {
            state.full.remove(&port);
        }
    }

    /// Takes back faults that did not fire yet.
    pub(crate) fn calm(&self) {
        let mut state = self.0.lock();
        state.faults.clear();
        state.full.clear();
        state.left = None;
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        !self.0.lock().poisoned.is_empty()
    }

    /// Whether a sync has failed in this life.
    pub(crate) fn is_shaken(&self) -> bool {
        self.0.lock().shaken
    }

    /// The tier whose sync has failed in the step that a run has just taken.
    pub(crate) fn take_failed_sync(&self) -> Option<Port> {
        self.0.lock().unsynced_step.take()
    }

    /// Counts everything that excuses an error. An error without one is a finding.
    pub(crate) fn excuses(&self) -> u64 {
        self.0.lock().excuses
    }

    pub(crate) fn excuse(&self) {
        self.0.lock().excuses += 1;
    }

    /// The faults that fired since the last call.
    pub(crate) fn take_fired(&self) -> Vec<(Port, Access, ErrorKind)> {
        std::mem::take(&mut self.0.lock().fired)
    }

    pub(crate) fn has_put(&self, port: Port, keys: impl IntoIterator<Item = BlockKey>) {
        let mut state = self.0.lock();
        for key in keys {
            match port {
                Port::Cold => drop(state.unsynced.insert(key.clone())),
                _ => state.going.retain(|going| *going != key),
            }
            state.changes.push((port, Change::Put, key));
        }
    }

    pub(crate) fn has_synced(&self, port: Port) {
        if port == Port::Cold {
            self.0.lock().unsynced.clear();
        }
    }

    /// These are about to leave hot.
    pub(crate) fn deletes(&self, keys: &[BlockKey]) {
        let mut state = self.0.lock();
        if let Some(place) = state.erred.filter(|_| !keys.is_empty()) {
            let what = format!("{} blocks after an error in {place}", keys.len());
            state.broken = Some(Broken::new("law 6: no delete follows an error", what));
        }
        if let Some(key) = keys.iter().find(|key| state.unsynced.contains(*key)) {
            let what = format!("{key} leaves hot, cold has not synced it");
            state.broken = Some(Broken::new("law 3: durable before deleted", what));
        }
        state.most_deleted = state.most_deleted.max(keys.len());
        state.changes.extend(keys.iter().map(|key| (Port::Hot, Change::Deleted, key.clone())));
    }

    /// These are on their way out, and no others.
    pub(crate) fn go(&self, keys: Vec<BlockKey>) {
        self.0.lock().going = keys;
    }

    pub(crate) fn going(&self) -> Vec<BlockKey> {
        self.0.lock().going.clone()
    }

    /// Somebody wants to take a turn in the middle of a rewrite.
    pub(crate) fn interrupt(&self, interlude: Interlude) {
        self.0.lock().interlude = Some(interlude);
    }

    /// Whether somebody does.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.0.lock().interlude.is_some()
    }

    pub(crate) fn uninterrupt(&self) {
        self.0.lock().interlude = None;
    }

    /// The turn that is due at this place of a rewrite, if there is one.
    pub(crate) fn interlude(&self) -> Option<Interlude> {
        let mut state = self.0.lock();
        let left = state.interlude.as_mut()?.after.checked_sub(1);
        match left {
            None => state.interlude.take(),
            Some(left) => {
                state.interlude.as_mut()?.after = left;
                None
            }
        }
    }

    /// Counts what only an adapter sees.
    pub(crate) fn reach(&self, what: &str) {
        let mut state = self.0.lock();
        let what = format!("{what} in {}", state.place);
        state.reached.push(what);
    }

    pub(crate) fn take_reached(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().reached)
    }

    /// Most keys that one call deleted from hot in this life.
    pub(crate) fn most_deleted(&self) -> usize {
        self.0.lock().most_deleted
    }

    /// A law that only the wire saw broken.
    pub(crate) fn take_broken(&self) -> Option<Broken> {
        self.0.lock().broken.take()
    }

    /// What the tiers did since the last call.
    pub(crate) fn take_changes(&self) -> Vec<(Port, Change, BlockKey)> {
        std::mem::take(&mut self.0.lock().changes)
    }

    /// One effect is about to happen.
    pub(crate) fn effect(&self, port: Port, what: &str) -> Result<()> {
        let mut state = self.0.lock();
        if state.left == Some(0) {
            let place = state.place;
            let inside = if what == REWRITE { REWRITE } else { port.name() };
            state.life.end(Life::BurntOut(place, inside));
        }
        if state.life != Life::Alive {
            state.excuses += 1;
            return Err(PortError::bare(ErrorKind::Closed, format!("{what} in a dead process")));
        }
        if state.poisoned.contains(&port) {
            state.excuses += 1;
            return Err(PortError::bare(ErrorKind::Closed, format!("{what} after a failed sync")));
        }
        if let Some(left) = &mut state.left {
            *left -= 1;
        }
        let full = state.full.contains(&port) && TAKES_DATA.contains(&what);
        let kind = if full { Some(state.fire(port, Access::Effect, ErrorKind::Full)) } else { None };
        let Some(kind) = kind.or_else(|| state.fault(port, Access::Effect, what)) else { return Ok(()) };
        if what == SYNC {
            state.shaken = true;
            if matches!(port, Port::Hot | Port::Cold) {
                state.poisoned.insert(port);
                state.unsynced_step = Some(port).filter(|_| state.place != NODE);
            }
        }
        Err(PortError::bare(kind, format!("{what} on {}, told to fail", port.name())))
    }

    /// One read is about to happen.
    pub(crate) fn read(&self, port: Port, what: &str) -> Result<()> {
        let fault = self.0.lock().fault(port, Access::Read, what);
        fault.map_or(Ok(()), |kind| {
            Err(PortError::bare(kind, format!("{what} on {}, told to fail", port.name())))
        })
    }
}

impl State {
    fn fault(&mut self, port: Port, access: Access, what: &str) -> Option<ErrorKind> {
        let at = self.faults.iter().position(|fault| fault.is_for(port, access, what, self.place))?;
        let fault = &mut self.faults[at];
        fault.nth = fault.nth.saturating_sub(1);
        if fault.nth > 0 {
            return None;
        }
        let fault = self.faults.remove(at);
        if fault.twice {
            self.faults.push(Fault { nth: 1, access: Access::Effect, aim: Aim::Run, twice: false, ..fault });
        }
        Some(self.fire(port, access, fault.kind))
    }

    fn fire(&mut self, port: Port, access: Access, kind: ErrorKind) -> ErrorKind {
        self.excuses += 1;
        self.fired.push((port, access, kind));
        if self.place != NODE {
            self.erred = Some(self.place);
        }
        kind
    }
}

/// What a held thread tells the schedule.
pub(crate) enum Note<T> {
    Held,
    Done(T),
}

/// Holds the thread it is armed on at a chosen place.
pub(crate) struct Hold {
    /// Places to pass before.
    pub(crate) after: usize,
    pub(crate) held: Box<dyn Fn()>,
    pub(crate) go: Receiver<()>,
}

thread_local! {
    static HOLD: RefCell<Option<Hold>> = const { RefCell::new(None) };
}

impl Hold {
    pub(crate) fn arm(self) {
        HOLD.with_borrow_mut(|hold| *hold = Some(self));
    }
}

/// A place where the current thread may be held, if it is one that can be.
pub(crate) fn place_to_hold() {
    let now = HOLD.with_borrow_mut(|hold| {
        let armed = hold.as_mut()?;
        if armed.after > 0 {
            armed.after -= 1;
            return None;
        }
        hold.take()
    });
    if let Some(hold) = now {
        (hold.held)();
        // The schedule dropped its end: it will not let anybody go one by one.
        let _ = hold.go.recv();
    }
}

/// Both ends of what lets a thread go.
pub(crate) type Go = Sender<()>;
