//! Loads headers and makes tipsets of them.

use cid::Cid;
use splitstore_domain::digest::blake2b_256;
use splitstore_domain::{Tipset, TipsetKey};
use splitstore_ports::{BlockRead, ErrorKind, PortError, Result};

use crate::BlockHeader;

/// A header under its name.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) cid: Cid,
    pub(crate) header: BlockHeader,
}

impl Member {
    /// Its place among the headers of a tipset: lowest hash of the ticket first, then lowest CID. A header
    /// without a ticket comes first.
    pub(crate) fn rank(&self) -> (Option<[u8; 32]>, Vec<u8>) {
        (self.header.ticket.as_deref().map(blake2b_256), self.cid.to_bytes())
    }
}

/// Reads one header; `Corrupt` names its CID.
pub(crate) fn decode(cid: &Cid, data: &[u8]) -> Result<BlockHeader> {
    BlockHeader::decode(data)
        .map_err(|fault| PortError::new(ErrorKind::Corrupt, format!("read header {cid}"), fault))
}

/// Loads headers in the order of `cids`; what is not there is `None` in its place.
pub(crate) fn load(blocks: &dyn BlockRead, cids: &[Cid]) -> Result<Vec<Option<Member>>> {
    let mut members: Vec<Option<Result<Member>>> = cids.iter().map(|_| None).collect();
    blocks.view_many(cids, &mut |index, data| {
        if let (Some(place), Some(&cid)) = (members.get_mut(index), cids.get(index)) {
            *place = Some(decode(&cid, data).map(|header| Member { cid, header }));
        }
    })?;
    members.into_iter().map(Option::transpose).collect()
}

/// The tipset that these headers form in this order; `Corrupt` if they do not form one, or are none.
pub(crate) fn form(members: &[Member]) -> Result<Tipset> {
    let refuse = |attempt: String| PortError::bare(ErrorKind::Corrupt, attempt);
    let (first, rest) = members.split_first().ok_or_else(|| refuse("form a tipset of no headers".into()))?;
    for other in rest {
        let (one, two) = (&first.header, &other.header);
        let what = match () {
            () if one.height != two.height => format!("heights {} and {}", one.height, two.height),
            () if one.parents != two.parents => format!("parents {} and {}", one.parents, two.parents),
            () => continue,
        };
        return Err(refuse(format!("form a tipset of headers {} and {} with {what}", first.cid, other.cid)));
    }
    let timestamp = members.iter().map(|member| member.header.timestamp).min();
    Ok(Tipset {
        key: TipsetKey::new(members.iter().map(|member| member.cid).collect()),
        height: first.header.height,
        timestamp: timestamp.unwrap_or(first.header.timestamp),
        parents: first.header.built_on(),
    })
}
