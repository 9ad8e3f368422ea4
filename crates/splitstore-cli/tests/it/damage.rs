//! Damaged archives: an error with file and offset, exit code 2, and the store as it was.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ipld_core::ipld::Ipld;
use splitstore::ports::cid::Cid;

use crate::archives;
use crate::tool::{Ran, Tool};

/// A store with a chain in it, and another archive's bytes to damage.
struct Case {
    tool: Tool,
    archive: Vec<u8>,
    before: (BTreeSet<String>, serde_json::Value),
}

impl Case {
    fn new() -> Self {
        let tool = Tool::with_store("");
        let (held, other) = (tool.file("held.car"), tool.file("other.car"));
        let (roots, blocks) = archives::blocks(&{
            archives::small(&held);
            held
        });
        // A part of the chain is held, so that a damaged archive would have something to add.
        archives::write(&tool.file("part.car"), &[], &blocks.into_iter().take(20).collect::<Vec<_>>());
        tool.ok_on("import", &tool.file("part.car"));
        assert!(!roots.is_empty());
        archives::small(&other);
        let before = (tool.keys("hot"), tool.json("info")["head"].clone());
        Self { tool, archive: std::fs::read(other).unwrap(), before }
    }

    /// Imports these bytes; the store must stay as it was.
    fn import(&self, bytes: &[u8]) -> Ran {
        let path = self.path();
        std::fs::write(&path, bytes).unwrap();
        self.import_file()
    }

    fn import_file(&self) -> Ran {
        let ran = self.tool.run_on("import", &self.path());
        assert_eq!((self.tool.keys("hot"), self.tool.json("info")["head"].clone()), self.before);
        ran
    }

    fn path(&self) -> PathBuf {
        self.tool.file("damaged.car")
    }
}

#[test]
fn a_truncated_archive_names_file_and_offset_and_leaves_the_store_as_it_was() {
    let case = Case::new();
    for len in [0, 1, 30, 1000, case.archive.len() / 2, case.archive.len() - 1] {
        case.import(&case.archive[..len]).refused(2, &["damaged.car", "offset"]);
    }
}

#[test]
fn a_flipped_bit_names_file_and_offset_and_leaves_the_store_as_it_was() {
    let case = Case::new();
    for at in [3, 200, case.archive.len() / 3, case.archive.len() - 1] {
        let mut bytes = case.archive.clone();
        bytes[at] ^= 0x10;
        case.import(&bytes).refused(2, &["damaged.car", "offset"]);
    }
}

#[test]
fn an_oversized_section_is_refused_by_its_length_alone() {
    let case = Case::new();
    let mut bytes = case.archive.clone();
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
    case.import(&bytes).refused(2, &["damaged.car", "offset", "exceeds the limit"]);
}

#[test]
fn what_is_no_archive_is_refused() {
    let case = Case::new();
    case.import(b"hello world, I am a text").refused(2, &["damaged.car", "offset 0"]);
    let missing = case.tool.run_on("import", &case.tool.file("nowhere.car"));
    missing.refused(2, &["nowhere.car"]);
    case.tool.run_on("import", &case.tool.store()).refused(2, &["no regular file"]);
}

#[test]
fn a_header_that_is_not_above_its_parent_is_refused_with_file_and_offset() {
    let case = Case::new();
    let (roots, blocks) = archives::blocks(&case.tool.file("other.car"));
    let Ipld::List(fields) = serde_ipld_dagcbor::from_slice(&blocks[&roots[0]]).unwrap() else {
        panic!("a header is a list")
    };
    let header = |height: i128, parent: Cid| {
        let mut fields = fields.clone();
        fields[5] = Ipld::List(vec![Ipld::Link(parent)]);
        fields[7] = Ipld::Integer(height);
        archives::dag(serde_ipld_dagcbor::to_vec(&Ipld::List(fields)).unwrap())
    };
    let parent = header(50, roots[0]);
    let child = header(50, parent.0);
    for order in [[parent.clone(), child.clone()], [child.clone(), parent.clone()]] {
        archives::write(&case.path(), &[child.0], &order);
        case.import_file().refused(2, &["damaged.car", "offset", "not below it", &parent.0.to_string()]);
    }
}

#[test]
fn a_root_that_is_nowhere_is_refused() {
    let case = Case::new();
    let (root, _) = archives::dag(vec![0x80]);
    archives::write(&case.path(), &[root], &[archives::dag(vec![0x81, 0x80])]);
    case.import_file().refused(2, &["damaged.car", &root.to_string(), "neither"]);
}

#[test]
fn roots_that_are_partly_headers_are_refused() {
    let case = Case::new();
    let (roots, blocks) = archives::blocks(&case.tool.file("other.car"));
    let list = archives::dag(vec![0x80]);
    let header = (roots[0], blocks[&roots[0]].clone());
    archives::write(&case.path(), &[roots[0], list.0], &[header, list.clone()]);
    case.import_file().refused(2, &["damaged.car", &list.0.to_string()]);
}

#[test]
fn an_archive_that_is_no_chain_is_taken_in_and_the_head_stays() {
    let tool = Tool::with_store("");
    let chain = tool.file("chain.car");
    archives::small(&chain);
    tool.ok_on("import", &chain);
    let before = tool.json("info")["head"].clone();
    let list = archives::dag(vec![0x81, 0x80]);
    let other = tool.file("other.car");
    archives::write(&other, &[list.0], std::slice::from_ref(&list));
    let said = tool.ok_on("import", &other);
    assert!(said.contains("no chain") && said.contains("head stays"), "{said}");
    assert_eq!(tool.json("info")["head"], before);
    assert_eq!(tool.run(&format!("get {}", list.0)).out, list.1);
}
