//! What the links of a block lead to: blocks that a tier may store, and how each is to be read.

use cid::Cid;
use splitstore_domain::ObjectKind;
use splitstore_domain::links::{Link, LinkError, scan_links};
use splitstore_domain::object::{DAG_CBOR, identity_data};
use splitstore_ports::Reading;

/// Called with each link to a block that may be stored.
pub(crate) type OnChild<'a> = &'a mut dyn FnMut(&Link<'_>, Reading);

/// Calls `on_child` for each child of a DAG-CBOR block. Children met before an error have been reported when it
/// returns.
pub(crate) fn children_of(data: &[u8], on_child: OnChild<'_>) -> Result<(), LinkError> {
    scan_links(data, |link| add_link(&link, on_child))
}

/// The block that a link leads to, or those that its inline data leads to.
pub(crate) fn add_link(link: &Link<'_>, on_child: OnChild<'_>) {
    match link.kind() {
        ObjectKind::Dag => on_child(link, Reading::Dag),
        ObjectKind::Opaque => on_child(link, Reading::Opaque),
        ObjectKind::Identity => add_inline(&link.cid(), on_child),
        ObjectKind::Unitary => {}
    }
}

/// Links inside an identity CID count as links of the block that holds it. Each level is shorter than the one
/// around it and the outermost has 64 bytes at most, so this ends soon.
fn add_inline(cid: &Cid, on_child: OnChild<'_>) {
    let Some(data) = identity_data(cid).filter(|_| cid.codec() == DAG_CBOR) else { return };
    let mut inner = Vec::new();
    // Inline data that is no DAG-CBOR has no links that any reader could follow.
    if scan_links(data, |link| inner.push(link)).is_ok() {
        for link in &inner {
            add_link(link, on_child);
        }
    }
}
