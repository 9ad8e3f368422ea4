//! Readers: at once, or held in the middle of a call while the world goes on.
//!
//! A held reader has a thread of its own, but only one thread runs at a time: the schedule waits until the
//! reader is held or done, so a seed replays exactly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use cid::Cid;
use cid::multihash::Multihash;
use splitstore_domain::digest::SHA2_256;
use splitstore_domain::object::RAW;
use splitstore_orchestrator::{Error, SplitStore};
use splitstore_ports::{BlockRead, PortError};

use crate::broken::{Broken, Verdict};
use crate::life::{Life, told};
use crate::universe::{Id, Universe};
use crate::wire::{Go, Hold, Note, place_to_hold};
use crate::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Has,
    Get,
    Many,
    Size,
    View,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Own,
    Raw,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Has => "has",
            Self::Get => "get",
            Self::Size => "size",
            Self::View => "view",
            Self::Many => "get_many",
        }
    }
}

/// Whether a block had to be readable when a read of it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Yes,
    No,
}

/// A read to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) id: Id,
    way: Way,
    codec: Codec,
}

/// What was read: nothing, or whether it was as it was put.
type Answer = Result<Option<bool>, PortError>;

/// A reader that stands in the middle of a call.
pub(crate) struct Held {
    pub(crate) id: Id,
    question: Question,
    thread: JoinHandle<()>,
    notes: Receiver<Note<Answer>>,
    go: Go,
    excuses: u64,
    looking: Arc<AtomicBool>,
    /// Whether what it reads had to be readable when it began.
    due: Due,
}

impl Held {
    /// Whether its view's callback is running.
    pub(crate) fn is_looking(&self) -> bool {
        self.looking.load(Ordering::Relaxed)
    }

    /// Lets it go and forgets what it found.
    pub(crate) fn abandon(self) {
        drop(self.go);
        let _ = self.notes.recv();
        let _ = self.thread.join();
    }
}

impl Question {
    fn cid(&self, universe: &Universe) -> Cid {
        let cid = universe.cid(self.id);
        if self.codec == Codec::Raw { Cid::new_v1(RAW, *cid.hash()) } else { cid }
    }

    pub(crate) fn put_to(&self, store: &SplitStore, universe: &Universe) -> Answer {
        let data = &universe.blocks[self.id].data;
        read(store, self.way, &self.cid(universe), data, &AtomicBool::new(false))
    }
}

fn read(store: &SplitStore, way: Way, cid: &Cid, data: &[u8], looking: &AtomicBool) -> Answer {
    match way {
        Way::Has => Ok(store.has(cid)?.then_some(true)),
        Way::Get => Ok(store.get(cid)?.map(|found| found == data)),
        // An absent one before it, itself twice: nobody answers for another.
        Way::Many => {
            let absent = Multihash::wrap(SHA2_256, &[7; 32]).expect("a digest of 32 bytes");
            let found = store.get_many(&[Cid::new_v1(RAW, absent), *cid, *cid])?;
            let mut there = found[1..].iter().flatten().peekable();
            let answer = there.peek().is_some();
            Ok(answer.then(|| found[0].is_none() && there.all(|found| found == data)))
        }
        Way::Size => Ok(store.size(cid)?.map(|size| size == data.len() as u64)),
        Way::View => {
            let mut same = true;
            let found = store.view(cid, &mut |found| {
                looking.store(true, Ordering::Relaxed);
                let held_on_to = found.to_vec();
                place_to_hold();
                same = found == data && held_on_to == found;
                looking.store(false, Ordering::Relaxed);
            })?;
            Ok(found.then_some(same))
        }
    }
}

impl World {
    pub(crate) fn draw_question(&mut self) -> Question {
        let id = self.dice.below(self.universe.blocks.len());
        self.draw_way(id)
    }

    /// A question about a block that only cold has, if it has one.
    pub(crate) fn draw_old_question(&mut self) -> Question {
        let all = 0..self.universe.blocks.len();
        let old: Vec<Id> = all.filter(|id| self.only_in_cold(*id)).collect();
        if old.is_empty() {
            return self.draw_question();
        }
        let at = self.dice.below(old.len());
        self.draw_way(old[at])
    }

