//! The links of a block that lead to blocks which are opened: those that must be there.

use splitstore_domain::links::{Link, LinkError, scan_links};
use splitstore_domain::object::{DAG_CBOR, identity_data};
use splitstore_domain::{BlockKey, ObjectKind};

/// The keys that the DAG-CBOR block `data` leads to. Leaves of other codecs are left out: they are never opened, and
/// snapshots may lack them. Links inside an identity CID are links of the block that holds it.
pub(super) fn needs_of(data: &[u8]) -> Result<Vec<BlockKey>, LinkError> {
    let mut needs = Vec::new();
    scan_links(data, |link| add(&link, &mut needs))?;
    Ok(needs)
}

fn add(link: &Link<'_>, needs: &mut Vec<BlockKey>) {
    match link.kind() {
        ObjectKind::Dag => needs.extend(BlockKey::from_bytes(link.multihash())),
        ObjectKind::Identity if link.codec() == DAG_CBOR => {
            let cid = link.cid();
            // What is inline and no DAG-CBOR has no links that any reader could follow. Each level is shorter than
            // the one around it, so this ends.
            let inner = identity_data(&cid).map(needs_of).and_then(Result::ok);
            needs.extend(inner.unwrap_or_default());
        }
        ObjectKind::Opaque | ObjectKind::Identity | ObjectKind::Unitary => {}
    }
}
