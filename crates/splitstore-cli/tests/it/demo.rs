//! The demo: several compactions, all laws kept, nothing left behind.

use serde_json::Value;

use crate::archives;
use crate::tool::{command, engines};

fn demo(words: &[&std::ffi::OsStr]) -> (Value, tempfile::TempDir) {
    let temporary = tempfile::tempdir().unwrap();
    let run =
        command().env("TMPDIR", temporary.path()).args(["--json", "demo"]).args(words).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    (serde_json::from_slice(&run.stdout).unwrap(), temporary)
}

#[test]
fn a_generated_chain_lives_through_several_compactions() {
    for engine in engines() {
        let words = ["--epochs", "80", "--actors", "200", "--hot", engine.name()].map(AsRef::as_ref);
        let (report, temporary) = demo(&words);
        assert_eq!(report["clean"], true);
        let compactions = report["compactions"].as_array().unwrap();
        assert!(compactions.len() >= 3, "{} compactions", compactions.len());
        for compaction in compactions {
            assert!(compaction["report"]["plan"]["transfer"]["blocks"].as_u64() > Some(0));
            assert!(compaction["verified_blocks"].as_u64() > Some(0));
        }
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "nothing is left");
    }
}

#[test]
fn a_real_archive_is_replayed_from_its_lowest_tipset() {
    let Some(archive) = archives::real("export40.car") else { return };
    let engine = engines().last().unwrap();
    let (report, _temporary) = demo(&["--hot".as_ref(), engine.name().as_ref(), archive.as_os_str()]);
    assert_eq!(report["clean"], true);
    assert!(report["compactions"].as_array().unwrap().len() >= 3);
}

#[test]
fn a_kept_store_can_be_used_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let words = ["--epochs", "20", "--actors", "20", "--keep"].map(AsRef::as_ref);
    demo(&[&words[..], &[kept.as_os_str()]].concat());
    let run = command().arg("--store").arg(&kept).arg("verify").output().unwrap();
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn the_demo_makes_its_store_where_store_says_and_refuses_what_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let run = |words: &[&str]| {
        let mut run = command();
        run.env("SPLITSTORE_STORE", folder.path().join("other")).arg("--store").arg(&store);
        let run = run.arg("demo").args(words).output().unwrap();
        (run.status.code(), String::from_utf8(run.stderr).unwrap())
    };
    let (code, err) = run(&["--epochs", "20", "--actors", "20", "--hot", engines().last().unwrap().name()]);
    assert_eq!(code, Some(0), "{err}");
    let verified = command().arg("--store").arg(&store).arg("verify").output().unwrap();
    assert_eq!(verified.status.code(), Some(0));
    let (code, err) = run(&["--keep", "elsewhere"]);
    assert!(code == Some(2) && err.contains("--store DIR or --keep DIR"), "{err}");
    let (code, err) = run(&["some.car", "--epochs", "20"]);
    assert!(code == Some(2) && err.contains("--epochs") && err.contains("FILE"), "{err}");
    assert!(!folder.path().join("other").exists(), "a store from the environment is meant for others");
}
