//! A file system in memory that forgets at a crash what was not synced.

use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use splitstore_domain::ByteCount;
use splitstore_ports::{ErrorKind, FileSystem, FileWrite, PortError, Result};

use crate::Fuse;
use crate::tree::{Node, ROOT, Refusal, Tree};

/// Files in memory. Clones are handles on the same files.
///
/// Stricter than a disk where the contract leaves room: an existing file that is created anew loses its durable
/// data at once, and files that were open at a crash take no more writes.
#[derive(Debug, Clone)]
pub struct MemoryFiles {
    disk: Arc<Mutex<Disk>>,
    fuse: Fuse,
}

#[derive(Debug, Clone)]
struct Disk {
    tree: Tree,
    crashes: u64,
    free: Option<ByteCount>,
}

/// What a crash leaves of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Neither names nor data.
    Nothing,
    /// Names; new files are empty.
    Names,
    /// Data, of files whose names were synced.
    Data,
    /// Names, and this many bytes of what each file had got since its last sync: a torn tail.
    Tail(usize),
    /// Names, and this many zeros in the place of what each file had got since its last sync: a length that was
    /// written before the data.
    Zeros(usize),
}

impl Default for MemoryFiles {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryFiles {
    /// No files, and no folder but the root.
    pub fn new() -> Self {
        let disk = Disk { tree: Tree::new(), crashes: 0, free: None };
        Self { disk: Arc::new(Mutex::new(disk)), fuse: Fuse::new() }
    }

    /// The same files; through this handle nothing is changed or synced when `fuse` is burnt.
    pub fn fused(self, fuse: Fuse) -> Self {
        Self { fuse, ..self }
    }

    /// No files, and this folder, durably there.
    pub fn with_folder(path: &Path) -> Result<Self> {
        let files = Self::new();
        files.create_dir(path)?;
        files.disk.lock().tree.nodes().for_each(Node::sync);
        Ok(files)
    }

    /// Other files with what these hold now, which go their own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { disk: Arc::new(Mutex::new(self.disk.lock().clone())), fuse: Fuse::new() }
    }

    /// Loses all data and names that were not synced.
    pub fn crash(&self) {
        self.crash_keeping(Kept::Nothing);
    }

    /// Loses what was not synced, but for `kept`.
    pub fn crash_keeping(&self, kept: Kept) {
        self.crash_choosing(|| kept);
    }

    /// Loses what was not synced, but for what is chosen for each file and folder by itself.
    pub fn crash_choosing(&self, mut choose: impl FnMut() -> Kept) {
        let mut disk = self.disk.lock();
        disk.crashes += 1;
        for node in disk.tree.nodes() {
            crash(node, choose());
        }
    }

    /// What [`FileSystem::free_space`] answers; at first it cannot tell.
    pub fn set_free_space(&self, free: Option<ByteCount>) {
        self.disk.lock().free = free;
    }

    fn write_to(&self, node: usize, path: &Path) -> Box<dyn FileWrite> {
        let crashes = self.disk.lock().crashes;
        Box::new(OpenFile {
            disk: Arc::clone(&self.disk),
            fuse: self.fuse.clone(),
            node,
            path: path.to_owned(),
            crashes,
        })
    }

    /// The file at `path`, made if it is not there.
    fn file(&self, path: &Path) -> Result<usize, Refusal> {
        let tree = &mut self.disk.lock().tree;
        if let Some(number) = tree.find(path)? {
            return match tree.node(number) {
                Node::File { .. } => Ok(number),
                Node::Folder { .. } => Err("a folder is there"),
            };
        }
        tree.entry(path)?;
        let number = tree.add(Node::file());
        let (names, name) = tree.entry(path)?;
        names.insert(name, number);
        Ok(number)
    }
}

impl FileSystem for MemoryFiles {
    fn create(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        self.fuse.spend("create")?;
        let number = self.file(path).map_err(|why| refused("create", path, why))?;
        *self.disk.lock().tree.node(number) = Node::file();
        Ok(self.write_to(number, path))
    }

