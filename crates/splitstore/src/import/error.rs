//! Why an archive was not imported.

use std::io;
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_car::CarError;
use splitstore_domain::{Epoch, TipsetKey};
use splitstore_ports::PortError;
use thiserror::Error;

use crate::Error;

/// Why an archive was not imported. The head stayed where it was; unless it says otherwise, nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is no such file, or it cannot be opened.
    #[error("open archive {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is read twice, so it must be a file.
    #[error("archive {} is no regular file: save it to one first", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The archive is damaged or none; names the file and the offset.
    #[error("archive {} is damaged or none, the store is as it was: fetch the file again", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: CarError,
    },
    /// The archive was whole when it was checked, and no longer when it was read for writing.
    #[error("archive {} changed while it was read: import it again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A root is neither in the archive nor in the store.
    #[error("archive {}: root {root} is neither in it nor in the store; fetch a whole archive", path.display())]
    MissingRoot {
        /// The file.
        path: PathBuf,
        /// The root.
        root: Cid,
    },
    /// Some roots are headers and some are not.
    #[error(
        "archive {}: root {header} is a block header, root {other} is none; the roots of a chain are headers",
        path.display()
    )]
    MixedRoots {
        /// The file.
        path: PathBuf,
        /// A root that is a header.
        header: Cid,
        /// One that is not.
        other: Cid,
    },
    /// The roots look like headers and form no tipset.
    #[error("archive {}: its roots form no tipset", path.display())]
    BadHead {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PortError,
    },
    /// A header does not lie above its parent: following such a chain might never end.
    #[error(
        "archive {}, offset {offset} of the uncompressed CAR stream: header {child} at height {child_height} has \
         parent {parent} at height {parent_height}, which is not below it; the store is as it was",
        path.display()
    )]
    Cyclic {
        /// The file.
        path: PathBuf,
        /// Where the second of the two headers begins.
        offset: u64,
        /// The header.
        child: Box<Cid>,
        /// Its height.
        child_height: Epoch,
        /// The header it names as a parent.
        parent: Box<Cid>,
        /// The height of that.
        parent_height: Epoch,
    },
    /// The chain is not whole. The blocks were written.
    #[error(
        "archive {}: its chain is not whole; its blocks were kept and the head stays: import a whole archive",
        path.display()
    )]
    BrokenChain {
        /// The file.
        path: PathBuf,
        /// Which header, and what is wrong.
        source: ChainFault,
    },
    /// The archive's chain begins elsewhere than the store's own. The blocks were written.
    #[error(
        "archive {}: its chain begins at genesis {found}, the store's own at {held}; its blocks were kept and \
         the head stays: use another store, or replace the chain (`--replace-chain`)",
        path.display()
    )]
    OtherGenesis {
        /// The file.
        path: PathBuf,
        /// Genesis of the store's own chain.
        held: Box<TipsetKey>,
        /// Genesis of the archive's.
        found: Box<TipsetKey>,
    },
    /// The store's own chain cannot be followed to its genesis, nor to the archive's chain, so the two cannot be
    /// compared. The blocks were written.
    #[error(
        "archive {}: the store's own chain is damaged, so it is unknown whether both are one; its blocks were \
         kept and the head stays: import the store's own chain again, or replace it (`--replace-chain`)",
        path.display()
    )]
    UnknownGenesis {
        /// The file.
        path: PathBuf,
        /// What is wrong with the store's own chain.
        source: ChainFault,
    },
    /// The store failed. Blocks may have been written; repeat the import.
    #[error("import archive {}; it is safe to repeat", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Error,
    },
}

impl ImportError {
    pub(super) fn archive(path: &Path) -> impl Fn(CarError) -> Self {
        let path = path.to_owned();
        move |source| Self::Archive { path: path.clone(), source }
    }

    pub(super) fn port(path: &Path) -> impl Fn(PortError) -> Self {
        let path = path.to_owned();
        move |source| Self::Store { path: path.clone(), source: source.into() }
    }
}

/// What is wrong with a chain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// A header is in neither tier.
    #[error("header {cid} of tipset {key} is missing")]
    Missing {
        /// The header.
        cid: Box<Cid>,
        /// The tipset it belongs to.
        key: TipsetKey,
    },
    /// What should be the headers of a tipset are none, or form none.
    #[error("headers that cannot be read")]
    Unreadable {
        /// Which, and why.
        source: PortError,
    },
    /// A header under a CID of another codec.
    #[error("header {cid} is not under a DAG-CBOR cid")]
    NotDagCbor {
        /// The header.
        cid: Box<Cid>,
    },
    /// A height does not fall.
    #[error(
        "tipset {child} at height {child_height} has parents {parent} at height {parent_height}, not below it"
    )]
    NotBelow {
        /// The tipset.
        child: TipsetKey,
        /// Its height.
        child_height: Epoch,
        /// What it is built on.
        parent: TipsetKey,
        /// The height of that.
        parent_height: Epoch,
    },
    /// A height that no node can write.
    #[error("tipset {key} has height {height}, the greatest possible is {}", i64::MAX)]
    TooHigh {
        /// The tipset.
        key: TipsetKey,
        /// Its height.
        height: Epoch,
    },
    /// The chain ends above height 0.
    #[error("tipset {key} at height {height} has no parents and is not genesis")]
    NoParents {
        /// The tipset.
        key: TipsetKey,
        /// Its height.
        height: Epoch,
    },
}
