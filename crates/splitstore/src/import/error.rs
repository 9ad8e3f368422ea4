//! Why an archive was not imported.

use std::io;
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_car::CarError;
use splitstore_domain::links::LinkError;
use splitstore_domain::{ByteCount, Epoch, TipsetKey};
use splitstore_ports::PortError;
use thiserror::Error;

use super::Pass;
use crate::Error;

/// Why an archive was not imported. The head stayed where it was. Nothing was written, but for `Changed`,
/// `Interrupted` while writing, and `Store`: then some of its blocks may be there, as garbage until the import is
/// repeated.
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
    #[error(
        "archive {} ends with the block at offset {offset} of the uncompressed CAR stream, and its root {root} is \
         neither in it nor in the store; fetch a whole archive",
        path.display()
    )]
    MissingRoot {
        /// The file.
        path: PathBuf,
        /// Where its last block begins; 0 if it has none.
        offset: u64,
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
    /// The chain is not whole.
    #[error(
        "archive {}: its chain is not whole below offset {offset} of the uncompressed CAR stream; the store is as it \
         was: import a whole archive",
        path.display()
    )]
    BrokenChain {
        /// The file.
        path: PathBuf,
        /// Where the last header stands that the walk down found in the archive.
        offset: u64,
        /// Which header, and what is wrong.
        source: ChainFault,
    },
    /// A block that the chain's state or messages need is nowhere.
    #[error(
        "archive {}, offset {offset} of the uncompressed CAR stream: below block {parent} block {missing} is missing, \
         which is neither in the archive nor in the store; the store is as it was: import a whole archive",
        path.display()
    )]
    MissingBlock {
        /// The file.
        path: PathBuf,
        /// Where the block stands that leads to it.
        offset: u64,
        /// That block.
        parent: Box<Cid>,
        /// What is missing.
        missing: Box<Cid>,
    },
    /// A block that the chain's state or messages need cannot be read.
    #[error(
        "archive {}, offset {offset} of the uncompressed CAR stream: block {cid} cannot be read; the store is as it \
         was: import a sound archive",
        path.display()
    )]
    MalformedBlock {
        /// The file.
        path: PathBuf,
        /// Where it, or the block that leads to it, stands.
        offset: u64,
        /// The block.
        cid: Box<Cid>,
        /// What is wrong with it.
        source: LinkError,
    },
    /// Blocks are missing, and the archive's order does not let us tell in bounded time whether they are needed.
    #[error(
        "archive {}, offset {offset} of the uncompressed CAR stream: a link of block {parent} leads out of the \
         archive, and its blocks stand in an order in which {passes} readings do not tell whether it must not; the \
         store is as it was: export the archive with parents before children",
        path.display()
    )]
    Tangled {
        /// The file.
        path: PathBuf,
        /// Where the first such block stands.
        offset: u64,
        /// That block.
        parent: Box<Cid>,
        /// How often the archive was read.
        passes: u32,
    },
    /// The archive's chain begins elsewhere than the store's own.
    #[error(
        "archive {}: its chain begins at genesis {found}, the store's own at {held}; the store is as it was: use \
         another store, or replace the chain (`--replace-chain`)",
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
    /// compared.
    #[error(
        "archive {}: the store's own chain is damaged, so it is unknown whether both are one; the store is as it was: \
         `repair` it if a page of hot cannot be read, import its own chain again, or replace it (`--replace-chain`)",
        path.display()
    )]
    UnknownGenesis {
        /// The file.
        path: PathBuf,
        /// What is wrong with the store's own chain.
        source: ChainFault,
    },
    /// The disk has no room for the archive's blocks.
    #[error(
        "archive {} holds {needed} of blocks, and {} has {free} free; the store is as it was: free space there and \
         import again",
        path.display(), folder.display()
    )]
    NoSpace {
        /// The file.
        path: PathBuf,
        /// Where they would go.
        folder: PathBuf,
        /// Data in the archive.
        needed: ByteCount,
        /// Room on that disk.
        free: ByteCount,
    },
    /// Whoever watches the progress ended it.
    #[error("the import of archive {} was interrupted while {pass}: repeat it, that is safe", path.display())]
    Interrupted {
        /// The file.
        path: PathBuf,
        /// In which pass.
        pass: Pass,
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
        move |source| Self::Archive { path: path.to_owned(), source }
    }

    pub(super) fn changed(path: &Path) -> Self {
        Self::Changed { path: path.to_owned() }
    }

    pub(super) fn port(path: &Path) -> impl Fn(PortError) -> Self {
        move |source| Self::Store { path: path.to_owned(), source: source.into() }
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
    /// A header of the store cannot be read.
    #[error("a header in the store that cannot be read")]
    Unreadable {
        /// Which, and why.
        source: PortError,
    },
    /// The archive holds a block that is no header where there should be one.
    #[error("block {cid} stands in the place of a header and is none")]
    NotAHeader {
        /// The block.
        cid: Box<Cid>,
    },
    /// Headers that are named as one tipset have other heights or parents.
    #[error("headers {one} and {other} form no tipset: they differ in height or parents")]
    NoTipset {
        /// A header.
        one: Box<Cid>,
        /// The first that differs.
        other: Box<Cid>,
    },
    /// A tipset without headers.
    #[error("tipset {key} names no headers")]
    NoHeaders {
        /// The tipset.
        key: TipsetKey,
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