    fn append(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        self.fuse.spend("append")?;
        let number = self.file(path).map_err(|why| refused("append to", path, why))?;
        Ok(self.write_to(number, path))
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn Read + Send>>> {
        let tree = &mut self.disk.lock().tree;
        let Some(number) = tree.find(path).map_err(|why| refused("open", path, why))? else {
            return Ok(None);
        };
        match tree.node(number) {
            Node::File { visible, .. } => Ok(Some(Box::new(Cursor::new(visible.clone())))),
            Node::Folder { .. } => Err(refused("open", path, "it is a folder")),
        }
    }

    fn truncate(&self, path: &Path, len: u64) -> Result<()> {
        self.fuse.spend("truncate")?;
        let refused = |why| refused("truncate", path, why);
        let tree = &mut self.disk.lock().tree;
        let number = tree.find(path).map_err(refused)?.ok_or_else(|| refused("no such file"))?;
        let node = tree.node(number);
        let Node::File { visible, .. } = node else { return Err(refused("it is a folder")) };
        let len = usize::try_from(len).map_err(|_| refused("it is shorter"))?;
        if len > visible.len() {
            return Err(refused("it is shorter"));
        }
        visible.truncate(len);
        node.sync();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.fuse.spend("rename")?;
        let tree = &mut self.disk.lock().tree;
        rename(tree, from, to).map_err(|why| refused("rename", from, format!("to {}: {why}", to.display())))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.fuse.spend("remove")?;
        let tree = &mut self.disk.lock().tree;
        let Some(number) = tree.find(path).map_err(|why| refused("remove", path, why))? else {
            return Ok(());
        };
        if matches!(tree.node(number), Node::Folder { .. }) {
            return Err(refused("remove", path, "it is a folder"));
        }
        unlink(tree, path).map_err(|why| refused("remove", path, why))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.fuse.spend("create_dir")?;
        self.disk.lock().tree.create_folders(path).map_err(|why| refused("create folder", path, why))
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.fuse.spend("remove_dir")?;
        let refused = |why| refused("remove folder", path, why);
        let tree = &mut self.disk.lock().tree;
        let Some(number) = tree.find(path).map_err(refused)? else { return Ok(()) };
        if matches!(tree.node(number), Node::File { .. }) {
            return Err(refused("it is a file"));
        }
        unlink(tree, path).map_err(refused)
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        let tree = &mut self.disk.lock().tree;
        let Some(number) = tree.find(path).map_err(|why| refused("list", path, why))? else {
            return Ok(Vec::new());
        };
        match tree.node(number) {
            Node::Folder { visible, .. } => Ok(visible.keys().cloned().collect()),
            Node::File { .. } => Err(refused("list", path, "it is a file")),
        }
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.fuse.spend("sync_dir")?;
        let refused = |why| refused("sync folder", path, why);
        let tree = &mut self.disk.lock().tree;
        let number = tree.find(path).map_err(refused)?.ok_or_else(|| refused("no such folder"))?;
        match tree.node(number) {
            Node::File { .. } => Err(refused("it is a file")),
            folder @ Node::Folder { .. } => {
                folder.sync();
                Ok(())
            }
        }
    }

    fn free_space(&self, _path: &Path) -> Result<Option<ByteCount>> {
        Ok(self.disk.lock().free)
    }
}

/// A file being written.
struct OpenFile {
    disk: Arc<Mutex<Disk>>,
    fuse: Fuse,
    node: usize,
    path: PathBuf,
    /// Crashes of the disk when it was opened: one more, and it is dead.
    crashes: u64,
}

impl OpenFile {
    fn with_node<T>(&self, act: impl FnOnce(&mut Node) -> T) -> io::Result<T> {
        let mut disk = self.disk.lock();
        if disk.crashes != self.crashes {
            return Err(io::Error::other("the file was open at a crash"));
        }
        Ok(act(disk.tree.node(self.node)))
    }
}

impl Write for OpenFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.fuse.spend("write").map_err(io::Error::other)?;
        self.with_node(|node| {
            if let Node::File { visible, .. } = node {
                visible.extend_from_slice(data);
            }
            data.len()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileWrite for OpenFile {
    fn sync(&mut self) -> Result<()> {
        self.fuse.spend("sync")?;
        self.with_node(Node::sync)
            .map_err(|error| PortError::io(format!("sync {}", self.path.display()), error))
    }
}

fn crash(node: &mut Node, kept: Kept) {
    match node {
        Node::Folder { visible, durable } => match kept {
            Kept::Nothing | Kept::Data => visible.clone_from(durable),
            Kept::Names | Kept::Tail(_) | Kept::Zeros(_) => {}
        },
        Node::File { visible, durable } => match kept {
            Kept::Nothing | Kept::Names => visible.clone_from(durable),
            Kept::Data => {}
            Kept::Tail(bytes) => visible.truncate(durable.len().saturating_add(bytes)),
            Kept::Zeros(bytes) => {
                visible.truncate(durable.len().saturating_add(bytes));
                visible.iter_mut().skip(durable.len()).for_each(|byte| *byte = 0);
            }
        },
    }
    node.sync();
}

fn rename(tree: &mut Tree, from: &Path, to: &Path) -> Result<(), Refusal> {
    let moved = tree.find(from)?.filter(|number| *number != ROOT).ok_or("no such file or folder")?;
    if to != from && to.starts_with(from) {
        return Err("a folder cannot move into itself");
    }
    let moves_file = matches!(tree.node(moved), Node::File { .. });
    if let Some(target) = tree.find(to)? {
        match tree.node(target) {
            Node::File { .. } if !moves_file => return Err("a file is there"),
            Node::Folder { .. } if moves_file => return Err("a folder is there"),
            Node::Folder { visible, .. } if target != moved && !visible.is_empty() => {
                return Err("a folder with files is there");
            }
            _ => {}
        }
    }
    tree.entry(to)?;
    unlink(tree, from)?;
    let (names, name) = tree.entry(to)?;
    names.insert(name, moved);
    Ok(())
}

fn unlink(tree: &mut Tree, path: &Path) -> Result<(), Refusal> {
    let (names, name) = tree.entry(path)?;
    names.remove(&name);
    Ok(())
}

fn refused(act: &str, path: &Path, why: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::Unavailable, format!("{act} {}", path.display()), why.into())
}
