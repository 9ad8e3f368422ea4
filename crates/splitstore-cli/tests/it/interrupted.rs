//! An import that is killed can be repeated.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use splitstore_fixtures::{ChainSpec, write_car};

use crate::archives;
use crate::tool::{Tool, command, engines};

/// Lengths of all files in a folder, together.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_in(&entry.path()),
        _ => entry.metadata().map_or(0, |found| found.len()),
    };
    entries.map(size).sum()
}

/// Kills an import once hot has grown by `bytes`; whether it was still running then.
fn kill_after(tool: &Tool, archive: &Path, bytes: u64) -> bool {
    let hot = tool.store().join("hot");
    let before = bytes_in(&hot);
    let mut child = command()
        .arg("--store")
        .arg(tool.store())
        .arg("import")
        .arg(archive)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        if bytes_in(&hot) > before + bytes {
            child.kill().unwrap();
            break;
        }
    }
    !child.wait().unwrap().success()
}

#[test]
fn a_killed_import_is_repeated_and_the_store_is_whole() {
    let chain = tempfile::tempdir().unwrap();
    let archive = chain.path().join("chain.car");
    let spec = ChainSpec { epochs: 200, actors: 10_000, ..ChainSpec::default() };
    write_car(&spec, &archive).unwrap();
    let (_, blocks) = archives::blocks(&archive);
    for engine in engines() {
        for bytes in [1 << 16, 5 << 20, 20 << 20] {
            let tool = Tool::new();
            tool.ok(&format!("init --hot {engine}"));
            assert!(kill_after(&tool, &archive, bytes), "{engine}: the import was over before it was killed");
            assert_eq!(tool.json("info")["head"], serde_json::Value::Null, "the head moves last");
            assert_eq!(tool.json("verify")["clean"], true, "what is there is sound");
            tool.ok_on("import", &archive);
            assert_eq!(tool.json("verify")["clean"], true);
            assert_eq!(tool.keys("hot").len(), blocks.len());
            assert_eq!(tool.json("info")["head"]["height"], 200);
        }
    }
}

/// Sends a signal to a running command, as a terminal does.
fn signal(child: &std::process::Child, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn ctrl_c_ends_an_import_between_two_steps_with_code_130() {
    let tool = Tool::with_store("");
    let archive = tool.file("chain.car");
    let spec = ChainSpec { epochs: 200, actors: 10_000, ..ChainSpec::default() };
    write_car(&spec, &archive).unwrap();
    for name in ["INT", "TERM"] {
        let mut import = command();
        import.args(["--json", "--store"]).arg(tool.store()).arg("import").arg(&archive);
        let child = import.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It listens from when the folder of its notes is there.
        let work = tool.store().join("work");
        while !fs::read_dir(&work).is_ok_and(|mut entries| entries.next().is_some()) {
            std::thread::yield_now();
        }
        signal(&child, name);
        let run = child.wait_with_output().unwrap();
        let err = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(130), "{err}");
        assert!(err.contains("interrupted") && err.contains("repeat it"), "{err}");
        let object: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(object["kind"], "interrupted");
        assert_eq!(fs::read_dir(&work).unwrap().count(), 0, "nothing is left");
    }
    tool.ok_on("import", &archive);
    assert_eq!(tool.json("verify")["clean"], true);
}

#[test]
fn ctrl_c_during_a_compaction_leaves_a_store_that_goes_on() {
    let tool = Tool::with_store("--finality 10");
    let archive = tool.file("chain.car");
    let spec = ChainSpec { epochs: 200, actors: 10_000, ..ChainSpec::default() };
    write_car(&spec, &archive).unwrap();
    tool.ok_on("import", &archive);
    let keys = tool.keys("hot");
    let mut compact = command();
    compact.args(["--json", "--store"]).arg(tool.store()).arg("compact");
    let child = compact.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let work = tool.store().join("work");
    while !fs::read_dir(&work).is_ok_and(|mut entries| entries.next().is_some()) {
        std::thread::yield_now();
    }
    signal(&child, "INT");
    let run = child.wait_with_output().unwrap();
    let err = String::from_utf8(run.stderr).unwrap();
    // A run that had sealed by then was finished.
    let code = run.status.code();
    assert!(code == Some(130) || code == Some(0), "{code:?} {err}");
    assert_eq!(tool.json("verify")["clean"], true);
    if code == Some(130) {
        assert_eq!(tool.keys("hot"), keys, "nothing was deleted");
        tool.ok("compact");
        assert_eq!(tool.json("verify")["clean"], true);
    }
}
