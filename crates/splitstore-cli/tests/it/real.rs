//! The real archives: imported, compacted, verified, exported, against an oracle that shares no code with us.

use std::collections::BTreeSet;
use std::path::Path;

use ipld_core::ipld::Ipld;
use splitstore::domain::object::DAG_CBOR;
use splitstore::domain::{BlockKey, ColdPolicy, Epoch, Policy, Settings, Window};
use splitstore::ports::cid::Cid;
use splitstore_fixtures::oracle::{self, Blocks};

use crate::archives;
use crate::tool::{Tool, engines};

fn hex(cids: impl IntoIterator<Item = Cid>) -> BTreeSet<String> {
    cids.into_iter().map(|cid| BlockKey::from(&cid).to_string()).collect()
}

/// The keys of all blocks that a store takes in.
fn stored(path: &Path) -> BTreeSet<String> {
    let (_, blocks) = archives::blocks(path);
    hex(blocks.into_keys().filter(|cid| splitstore::domain::ObjectKind::of(cid).is_stored()))
}

fn compacts_as_the_oracle_says(cold_policy: ColdPolicy) {
    let Some(archive) = archives::real("export40.car") else { return };
    let settings = Settings { finality_epochs: 2, cold_policy, ..Settings::default() };
    let (roots, blocks) = archives::blocks(&archive);
    let window = Window::at(Epoch::new(39), Epoch::new(39), &Policy::new(settings).unwrap());
    let hot = hex(oracle::expected_hot(&blocks, &roots, &window).unwrap());
    let cold = hex(oracle::expected_cold(&blocks, &roots, &window, cold_policy).unwrap());
    for engine in engines() {
        let tool = Tool::new();
        let windows = "--finality 2 --threshold 5 --boundary 4";
        tool.ok(&format!("init --hot {engine} --cold-policy {cold_policy} {windows}"));
        tool.ok_on("import", &archive);
        let plan = tool.json("compact --dry-run");
        assert_eq!(tool.keys("cold").len(), 0, "a dry run changes nothing");
        let report = tool.json("compact");
        assert_eq!(report["plan"], plan["plan"]);
        assert!(tool.ok("verify").contains("no law is broken"));
        assert_eq!(tool.keys("hot"), hot, "hot on {engine}");
        assert_eq!(tool.keys("cold"), cold, "cold on {engine}");
        assert_eq!(report["plan"]["keep"]["blocks"], hot.len());
    }
}

#[test]
fn universal_moves_to_cold_all_that_is_no_longer_live() {
    compacts_as_the_oracle_says(ColdPolicy::Universal);
}

#[test]
fn messages_moves_old_messages_and_drops_the_rest() {
    compacts_as_the_oracle_says(ColdPolicy::Messages);
}

#[test]
fn discard_drops_all_that_is_no_longer_live() {
    compacts_as_the_oracle_says(ColdPolicy::Discard);
}

#[test]
fn every_real_archive_imports_whole_and_export_then_import_is_the_identity() {
    let heads = [
        ("export40.car", 39),
        ("calibnet-genesis.car", 0),
        ("carv2.car.zst", 0),
        ("chain4.car.zst", 3),
        ("chain4.forest.car.zst", 3),
    ];
    for (name, height) in heads {
        let Some(archive) = archives::real(name) else { return };
        let tool = Tool::with_store("");
        let imported = tool.run_on("--json import", &archive).done_json();
        assert_eq!(imported["head"]["height"], height, "{name}");
        assert_eq!(tool.keys("hot"), stored(&archive), "{name}");
        assert_eq!(tool.json("verify")["clean"], true, "{name}");

        let exported = tool.file("exported.car");
        tool.ok_on("export", &exported);
        let again = Tool::with_store("");
        let imported_again = again.run_on("--json import", &exported).done_json();
        assert_eq!(imported_again["head"], imported["head"], "{name}");
        assert_eq!(again.keys("hot"), tool.keys("hot"), "{name}");
    }
}

#[test]
fn importing_twice_changes_nothing_and_says_so() {
    let Some(archive) = archives::real("export40.car") else { return };
    let tool = Tool::with_store("");
    tool.ok_on("import", &archive);
    let (keys, info) = (tool.keys("hot"), tool.json("info"));
    let again = tool.run_on("--json import", &archive).done_json();
    assert_eq!(again["already_there"], again["blocks"]);
    assert_eq!(tool.keys("hot"), keys);
    assert_eq!(tool.json("info")["head"], info["head"]);
}

#[test]
fn an_export_down_to_a_height_leaves_out_what_only_older_headers_hold() {
    let tool = Tool::with_store("");
    let chain = tool.file("chain.car");
    archives::small(&chain);
    tool.ok_on("import", &chain);
    let part = tool.file("part.car");
    tool.ok_on("export --down-to 30", &part);
    let (roots, exported) = archives::blocks(&part);
    let (roots_before, all) = archives::blocks(&chain);
    assert_eq!(roots, roots_before);
    let (from, head) = (Epoch::new(30), Epoch::new(40));
    let window = Window { base: Epoch::GENESIS, messages_from: from, boundary: from, head };
    // A window also keeps the state of genesis, which is older than 30.
    let mut needed = oracle::expected_hot(&all, &roots, &window).unwrap();
    let of_genesis = oracle::reachable(&all, [state_of_genesis(&all)]).unwrap();
    assert!(exported.keys().all(|cid| needed.contains(cid)), "nothing else is exported");
    needed.retain(|cid| !exported.contains_key(cid));
    assert!(needed.is_subset(&of_genesis), "nothing else is left out");
    assert!(!needed.is_empty());
}

fn state_of_genesis(blocks: &Blocks) -> Cid {
    let lists = blocks.iter().filter(|(cid, data)| cid.codec() == DAG_CBOR && data[0] == 0x90);
    let mut states = lists.filter_map(|(_, data)| match serde_ipld_dagcbor::from_slice(data).unwrap() {
        Ipld::List(fields) if fields[7] == Ipld::Integer(0) => Some(fields[8].clone()),
        _ => None,
    });
    match states.next() {
        Some(Ipld::Link(state)) => state,
        other => panic!("genesis' state is {other:?}"),
    }
}
