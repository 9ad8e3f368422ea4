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
