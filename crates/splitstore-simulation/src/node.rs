//! What the node knows: its tipsets, its head, what it is about to do.
//!
//! States share subtrees with older ones, also with states that are long dead: that is what makes a node ask
//! `has` and trust the answer.

use splitstore_domain::ColdPolicy;

use crate::dice::Dice;
use crate::options::SimOptions;
use crate::universe::{HeaderParts, Id, Universe};
use crate::world::World;

/// A tipset's number.
pub(crate) type TipsetId = usize;

/// A tipset that was made, on whatever fork.
pub(crate) struct Drawn {
    pub(crate) headers: Vec<Id>,
    pub(crate) height: u64,
    pub(crate) parent: Option<TipsetId>,
    pub(crate) key_object: Option<Id>,
    /// Subtrees of the state that its headers name.
    subtrees: Vec<Id>,
}

/// One thing to do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Errand {
    /// Ask whether the block is there; trust a yes, else bring it with all below it.
    Ensure(Id),
    /// Write the block and all below it without asking.
    Write(Id),
    /// Write only this block: what is below it comes later.
    WriteBare(Id),
    /// Let others take their turns.
    Rest,
    /// Make this tipset the head.
    Apply(TipsetId),
}

/// What is to be done in one run, or from the start again in the next.
#[derive(Default)]
pub(crate) struct Task {
    pub(crate) errands: Vec<Errand>,
    pub(crate) next: usize,
    pub(crate) run: u64,
    /// Purges that had begun when it was taken up last.
    pub(crate) seals: u64,
    /// Some of it was asked before the run began.
    pub(crate) is_old: bool,
}

/// Whether the chain leaves what a transfer under `messages` was for that broke off, before the next run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    No,
    Due,
    UnderWay,
}

/// How the node keeps up with its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Keeping {
    #[default]
    InStep,
    Hovering,
    Behind,
}

impl Keeping {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        [Self::InStep, Self::Hovering, Self::Behind][dice.below(3)]
    }

    /// Seconds by which a head is late; often just at a bound.
    pub(crate) fn draw_age(self, dice: &mut Dice) -> u64 {
        let (low, high) = match self {
            Self::InStep => (0, 29),
            Self::Hovering => (30, 60),
            Self::Behind => (61, 200),
        };
        match dice.below(3) {
            0 => low as u64,
            1 => high as u64,
            _ => dice.between(low, high) as u64,
        }
    }
}

/// The node.
#[derive(Default)]
pub(crate) struct Node {
    pub(crate) tipsets: Vec<Drawn>,
    pub(crate) head: TipsetId,
    /// The head at the last flush that returned.
    pub(crate) durable_head: TipsetId,
    pub(crate) task: Option<Task>,
    pub(crate) pace: Keeping,
    /// Tipsets that the store was told are reverted, younger than finality.
    pub(crate) reverted: Vec<TipsetId>,
    /// All that it was ever told, also by calls that failed: it may keep these as long as they are young.
    pub(crate) ever_reverted: Vec<TipsetId>,
    /// Every subtree of a state that was ever made.
    pub(crate) subtrees: Vec<Id>,
    counter: u64,
}

impl Node {
    pub(crate) fn tipset(&self, id: TipsetId) -> &[Id] {
        &self.tipsets[id].headers
    }

    pub(crate) fn key_object(&self, headers: &[Id]) -> Option<Id> {
        self.tipsets.iter().find(|tipset| tipset.headers == headers)?.key_object
    }

    /// What a crash leaves of it.
    pub(crate) fn forget(&mut self) {
        self.task = None;
        self.head = self.durable_head;
    }

    fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}

impl World {
    /// A run ended in this phase before its time.
    pub(crate) fn broke_off_in(&mut self, place: &str) {
        let SimOptions { cold, reorg, boundary, finality, .. } = self.options;
        if place == "transfer" && cold == ColdPolicy::Messages && reorg > boundary * finality {
            self.leaving = Leaving::Due;
        }
    }

    pub(crate) fn grow_first_chain(&mut self) {
        let mut at = None;
        for _ in 0..self.options.tipsets {
            at = Some(self.draw_tipset(at));
        }
        self.node.head = at.unwrap_or(0);
        self.node.durable_head = self.node.head;
    }