    fn draw_way(&mut self, id: Id) -> Question {
        // Batches without a throw of their own: seeds from before there were any keep their schedules.
        let get = if id.is_multiple_of(2) { Way::Many } else { Way::Get };
        let way = [Way::Has, get, Way::Size, Way::View][self.dice.below(4)];
        let codec = if self.dice.percent(5) { Codec::Raw } else { Codec::Own };
        Question { id, way, codec }
    }

    fn due(&self, id: Id) -> Due {
        let promised =
            self.loses_nothing() || self.oracle.live.contains(&id) || self.oracle.owed.contains(&id);
        if promised && self.there(id) { Due::Yes } else { Due::No }
    }
}

impl Life<'_, '_> {
    /// Judges an answer at the moment at which it is given.
    pub(crate) fn judge(&mut self, asked: &Question, answer: Answer, excuses: u64, due: Due) -> Verdict {
        let Question { id, way, codec } = *asked;
        self.beside_rest(way.name());
        let world = &mut *self.world;
        world
            .coverage
            .count(format!("act: {way:?}, {}", if answer_is_some(&answer) { "found" } else { "not" }));
        match answer {
            Err(error) => {
                world.trace.line(format!("{way:?} b{id} ({codec:?}): {}", told(&error)));
                self.excused(excuses, "a read", &Error::Port(error))
            }
            Ok(None) => {
                world.trace.line(format!("{way:?} b{id} ({codec:?}): nothing"));
                if due == Due::Yes { world.must_not_miss(id, "a read") } else { Ok(()) }
            }
            Ok(Some(false)) => Err(Broken::new("bytes are as they were put", format!("b{id} by {way:?}"))),
            Ok(Some(true)) => {
                world.trace.line(format!("{way:?} b{id} ({codec:?}): found"));
                if codec == Codec::Own {
                    return world.rely(id, "a read");
                }
                world.oracle.leaves.insert(id);
                if world.there(id) {
                    world.oracle.owed.insert(id);
                }
                Ok(())
            }
        }
    }

    /// Begins a read on a thread of its own and lets it come to some place in the middle.
    pub(crate) fn hold_a_reader(&mut self) -> Verdict {
        let mut question = self.world.draw_question();
        question.codec = Codec::Own;
        let (send, notes) = channel();
        let (go, wait) = channel();
        let after = self.world.dice.below(4);
        let looking = Arc::new(AtomicBool::new(false));
        let (store, at, flag) = (self.store.clone(), question, looking.clone());
        let (cid, data) =
            (question.cid(&self.world.universe), self.world.universe.blocks[at.id].data.clone());
        let excuses = self.world.wire.excuses();
        let thread = std::thread::spawn(move || {
            let held = send.clone();
            let held = Box::new(move || drop(held.send(Note::Held)));
            Hold { after, held, go: wait }.arm();
            let answer = read(&store, at.way, &cid, &data, &flag);
            drop(store);
            drop(send.send(Note::Done(answer)));
        });
        let due = self.world.due(question.id);
        match notes.recv() {
            Ok(Note::Held) => {
                let Question { id, way, .. } = question;
                self.world.trace.line(format!("{way:?} b{id} is held at place {after}"));
                self.world.coverage.count("act: hold a reader");
                self.held.push(Held { id, question, thread, notes, go, excuses, looking, due });
                Ok(())
            }
            Ok(Note::Done(answer)) => {
                let _ = thread.join();
                self.judge(&question, answer, excuses, due)
            }
            Err(_) => Err(Broken::new("a reader does not panic", format!("{question:?}"))),
        }
    }

    /// Lets a held reader finish.
    pub(crate) fn let_one_go(&mut self) -> Verdict {
        let at = self.world.dice.below(self.held.len());
        let held = self.held.remove(at);
        drop(held.go);
        let Ok(Note::Done(answer)) = held.notes.recv() else {
            return Err(Broken::new("a reader does not panic", format!("{:?}", held.question)));
        };
        let _ = held.thread.join();
        self.world.trace.line("a held reader goes on");
        self.judge(&held.question, answer, held.excuses, held.due)
    }
}

const fn answer_is_some(answer: &Answer) -> bool {
    matches!(answer, Ok(Some(_)))
}
