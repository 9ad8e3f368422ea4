//! Single blocks: get, has, keys.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Stdio;

use splitstore::domain::BlockKey;

use crate::archives;
use crate::tool::{Tool, command};

const UNKNOWN: &str = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

fn with_chain() -> (Tool, splitstore_fixtures::Generated) {
    let tool = Tool::with_store("");
    let chain = tool.file("chain.car");
    let made = archives::small(&chain);
    tool.ok_on("import", &chain);
    (tool, made)
}

#[test]
fn a_block_is_printed_byte_for_byte() {
    let (tool, made) = with_chain();
    let (_, blocks) = archives::blocks(&tool.file("chain.car"));
    let head = made.head[0];
    let ran = tool.run(&format!("get {head}"));
    assert_eq!((ran.code, &ran.out), (0, &blocks[&head]));
    let json = tool.json(&format!("get {head}"));
    assert_eq!(json["size"], blocks[&head].len());
    let hex = json["hex"].as_str().unwrap().as_bytes();
    let bytes = hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    assert_eq!(bytes.collect::<Vec<_>>(), blocks[&head]);
    assert_eq!(tool.json(&format!("has {head}"))["has"], true);
}

#[test]
fn every_key_that_keys_prints_gets_its_block() {
    let (tool, _) = with_chain();
    let (_, blocks) = archives::blocks(&tool.file("chain.car"));
    let by_key: BTreeMap<_, _> =
        blocks.iter().map(|(cid, data)| (BlockKey::from(cid).to_string(), data)).collect();
    for key in tool.keys("hot").iter().take(5) {
        assert_eq!(&&tool.run(&format!("get {key}")).out, &by_key[key]);
        tool.ok(&format!("has {key}"));
    }
    tool.run("get a0e40220ff").refused(2, &["a0e40220ff", "multihash"]);
}

#[test]
fn an_unknown_block_is_not_found_and_ends_with_1() {
    let tool = Tool::with_store("");
    tool.run(&format!("get {UNKNOWN}")).refused(1, &["not found", UNKNOWN]);
    tool.run(&format!("has {UNKNOWN}")).refused(1, &["not found", UNKNOWN]);
    let ran = tool.run(&format!("--json get {UNKNOWN}"));
    assert_eq!((ran.code, &ran.object()["kind"]), (1, &"not-found".into()));
    assert!(ran.err.contains("not found"), "{}", ran.err);
}

#[test]
fn an_identity_cid_is_answered_from_itself() {
    let tool = Tool::with_store("");
    let ran = tool.run("get bafkqac3imvwgy3zao5xxe3de");
    assert_eq!((ran.code, ran.out.as_slice()), (0, b"hello world".as_slice()));
}

#[test]
fn text_that_is_no_cid_ends_with_2() {
    let tool = Tool::with_store("");
    tool.run("get bafynonsense").refused(2, &["bafynonsense"]);
    tool.run("has 12").refused(2, &["12"]);
}

#[test]
fn keys_are_ascending_multihashes_in_lower_case_hex() {
    let (tool, made) = with_chain();
    let printed = tool.ok("keys --tier hot");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len() as u64, made.blocks);
    assert!(lines.is_sorted(), "ascending");
    assert!(lines.iter().all(|line| line.starts_with("a0e40220") && line.len() == 8 + 64), "blake2b-256");
    assert_eq!(tool.json("keys --tier hot")["keys"].as_array().unwrap().len(), lines.len());
    assert!(tool.keys("cold").is_empty());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (tool, _) = with_chain();
    let mut child = command()
        .arg("--store")
        .arg(tool.store())
        .args(["keys", "--tier", "hot"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}
