//! Chains that are not whole, or not the store's own: refused before anything is written.

use std::collections::BTreeMap;

use ipld_core::ipld::Ipld;
use splitstore::ports::cid::Cid;
use splitstore_fixtures::{ChainSpec, write_car};

use crate::archives;
use crate::tool::{Ran, Tool};

/// An empty store, and the blocks of a chain to break.
struct Case {
    tool: Tool,
    roots: Vec<Cid>,
    blocks: BTreeMap<Cid, Vec<u8>>,
}

impl Case {
    fn new() -> Self {
        let tool = Tool::with_store("");
        archives::small(&tool.file("chain.car"));
        let (roots, blocks) = archives::blocks(&tool.file("chain.car"));
        Self { tool, roots, blocks: blocks.into_iter().collect() }
    }

    /// The chain's headers, which are tuples of 16.
    fn headers(&self) -> impl Iterator<Item = (Cid, Vec<Ipld>)> {
        self.blocks.iter().filter_map(|(cid, data)| match serde_ipld_dagcbor::from_slice(data) {
            Ok(Ipld::List(fields)) if fields.len() == 16 && data[0] == 0x90 => Some((*cid, fields)),
            _ => None,
        })
    }

    /// Puts the head on another height and other parents; its new CID.
    fn head(&mut self, height: i128, parents: &[Cid]) -> Cid {
        let (_, mut fields) = self.headers().find(|(cid, _)| *cid == self.roots[0]).unwrap();
        fields[5] = Ipld::List(parents.iter().copied().map(Ipld::Link).collect());
        fields[7] = Ipld::Integer(height);
        let (cid, data) = archives::dag(serde_ipld_dagcbor::to_vec(&Ipld::List(fields)).unwrap());
        self.blocks.insert(cid, data);
        self.roots = vec![cid];
        cid
    }

    /// The first link of a block to another that the archive holds, other than itself.
    fn below(&self, parent: Cid) -> (Cid, Cid) {
        let mut links = Vec::new();
        let found =
            splitstore::domain::links::scan_links(&self.blocks[&parent], |link| links.push(link.cid()));
        found.unwrap();
        let child = links.into_iter().find(|cid| self.blocks.contains_key(cid)).unwrap();
        (parent, child)
    }

    /// Imports what there is by now.
    fn import(&self) -> Ran {
        let blocks: Vec<_> = self.blocks.clone().into_iter().collect();
        archives::write(&self.tool.file("broken.car"), &self.roots, &blocks);
        self.tool.run_on("import", &self.tool.file("broken.car"))
    }

    /// The import is refused and the store is as it was.
    fn refused(&self, parts: &[&str]) {
        let state = || (self.tool.keys("hot"), self.tool.json("info")["head"].clone());
        let before = state();
        let ran = self.import();
        ran.refused(2, parts);
        ran.refused(2, &["broken.car", "offset", "the store is as it was"]);
        assert_eq!(state(), before);
        assert_eq!(std::fs::read_dir(self.tool.store().join("work")).unwrap().count(), 0, "nothing is left");
    }
}

#[test]
fn a_header_that_is_missing_is_named_and_the_whole_archive_mends_it() {
    let mut case = Case::new();
    let low = case.headers().find(|(_, fields)| fields[7] == Ipld::Integer(0)).unwrap().0;
    case.blocks.remove(&low);
    case.refused(&["missing", &low.to_string()]);
    case.tool.ok_on("import", &case.tool.file("chain.car"));
    assert_eq!(case.tool.json("info")["head"]["height"], 40);
}

#[test]
fn a_parent_that_is_no_header_is_named() {
    let mut case = Case::new();
    let list = archives::dag(vec![0x80]);
    case.blocks.insert(list.0, list.1.clone());
    case.head(41, &[list.0]);
    case.refused(&[&list.0.to_string(), "header"]);
}

#[test]
fn a_parent_under_another_codec_is_no_header() {
    let mut case = Case::new();
    let head = case.roots[0];
    let raw = Cid::new_v1(0x55, *head.hash());
    case.head(41, &[raw]);
    case.refused(&[&raw.to_string(), "DAG-CBOR"]);
}

#[test]
fn a_head_above_the_greatest_height_is_refused() {
    let mut case = Case::new();
    let parents = case.roots.clone();
    let head = case.head(i128::from(i64::MAX) + 1, &parents);
    case.refused(&[&head.to_string(), "9223372036854775808", "9223372036854775807"]);
}

#[test]
fn a_chain_that_ends_above_genesis_is_refused() {
    let mut case = Case::new();
    let head = case.head(7, &[]);
    case.refused(&[&head.to_string(), "height 7", "not genesis"]);
}

#[test]
fn a_height_that_does_not_fall_far_from_its_child_is_refused() {
    let mut case = Case::new();
    let parents = case.roots.clone();
    archives::write(
        &case.tool.file("parents.car"),
        &[],
        &case.blocks.clone().into_iter().collect::<Vec<_>>(),
    );
    // The parents are in the store and not in the archive: nothing compares the two while they pass.
    case.tool.ok_on("import", &case.tool.file("parents.car"));
    let head = case.head(40, &parents);
    case.blocks.retain(|cid, _| *cid == head);
    case.refused(&[&head.to_string(), "height 40", "not below it"]);
}

