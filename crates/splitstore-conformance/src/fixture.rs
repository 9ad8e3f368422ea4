//! How a suite gets at the store under test: opened, dropped, opened again at the same place.

use std::path::Path;

use splitstore_ports::Result;
use tempfile::TempDir;

/// A place that a store lives at.
///
/// A test makes one fixture and opens it as often as it needs; data that the store made durable is found by the
/// next `open`.
pub trait Fixture {
    /// The adapter under test.
    type Store;

    /// Opens the store at its place. The suite has dropped the handle before, but where it asks whether two
    /// handles shut each other out.
    fn open(&self) -> Result<Self::Store>;

    /// What the adapter promises beyond what every adapter must.
    fn caps(&self) -> Caps {
        Caps::DISK
    }
}

/// Whether synced data outlives the handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistent {
    /// It is found by the next open.
    Yes,
    /// It is gone with the handle.
    No,
}

/// Whether a second handle on one place is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusive {
    /// With an error of kind `Locked`.
    Yes,
    /// Handles may share the place.
    No,
}

/// What an adapter promises beyond what every adapter must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Data outlives the handle.
    pub persistent: Persistent,
    /// One handle at a time.
    pub exclusive: Exclusive,
}

impl Caps {
    /// What is asked of a store on disk.
    pub const DISK: Self = Self { persistent: Persistent::Yes, exclusive: Exclusive::Yes };
    /// What is asked of a store that lives as long as its handle.
    pub const VOLATILE: Self = Self { persistent: Persistent::No, exclusive: Exclusive::No };
}

type Opener<S> = dyn Fn(&Path) -> Result<S>;

/// A store in a folder of its own, removed with the fixture.
pub struct InFolder<S> {
    folder: TempDir,
    open: Box<Opener<S>>,
    caps: Caps,
}

impl<S> InFolder<S> {
    /// A fresh empty folder and how a store is opened in it; promises are [`Caps::DISK`].
    pub fn new(open: impl Fn(&Path) -> Result<S> + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, open: Box::new(open), caps: Caps::DISK }
    }

    /// The same with other promises.
    pub fn with_caps(self, caps: Caps) -> Self {
        Self { caps, ..self }
    }

    /// Opens a store at another place.
    pub fn open_at(&self, place: &Path) -> Result<S> {
        (self.open)(place)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl<S> Fixture for InFolder<S> {
    type Store = S;

    fn open(&self) -> Result<S> {
        (self.open)(self.folder.path())
    }

    fn caps(&self) -> Caps {
        self.caps
    }
}
