//! What is tried at the end of a seed, when nothing else goes on: a run over a chain with a hole.

use splitstore_domain::BlockKey;
use splitstore_orchestrator::{Error, Step};
use splitstore_ports::{BlockDelete, BlockRead};

use crate::broken::{Broken, Verdict};
use crate::life::Life;
use crate::universe::Id;

/// Where the link index is, below the folder of the store.
const LINKS_PACK: &str = "links/pack";

impl Life<'_, '_> {
    /// The disk loses a header; the seed is over afterwards.
    pub(crate) fn probe(&mut self) -> Verdict {
        self.header_to_lose().map_or(Ok(()), |header| self.a_hole_in_the_chain_ends_a_run(header))
    }

    /// A header below the head and above genesis, that cold has no copy of.
    fn header_to_lose(&mut self) -> Option<Id> {
        let head = self.world.node.tipset(self.world.node.head).to_vec();
        let world = &self.world;
        let below = |id: &Id| !head.contains(id) && world.universe.blocks[*id].height() > Some(0);
        let only_hot = |id: &Id| !world.machine.cold.has(&world.universe.cid(*id)).unwrap_or(true);
        // Not of a fork: those may be gone.
        let chain = world.line(world.node.head).into_iter().flat_map(|id| world.node.tipset(id).to_vec());
        let all: Vec<Id> = chain.filter(below).filter(only_hot).collect();
        self.world.dice.pick(&all).copied()
    }

    fn whole_run(&self) -> splitstore_orchestrator::Result<()> {
        let mut run = self.store.begin()?;
        while !matches!(run.step()?, Step::Finished(_)) {}
        Ok(())
    }

    /// The disk has lost a header: a run must end, name it, and delete nothing. One that is final no run looks at
    /// again; then it is the audit that must find it.
    fn a_hole_in_the_chain_ends_a_run(&mut self, header: Id) -> Verdict {
        let world = &mut *self.world;
        let lost = world.universe.cid(header);
        world.trace.line(format!("b{header}, a header of the chain, is lost"));
        world.coverage.count("probe: a hole in the chain");
        let gone = world.machine.hot.delete_many(&[BlockKey::from(&lost)]);
        gone.map_err(|error| Broken::new("memory deletes a block", error.to_string()))?;
        world.absorb();
        let before = world.hot_ids();
        let height = world.universe.blocks[header].height();
        let info = self.store.info().map_err(|error| Broken::new("info is known", error.to_string()))?;
        let base = info.base.filter(|_| info.compactions > 0);
        let is_final = height.zip(base).is_some_and(|(height, base)| height < base.height());
        let mut ended = self.whole_run();
        if let Err(Error::DamagedFile { path, .. }) = &ended
            && path.ends_with(LINKS_PACK)
        {
            // The link index lists a block that hot has lost: that is named first, and the next run builds it anew.
            self.world.coverage.count("probe: the link index has what hot lost");
            ended = self.whole_run();
        }
        let same = self.world.hot_ids() == before;
        match ended {
            Err(Error::MissingLive { cid, .. }) if cid == lost && same => Ok(()),
            Ok(()) if is_final => {
                self.world.coverage.count("probe: a hole in what is final");
                let clean = self.store.audit().is_ok_and(|audit| audit.is_clean());
                let missed = || Broken::new("an audit finds what is missing", format!("b{header} is lost"));
                if clean { Err(missed()) } else { Ok(()) }
            }
            ended => {
                let deleted = if same { "nothing" } else { "blocks" };
                let what = format!("without b{header} a run ended with {ended:?}, and deleted {deleted}");
                Err(Broken::new("law 6: errors stop, never skip", what))
            }
        }
    }
}
