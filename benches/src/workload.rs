//! The blocks of a generated chain, in memory: the disk then sees what is measured and nothing else.

use std::collections::HashSet;

use anyhow::Result;
use cid::Cid;
use splitstore_domain::{BlockKey, ObjectKind, record};
use splitstore_fixtures::{ChainSpec, generate};
use splitstore_ports::Block;

/// A generated chain. The same for equal specs, so nothing is cached between runs: it takes seconds.
pub(crate) struct Chain {
    /// Its blocks, each once, in the order a node would write them.
    pub(crate) blocks: Vec<(Cid, Box<[u8]>)>,
    /// Headers of its head.
    pub(crate) head: Vec<Cid>,
    /// Bytes of the blocks' data.
    pub(crate) bytes: u64,
}

/// What an engine stores for a block.
pub(crate) type Record = (BlockKey, Vec<u8>);

impl Chain {
    pub(crate) fn generate(spec: &ChainSpec) -> Result<Self> {
        let (mut blocks, mut seen, mut bytes) = (Vec::new(), HashSet::new(), 0);
        let made = generate(spec, &mut |cid: &Cid, data: &[u8]| {
            if ObjectKind::of(cid).is_stored() && seen.insert(BlockKey::from(cid)) {
                bytes += data.len() as u64;
                blocks.push((*cid, data.into()));
            }
            Ok::<_, std::io::Error>(())
        })?;
        Ok(Self { blocks, head: made.head, bytes })
    }
}

/// Blocks as the ports take them.
pub(crate) fn as_blocks(blocks: &[(Cid, Box<[u8]>)]) -> Vec<Block<'_>> {
    blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect()
}

/// Blocks as the adapters store them.
pub(crate) fn as_records<'a>(blocks: impl IntoIterator<Item = &'a (Cid, Box<[u8]>)>) -> Vec<Record> {
    let record = |(cid, data): &(Cid, Box<[u8]>)| {
        let mut value = Vec::new();
        record::encode(cid.codec(), data, &mut value);
        (BlockKey::from(cid), value)
    };
    blocks.into_iter().map(record).collect()
}
