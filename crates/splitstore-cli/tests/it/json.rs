//! `--json`: exactly one object on standard output, whatever happens.

use crate::archives;
use crate::tool::{Tool, command};

#[test]
fn every_command_prints_one_object() {
    let tool = Tool::new();
    let chain = tool.file("chain.car");
    let generated = tool.run_on("--json generate --epochs 30 --actors 50", &chain).done_json();
    assert_eq!(generated["head_height"], 30);
    let head = generated["head"][0].as_str().unwrap().to_owned();
    tool.json("init --finality 2");
    assert_eq!(tool.run_on("--json import", &chain).done_json()["blocks"], generated["blocks"]);
    assert_eq!(tool.json("info")["head"]["height"], 30);
    assert_eq!(tool.json("compact --dry-run")["dry_run"], true);
    assert_eq!(tool.json("compact")["phases"].as_array().unwrap().len(), 7);
    tool.json(&format!("get {head}"));
    tool.json(&format!("has {head}"));
    let keys = |tier: &str| tool.json(&format!("keys --tier {tier}"))["keys"].as_array().unwrap().len();
    assert_eq!((keys("hot") + keys("cold")) as u64, generated["blocks"].as_u64().unwrap());
    tool.run_on("--json export", &tool.file("out.car")).done_json();
    assert_eq!(tool.json("verify")["findings"], 0);
}

#[test]
fn errors_are_one_object_with_a_kind_too() {
    let tool = Tool::new();
    let kind = |line: &str| {
        let ran = tool.run(&format!("--json {line}"));
        assert_ne!(ran.code, 0);
        let object = ran.object();
        assert!(!object["error"].as_str().unwrap().is_empty());
        object["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind("info"), "no-store");
    assert_eq!(kind("get nonsense"), "usage");
    assert_eq!(kind("dance"), "usage");
    tool.ok("init");
    assert_eq!(kind("init"), "store-exists");
    assert_eq!(kind("compact"), "no-head");
    assert_eq!(kind("import nowhere.car"), "no-archive");
    std::fs::write(tool.file("bad.car"), "nonsense").unwrap();
    assert_eq!(tool.run_on("--json import", &tool.file("bad.car")).object()["kind"], "bad-archive");
    let run = command().args(["--json", "info"]).output().unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&run.stdout).unwrap()["kind"], "usage");
    for (wish, is_json) in [("yes", true), ("ON", true), ("1", true), ("no", false), ("perhaps", false)] {
        let run = command().env("SPLITSTORE_JSON", wish).arg("dance").output().unwrap();
        assert_eq!(run.status.code(), Some(2));
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&run.stdout).is_ok(), is_json, "{wish}");
    }
}

#[test]
fn an_unknown_tipset_is_not_found() {
    let tool = Tool::with_store("");
    archives::small(&tool.file("chain.car"));
    tool.ok_on("import", &tool.file("chain.car"));
    let (cid, list) = archives::dag(vec![0x82, 0x80, 0x81, 0x80]);
    let ran = tool.run_on(&format!("export --tipset {cid}"), &tool.file("out.car"));
    ran.refused(1, &["not found", &cid.to_string()]);
    archives::write(&tool.file("list.car"), &[], &[(cid, list)]);
    tool.ok_on("import", &tool.file("list.car"));
    let ran = tool.run_on(&format!("export --tipset {cid}"), &tool.file("out.car"));
    ran.refused(2, &["no tipset", &cid.to_string()]);
    assert!(!tool.file("out.car").exists());
    let left = std::fs::read_dir(tool.dir.path()).unwrap();
    let partial =
        left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("partial"));
    assert_eq!(partial.count(), 0, "no half of an archive is left");
}
