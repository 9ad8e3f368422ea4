//! Folders and files as nodes, each with what is visible and what is durable.
//!
//! ```text
//!   folder   visible {name: node}   durable {name: node}     sync_dir: durable = visible
//!   file     visible [bytes]        durable [bytes]          sync:     durable = visible
//!   crash    visible = durable
//! ```
//! A folder knows its children by node number, so a renamed folder takes along what was durable in it. Nodes
//! that no folder names any more stay: a crash may bring their names back.

use std::collections::BTreeMap;
use std::path::{Component, Path};

pub(crate) type Names = BTreeMap<String, usize>;

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Folder { visible: Names, durable: Names },
    File { visible: Vec<u8>, durable: Vec<u8> },
}

/// The node number of the root.
pub(crate) const ROOT: usize = 0;

#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

/// Why a path leads nowhere, in the words of POSIX.
pub(crate) type Refusal = &'static str;

impl Tree {
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::folder()] }
    }

    pub(crate) fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub(crate) fn node(&mut self, number: usize) -> &mut Node {
        &mut self.nodes[number]
    }

    pub(crate) fn nodes(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.iter_mut()
    }

    /// The node at a path, if there is one.
    pub(crate) fn find(&self, path: &Path) -> Result<Option<usize>, Refusal> {
        let mut at = ROOT;
        for name in names_of(path)? {
            let Node::Folder { visible, .. } = &self.nodes[at] else { return Ok(None) };
            let Some(next) = visible.get(&name) else { return Ok(None) };
            at = *next;
        }
        Ok(Some(at))
    }

    /// The names in the folder that holds `path`, and the name of `path` in it.
    pub(crate) fn entry(&mut self, path: &Path) -> Result<(&mut Names, String), Refusal> {
        let mut names = names_of(path)?;
        let name = names.pop().ok_or("the root has no name")?;
        let parent = path.parent().unwrap_or(Path::new(""));
        let folder = self.find(parent)?.ok_or("no such folder")?;
        match self.node(folder) {
            Node::Folder { visible, .. } => Ok((visible, name)),
            Node::File { .. } => Err("not a folder"),
        }
    }

    /// Makes a folder and those above it.
    pub(crate) fn create_folders(&mut self, path: &Path) -> Result<(), Refusal> {
        let mut at = ROOT;
        for name in names_of(path)? {
            let fresh = self.nodes.len();
            let Node::Folder { visible, .. } = self.node(at) else { return Err("not a folder") };
            at = *visible.entry(name).or_insert(fresh);
            if at == fresh {
                self.add(Node::folder());
            }
        }
        match self.node(at) {
            Node::Folder { .. } => Ok(()),
            Node::File { .. } => Err("a file is there"),
        }
    }
}

impl Node {
    const fn folder() -> Self {
        Self::Folder { visible: Names::new(), durable: Names::new() }
    }

    pub(crate) const fn file() -> Self {
        Self::File { visible: Vec::new(), durable: Vec::new() }
    }

    /// Makes durable what is visible.
    pub(crate) fn sync(&mut self) {
        match self {
            Self::Folder { visible, durable } => durable.clone_from(visible),
            Self::File { visible, durable } => durable.clone_from(visible),
        }
    }
}

/// The names on the way to a path. `..` is refused: nothing of ours uses it.
fn names_of(path: &Path) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                names.push(name.to_str().ok_or("a name that is not UTF-8")?.to_owned());
            }
            Component::ParentDir => return Err("a path with .."),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    Ok(names)
}
