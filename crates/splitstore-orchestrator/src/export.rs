//! Export: a chain from a tipset downwards, block by block, as an archive wants it.

use cid::Cid;
use splitstore_domain::links::LinkError;
use splitstore_domain::retain::{Completeness, Part, Root, Scope};
use splitstore_domain::{Epoch, HeaderView, TipsetKey};
use splitstore_ports::Result as PortResult;

use crate::chain_walk::ChainWalk;
use crate::error::{Error, Result};
use crate::store::SplitStore;
use crate::walk::{Leaves, Missing, Sink, Walker};

/// What an export wrote and what it did not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Blocks written.
    pub blocks: u64,
    /// Bytes of their data.
    pub bytes: u64,
    /// Links below messages, receipts and states that lead to blocks the store does not hold.
    pub missing: u64,
}

impl SplitStore {
    /// Calls `write` with every block of the chain below `head`, each once: all headers and tipset keys down to
    /// genesis, and messages, receipts and state of every header at `down_to` or above.
    ///
    /// A missing header is an error. What else is missing is counted: a store need not hold old state.
    pub fn export(
        &self,
        head: &TipsetKey,
        down_to: Epoch,
        write: &mut dyn FnMut(&Cid, &[u8]) -> PortResult<()>,
    ) -> Result<Exported> {
        let inner = &self.inner;
        inner.exclusively("export", |folder| {
            let sets = crate::run::new_sets(inner, folder, "seen")?;
            let live = Walker::new(inner.tiers.clone(), sets, Leaves::Read);
            let mut walk = ChainWalk::new(inner.tiers.clone(), inner.chain()?.clone(), live, None);
            let mut sink = Writer { write, exported: Exported::default() };
            walk.push_tipset(head, &mut sink)?;
            let roots_of = |header: &HeaderView| everything(header, down_to);
            while walk.step(&roots_of, &mut sink)?.is_some() {
                inner.interrupt.check("export a chain")?;
            }
            Ok(sink.exported)
        })
    }
}

fn everything(header: &HeaderView, down_to: Epoch) -> Vec<Root> {
    if header.height < down_to {
        return Vec::new();
    }
    let parts =
        [(Part::State, header.state), (Part::Messages, header.messages), (Part::Receipts, header.receipts)];
    let (scope, completeness) = (Scope::Hot, Completeness::Lenient);
    parts.into_iter().map(|(part, cid)| Root { cid, part, scope, completeness }).collect()
}

struct Writer<'a> {
    write: &'a mut dyn FnMut(&Cid, &[u8]) -> PortResult<()>,
    exported: Exported,
}

impl Sink for Writer<'_> {
    fn block(&mut self, cid: &Cid, data: &[u8]) -> Result<()> {
        self.exported.blocks += 1;
        self.exported.bytes += data.len() as u64;
        Ok((self.write)(cid, data)?)
    }

    fn missing(&mut self, missing: &Missing) -> Result<()> {
        let Missing { cid, root, .. } = *missing;
        if missing.is_fatal() {
            return Err(Error::MissingLive { cid, root, header: None });
        }
        self.exported.missing += 1;
        Ok(())
    }

    fn malformed(&mut self, cid: Cid, source: LinkError) -> Result<()> {
        Err(Error::Malformed { cid, source })
    }
}
