//! Crashes and faults.

use splitstore_domain::Phase;
use splitstore_orchestrator::Run;
use splitstore_ports::ErrorKind;

use crate::broken::Verdict;
use crate::life::{End, Life};
use crate::wire::{Access, Aim, Fault, Port};

impl Life<'_, '_> {
    /// Kills the process now, or at some effect to come.
    pub(crate) fn sabotage(&mut self) -> Option<End> {
        if self.world.dice.percent(40) {
            return Some(self.dies());
        }
        let most = [6, 25][self.world.dice.below(2)];
        let effects = self.world.dice.below(most) as u64;
        self.world.trace.line(format!("the fuse burns after {effects} effects"));
        self.world.wire.burn_after(effects);
        None
    }

    /// Commit is one step of a few effects: hardly a fuse that somebody else has lit burns down just there.
    pub(crate) fn may_die_in_commit(&mut self) {
        let commits = self.run.as_ref().is_some_and(|run| run.phase() == Phase::Commit);
        if commits && self.world.options.crashes > 0 && self.world.dice.percent(25) {
            let effects = self.world.dice.below(6) as u64;
            self.world.trace.line(format!("the fuse burns in this step, after {effects} effects"));
            self.world.wire.burn_after(effects);
        }
    }

    /// The process dies, or the power fails, between two steps.
    pub(crate) fn dies(&mut self) -> End {
        let moment = self.moment();
        self.world.coverage.count(format!("crash between: {moment}"));
        self.world.trace.line(format!("killed between two steps, in {moment}"));
        self.world.wire.kill();
        End::Died
    }

    /// One call to come will fail.
    pub(crate) fn order_fault(&mut self) -> Verdict {
        let phase = self.run.as_ref().map(Run::phase);
        let fault = match phase {
            Some(phase) if self.world.dice.percent(aimed_at(phase)) => self.draw_fault_of_run(phase),
            _ if self.world.dice.percent(60) => self.draw_fault_of_node(),
            _ => self.draw_fault(),
        };
        let Fault { port, access, kind, nth, aim, twice } = fault;
        let of = match aim {
            Aim::Any => access.name(),
            Aim::Node => "read of the node",
            Aim::Run => "call of a run",
            Aim::SyncOfRun => "sync of a run",
        };
        let next = if twice { ", and what comes next" } else { "" };
        self.world.trace.line(format!("{of} {nth} of {} will fail{next}: {kind}", port.name()));
        self.world.wire.order(fault);
        // Of what a node asks by itself, little is in cold, and after the seal little leads to a walk.
        match (port, aim) {
            (Port::Cold, Aim::Node) => self.read_what_is_old(),
            (_, Aim::Node) if self.is_filtering() => self.build_on_what_is_old(),
            _ => Ok(()),
        }
    }

    /// Where a run is at what only it does, the calls of everybody else would take most faults.
    fn draw_fault_of_run(&mut self, phase: Phase) -> Fault {
        let dice = &mut self.world.dice;
        let (port, access, aim) = match phase {
            Phase::Transfer | Phase::Seal if dice.percent(50) => (Port::Hot, Access::Read, Aim::Run),
            Phase::Transfer => (Port::Cold, Access::Effect, Aim::Run),
            Phase::Seal => (Port::Files, Access::Effect, Aim::SyncOfRun),
            Phase::Purge => (Port::Hot, Access::Effect, Aim::SyncOfRun),
            _ => (Port::ALL[dice.below(4)], Access::Effect, Aim::Run),
        };
        let most = match phase {
            Phase::Transfer => 6,
            // Of the marks twice, then of the record.
            Phase::Seal => 3,
            _ => [1, 3][dice.below(2)],
        };
        let nth = dice.between(1, most) as u64;
        // Whether a seal got out can then not be looked up either.
        let twice = phase == Phase::Seal && aim == Aim::SyncOfRun && dice.percent(50);
        Fault { port, access, kind: ErrorKind::Unavailable, nth, aim, twice }
    }

    /// What the node asks of the tiers, and the walks that protect what it touches: a run reads far more than both.
    fn draw_fault_of_node(&mut self) -> Fault {
        let dice = &mut self.world.dice;
        let port = [Port::Hot, Port::Cold][dice.below(2)];
        let most = if port == Port::Cold { 1 } else { [1, 3][dice.below(2)] };
        let nth = dice.between(1, most) as u64;
        Fault { port, access: Access::Read, kind: ErrorKind::Unavailable, nth, aim: Aim::Node, twice: false }
    }

    fn draw_fault(&mut self) -> Fault {
        let port = Port::ALL[self.world.dice.below(4)];
        let access = if self.world.dice.percent(30) { Access::Read } else { Access::Effect };
        let kind = if access == Access::Effect && self.world.dice.percent(50) {
            ErrorKind::Full
        } else {
            ErrorKind::Unavailable
        };
        let most = [2, 8][self.world.dice.below(2)];
        let nth = self.world.dice.between(1, most) as u64;
        Fault { port, access, kind, nth, aim: Aim::Any, twice: false }
    }
}

/// Chances in a hundred that a fault beside a run in this phase is for the run. Where it has nothing to lose yet, it
/// would end before it has.
const fn aimed_at(phase: Phase) -> usize {
    match phase {
        Phase::Idle | Phase::Prepare => 10,
        Phase::Mark | Phase::Collect => 25,
        Phase::Transfer | Phase::Seal | Phase::Purge | Phase::Commit => 50,
    }
}
