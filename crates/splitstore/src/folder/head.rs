//! The head between two runs of the program: its cell in the metadata.
//!
//! ```text
//!   (length u8 | CID, binary)*      the headers of the head, in the tipset's order; nothing for no head
//! ```

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::TipsetKey;
use splitstore_ports::{ErrorKind, MetaCell, MetaStore, PortError, Result};

/// A head that was kept, and whose headers can no longer be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("tipset {key}, the head that was kept, {}", self.how())]
pub struct LostHead {
    /// Its headers.
    pub key: TipsetKey,
    /// Why they cannot be read; `None` where one of them is in neither tier.
    pub source: Option<Arc<PortError>>,
}

impl LostHead {
    fn how(&self) -> &'static str {
        match self.source {
            Some(_) => "cannot be read",
            None => "is not all there; import the chain again",
        }
    }
}

/// Reads the cell; `None` where there is no head.
pub(super) fn load(meta: &dyn MetaStore) -> Result<Option<TipsetKey>> {
    let Some(bytes) = meta.get(MetaCell::Head)? else { return Ok(None) };
    let key = decode(&bytes).ok_or_else(|| {
        PortError::bare(ErrorKind::Corrupt, "read the head from the metadata: import the chain again")
    })?;
    Ok(Some(key).filter(|key| !key.is_empty()))
}

/// Writes the cell, durably.
pub(super) fn save(meta: &dyn MetaStore, key: &TipsetKey) -> Result<()> {
    let encoded = encode(key).ok_or_else(|| {
        PortError::bare(ErrorKind::Unsupported, format!("save head {key}: a cid of more than 255 bytes"))
    })?;
    meta.set_many(&[(MetaCell::Head, encoded)])
}

fn encode(key: &TipsetKey) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for cid in key.cids() {
        let cid = cid.to_bytes();
        bytes.push(u8::try_from(cid.len()).ok()?);
        bytes.extend_from_slice(&cid);
    }
    Some(bytes)
}

fn decode(mut bytes: &[u8]) -> Option<TipsetKey> {
    let mut cids = Vec::new();
    while let Some((len, rest)) = bytes.split_first() {
        let (cid, rest) = rest.split_at_checked((*len).into())?;
        cids.push(Cid::try_from(cid).ok()?);
        bytes = rest;
    }
    Some(TipsetKey::new(cids))
}

#[cfg(test)]
mod tests {
    use splitstore_memory::MemoryMeta;

    use super::*;

    #[test]
    fn a_head_reads_back_as_it_was_saved() {
        let meta = MemoryMeta::new();
        assert_eq!(load(&meta).unwrap(), None);
        let cids = ["bafkqaaa", "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"];
        let key = TipsetKey::new(cids.iter().map(|cid| cid.parse().unwrap()).collect());
        save(&meta, &key).unwrap();
        assert_eq!(load(&meta).unwrap(), Some(key));
    }

    #[test]
    fn a_cut_cell_is_corrupt() {
        let meta = MemoryMeta::new();
        meta.set_many(&[(MetaCell::Head, vec![36, 1])]).unwrap();
        assert_eq!(load(&meta).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
