//! Why an archive was not imported.

use std::io;
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_car::CarError;
use splitstore_domain::Epoch;
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
