//! What the links of a block lead to: blocks that a tier may store, and how each is to be read.

use splitstore_domain::ObjectKind;
use splitstore_domain::links::{Link, LinkError, scan_links};
use splitstore_ports::Reading;

/// Calls `on_child` with each child of a DAG-CBOR block, and how it is read. Children met before an error have been
/// reported when it returns.
pub(crate) fn children_of(
    data: &[u8],
    mut on_child: impl FnMut(&Link<'_>, Reading),
) -> Result<(), LinkError> {
    scan_links(data, |link| add_link(&link, &mut on_child))
}

/// The block that a link leads to, or those that its inline data leads to.
pub(crate) fn add_link(link: &Link<'_>, on_child: &mut impl FnMut(&Link<'_>, Reading)) {
    match link.kind() {
        ObjectKind::Dag => on_child(link, Reading::Dag),
        ObjectKind::Opaque => on_child(link, Reading::Opaque),
        ObjectKind::Identity => add_inline(link, on_child),
        ObjectKind::Unitary => {}
    }
}

/// Links inside an identity CID count as links of the block that holds it. Each level is shorter than the one
/// around it and the outermost has 64 bytes at most, so this ends soon.
fn add_inline(link: &Link<'_>, on_child: &mut dyn FnMut(&Link<'_>, Reading)) {
    let Some(data) = link.identity_data().filter(|_| link.is_dag()) else { return };
    let mut inner = Vec::new();
    // Inline data that is no DAG-CBOR has no links that any reader could follow.
    if scan_links(data, |link| inner.push(link)).is_ok() {
        for link in &inner {
            add_link(link, &mut |link: &Link<'_>, reading| on_child(link, reading));
        }
    }
}