#[test]
fn a_block_missing_below_a_state_is_named_with_the_block_that_needs_it() {
    let mut case = Case::new();
    let (head, fields) = case.headers().find(|(cid, _)| *cid == case.roots[0]).unwrap();
    let Ipld::Link(state) = fields[8] else { panic!("a state is a link, in {head}") };
    let (parent, child) = case.below(state);
    case.blocks.remove(&child);
    case.refused(&[&parent.to_string(), &child.to_string(), "missing"]);
    // A state that is absent as a whole may never have been there.
    case.blocks.remove(&state);
    let ran = case.import();
    assert!(ran.code == 0 || ran.err.contains("missing"), "{}", ran.err);
}

#[test]
fn what_is_missing_below_receipts_is_taken_as_it_is() {
    let mut case = Case::new();
    let (_, fields) = case.headers().find(|(cid, _)| *cid == case.roots[0]).unwrap();
    let Ipld::Link(receipts) = fields[9] else { panic!("receipts are a link") };
    let (_, child) = case.below(receipts);
    case.blocks.remove(&child);
    case.import().done();
    assert_eq!(case.tool.json("verify")["clean"], true);
}

#[test]
fn what_the_archive_lacks_may_be_in_the_store_but_then_whole() {
    let mut case = Case::new();
    let (_, fields) = case.headers().find(|(cid, _)| *cid == case.roots[0]).unwrap();
    let Ipld::Link(state) = fields[8] else { panic!("a state is a link") };
    let (_, middle) = case.below(state);
    let (_, leaf) = case.below(middle);
    let lone = |cid: Cid| (cid, case.blocks[&cid].clone());
    let (middle, leaf) = (lone(middle), lone(leaf));
    for (cid, _) in [&middle, &leaf] {
        case.blocks.remove(cid);
    }
    // The store holds the upper block, and nobody the one below it.
    archives::write(&case.tool.file("middle.car"), &[], std::slice::from_ref(&middle));
    case.tool.ok_on("import", &case.tool.file("middle.car"));
    case.refused(&[&middle.0.to_string(), &leaf.0.to_string(), "missing"]);
    archives::write(&case.tool.file("leaf.car"), &[], std::slice::from_ref(&leaf));
    case.tool.ok_on("import", &case.tool.file("leaf.car"));
    case.import().done();
    assert_eq!(case.tool.json("verify")["clean"], true);
}

#[test]
fn a_block_of_the_state_that_cannot_be_read_is_refused() {
    let mut case = Case::new();
    // A list that claims more than it has, as the head's state.
    let broken = archives::dag(vec![0x83, 0x80]);
    case.blocks.insert(broken.0, broken.1.clone());
    let (_, mut fields) = case.headers().find(|(cid, _)| *cid == case.roots[0]).unwrap();
    fields[8] = Ipld::Link(broken.0);
    let head = archives::dag(serde_ipld_dagcbor::to_vec(&Ipld::List(fields)).unwrap());
    case.roots = vec![head.0];
    case.blocks.insert(head.0, head.1);
    case.refused(&[&broken.0.to_string(), "malformed"]);
}

#[test]
fn a_chain_of_another_genesis_is_refused_unless_it_shall_replace_the_stores_own() {
    let case = Case::new();
    case.tool.ok_on("import", &case.tool.file("chain.car"));
    let before = (case.tool.json("info")["head"].clone(), case.tool.keys("hot"));
    let other = case.tool.file("other.car");
    write_car(&ChainSpec { epochs: 50, actors: 50, seed: 99, ..ChainSpec::default() }, &other).unwrap();
    let ran = case.tool.run_on("--json import", &other);
    assert_eq!((ran.code, &ran.object()["kind"]), (2, &"other-chain".into()));
    assert!(ran.err.contains("genesis") && ran.err.contains("--replace-chain"), "{}", ran.err);
    assert!(ran.err.contains("the store is as it was"), "{}", ran.err);
    assert_eq!((case.tool.json("info")["head"].clone(), case.tool.keys("hot")), before);
    case.tool.ok_on("import --replace-chain", &other);
    assert_eq!(case.tool.json("info")["head"]["height"], 50);
}

#[test]
fn a_lower_and_a_higher_part_of_the_stores_own_chain_are_taken_and_the_head_goes_back_only_if_asked() {
    let mut case = Case::new();
    case.tool.ok_on("import", &case.tool.file("chain.car"));
    let parents = case.roots.clone();
    case.head(45, &parents);
    case.import().done();
    assert_eq!(case.tool.json("info")["head"]["height"], 45);
    let said = case.tool.ok_on("import", &case.tool.file("chain.car"));
    assert!(said.contains("head: stays at height 45, as the archive ends at 40"), "{said}");
    assert_eq!(case.tool.json("info")["head"]["height"], 45);
    case.tool.ok_on("import --replace-chain", &case.tool.file("chain.car"));
    assert_eq!(case.tool.json("info")["head"]["height"], 40);
}

#[test]
fn a_root_under_another_codec_is_no_head() {
    let mut case = Case::new();
    let raw = Cid::new_v1(0x55, *case.roots[0].hash());
    let data = case.blocks[&case.roots[0]].clone();
    case.blocks = BTreeMap::from([(raw, data)]);
    case.roots = vec![raw];
    assert!(case.import().done().contains("no chain"));
    assert!(case.tool.json("info")["head"].is_null());
}
