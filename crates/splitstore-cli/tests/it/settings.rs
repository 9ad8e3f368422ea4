//! Flag before environment before the store's file before default.

use serde_json::Value;
use splitstore::folder::HotEngine;

use crate::tool::{Ran, Tool, command};

fn finality(tool: &Tool, env: Option<&str>, flag: Option<&str>) -> Value {
    let mut command = command();
    command.arg("--json").arg("--store").arg(tool.store()).arg("info");
    command.envs(env.map(|value| ("SPLITSTORE_FINALITY", value)));
    command.args(flag.into_iter().flat_map(|value| ["--finality", value]));
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let ran = Ran { code: output.status.code().unwrap(), out: output.stdout, err };
    ran.done_json()["windows"]["finality_epochs"].clone()
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default() {
    let tool = Tool::with_store("");
    assert_eq!(finality(&tool, None, None), 900);
    let tool = Tool::with_store("--finality 8");
    assert_eq!(finality(&tool, None, None), 8);
    assert_eq!(finality(&tool, Some("9"), None), 9);
    assert_eq!(finality(&tool, Some("9"), Some("10")), 10);
    assert_eq!(finality(&tool, None, None), 8, "the file stays as it was");
}

#[test]
fn the_store_may_come_from_the_environment() {
    let tool = Tool::with_store("");
    let run = command().env("SPLITSTORE_STORE", tool.store()).arg("info").output().unwrap();
    assert_eq!(run.status.code(), Some(0));
    let run = command().arg("info").output().unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8(run.stderr).unwrap().contains("--store DIR"));
}

#[test]
fn windows_that_make_no_sense_are_refused_before_anything_is_made() {
    let tool = Tool::new();
    tool.run("init --finality 0").refused(2, &["finality"]);
    tool.run("init --threshold 4").refused(2, &["boundary", "threshold"]);
    tool.run("init --hot sled").refused(2, &["sled", "rocksdb", "fjall"]);
    tool.run("init --cold-policy all").refused(2, &["all", "universal"]);
    assert!(!tool.store().exists());
}

#[test]
fn numbers_are_refused_in_plain_words_and_switches_are_read_alike() {
    let tool = Tool::new();
    for value in ["-1", "x", "1.5", ""] {
        for flag in ["finality", "threshold", "boundary", "message-retention", "marking-memory-mib"] {
            tool.run(&format!("init --{flag}={value}")).refused(2, &[flag, "not a whole number from 0 up"]);
        }
    }
    tool.run("init --finality -1").refused(2, &["'-1'", "--finality", "not a whole number from 0 up"]);
    for (value, kept) in [("1", true), ("true", true), ("0", false), ("no", false)] {
        let tool = Tool::new();
        let init = command()
            .env("SPLITSTORE_LINK_INDEX", value)
            .arg("--store")
            .arg(tool.store())
            .arg("init")
            .output();
        assert_eq!(init.unwrap().status.code(), Some(0), "{value}");
        assert_eq!(tool.json("info")["link_index"], kept, "{value}");
    }
}

#[test]
fn a_pace_without_a_limit_shows_none() {
    let tool = Tool::with_store("");
    let file = tool.store().join("splitstore.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let paced = "mode = \"paced\"\n";
    for (mode, said) in
        [("paced", "pace         paced, 1.0 MiB a second at most"), ("fast", "pace         fast\n")]
    {
        let changed = settings.replace(paced, &format!("mode = \"{mode}\"\nio_limit = 1048576\n"));
        std::fs::write(&file, changed).unwrap();
        assert!(tool.ok("info").contains(said), "{mode}");
    }
}

#[test]
fn init_sets_every_choice_and_notes_those_that_do_nothing() {
    let tool = Tool::new();
    let said = tool.ok("init --hot fjall --purge delete --pace fast --io-limit 5000 --link-index");
    assert!(said.contains("note: link_index = true is of no use: fjall cannot keep a link index"), "{said}");
    assert!(said.contains("note: io_limit is of no use: mode = \"fast\""), "{said}");
    let info = tool.json("info");
    assert_eq!((&info["purge"], &info["pace"]["mode"]), (&"delete".into(), &"fast".into()));
    assert_eq!(info["pace"]["io_limit"], 5000);
    for marking in ["walk", "scan"] {
        let said = Tool::new().ok(&format!("init --link-index --marking {marking}"));
        assert!(said.contains("note: link_index = true ") && said.contains(marking), "{said}");
    }
    assert!(!Tool::new().ok("init --marking scan --io-limit 1").contains("note"));
    Tool::new().run("init --io-limit 0").refused(2, &["io-limit", "not a whole number from 1 up"]);
    Tool::new().run("init --purge some").refused(2, &["some", "rewrite"]);
}

#[test]
fn a_store_without_a_chain_has_nothing_to_compact() {
    let tool = Tool::with_store("");
    tool.run("compact").refused(2, &["import"]);
    tool.run_on("export", &tool.file("out.car")).refused(2, &["no head", "import"]);
    assert!(tool.ok("verify").contains("no head"));
    assert!(tool.ok("info").contains("none yet"));
}

#[test]
fn help_says_what_the_defaults_are() {
    let help = |command_name: &str| {
        let run = command().args([command_name, "--help"]).output().unwrap();
        assert_eq!(run.status.code(), Some(0));
        String::from_utf8(run.stdout).unwrap()
    };
    for default in [HotEngine::default().name(), "exact", "universal", "900", "5", "4", "0"] {
        assert!(help("init").contains(&format!("[default: {default}]")), "{default}");
    }
    for default in ["300", "2000", "10", "5", "50", "30", "1"] {
        assert!(help("generate").contains(&format!("[default: {default}]")), "{default}");
        assert!(help("demo").contains(&format!("[default: {default}]")), "{default}");
    }
    for name in ["compact", "verify", "info"] {
        assert_eq!(help(name).matches("[default: as stored]").count(), 5, "{name}");
    }
    assert!(help("--help").contains("130 interrupted"));
}