    /// Makes a tipset on top of another; nothing is written.
    pub(crate) fn draw_tipset(&mut self, parent: Option<TipsetId>) -> TipsetId {
        let nulls = if self.dice.percent(20) { self.dice.between(1, 2) as u64 } else { 0 };
        let (height, parents, mut subtrees) = match parent.map(|id| &self.node.tipsets[id]) {
            Some(parent) => (parent.height + 1 + nulls, parent.headers.clone(), parent.subtrees.clone()),
            None => (0, Vec::new(), Vec::new()),
        };
        self.change_state(&mut subtrees);
        let number = self.node.number();
        let state = self.universe.list(number % 3, subtrees.clone());
        let receipts = self.draw_list(2);
        let width = if parent.is_some() && self.dice.percent(25) { 2 } else { 1 };
        let mut headers = Vec::new();
        for _ in 0..width {
            let messages = self.draw_list(3);
            let parts = HeaderParts { height, parents: parents.clone(), state, receipts, messages };
            let ticket = self.node.number();
            headers.push(self.universe.header(ticket, parts));
        }
        let key_object = self.options.key_objects.then(|| self.universe.key_object(&headers));
        self.tell_chain(&headers, key_object);
        self.node.tipsets.push(Drawn { headers, height, parent, key_object, subtrees });
        self.node.tipsets.len() - 1
    }

    fn tell_chain(&self, headers: &[Id], object: Option<Id>) {
        let universe: &Universe = &self.universe;
        let views = headers.iter().filter_map(|id| Some((universe.cid(*id), universe.header_view(*id)?)));
        if let Some(tipset) = universe.tipset(headers) {
            self.chain.know(tipset, object.map(|id| universe.cid(id)), views.collect());
        }
    }

    fn change_state(&mut self, subtrees: &mut Vec<Id>) {
        while subtrees.len() < self.options.fan_out {
            let new = self.draw_subtree();
            subtrees.push(new);
        }
        for _ in 0..self.dice.between(1, 2) {
            let at = self.dice.below(subtrees.len());
            subtrees[at] = match self.dice.below(10) {
                0..4 => self.old_subtree(),
                4 | 5 => {
                    let below = self.old_subtree();
                    let leaf = self.draw_leaf();
                    let new = self.universe.list(7, vec![below, leaf]);
                    self.node.subtrees.push(new);
                    new
                }
                _ => self.draw_subtree(),
            };
        }
    }

    /// A subtree that some state has or had.
    pub(crate) fn old_subtree(&mut self) -> Id {
        match self.dice.pick(&self.node.subtrees) {
            Some(old) => *old,
            None => self.draw_subtree(),
        }
    }

    fn draw_subtree(&mut self) -> Id {
        let leaves: Vec<Id> = (0..self.dice.between(1, 2)).map(|_| self.draw_leaf()).collect();
        let number = self.node.number();
        let mut new = self.universe.list(number, leaves);
        if self.dice.percent(30) {
            new = self.universe.list(5, vec![new]);
        }
        self.node.subtrees.push(new);
        new
    }

    /// A new block above this one.
    pub(crate) fn draw_parent_of(&mut self, below: Id) -> Id {
        let leaf = self.draw_leaf();
        self.universe.list(6, vec![below, leaf])
    }

    fn draw_leaf(&mut self) -> Id {
        let number = self.node.number();
        self.universe.raw(number.to_le_bytes().to_vec())
    }

    /// Messages or receipts: a list of up to `most` leaves; often the same empty list.
    pub(crate) fn draw_list(&mut self, most: usize) -> Id {
        let leaves: Vec<Id> = (0..self.dice.below(most + 1)).map(|_| self.draw_leaf()).collect();
        self.universe.list(0, leaves)
    }

    /// The errands that bring a tipset in, in one of the orders in which nodes do.
    pub(crate) fn errands_of(&mut self, tipset: TipsetId) -> Vec<Errand> {
        let drawn = &self.node.tipsets[tipset];
        let parts: Vec<&HeaderParts> =
            drawn.headers.iter().filter_map(|id| self.universe.blocks[*id].header.as_ref()).collect();
        let mut headers = drawn.headers.clone();
        headers.extend(drawn.key_object);
        let mut below: Vec<Id> = parts.iter().flat_map(|p| [p.state, p.receipts, p.messages]).collect();
        below.sort_unstable();
        below.dedup();
        let header_first = self.dice.percent(50);
        let all = if header_first { [headers, below].concat() } else { [below, headers].concat() };
        let blind = self.dice.percent(20);
        all.into_iter().map(|id| if blind { Errand::Write(id) } else { Errand::Ensure(id) }).collect()
    }
}
