//! One turned bit ends every scan of hot, so no compaction and no check gets through it: `repair` does.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::archives;
use crate::tool::Tool;

fn store_with_chain() -> (Tool, PathBuf) {
    let tool = Tool::new();
    tool.ok("init --hot rocksdb --finality 2 --link-index");
    let chain = tool.file("chain.car");
    archives::small(&chain);
    tool.ok_on("import", &chain);
    // In tables, not in the log, and with a link index.
    tool.ok("compact");
    (tool, chain)
}

/// Turns a bit in the middle of the largest table.
fn turn_a_bit(hot: &Path) {
    let tables = fs::read_dir(hot).unwrap().map(|entry| entry.unwrap().path());
    let tables = tables.filter(|path| path.extension().is_some_and(|end| end == "sst"));
    let table = tables.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let file = fs::OpenOptions::new().read(true).write(true).open(table).unwrap();
    let (mut byte, at) = ([0], file.metadata().unwrap().len() / 3);
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 16], at).unwrap();
}

#[test]
fn what_a_turned_bit_stops_goes_on_after_a_repair_and_an_import() {
    let (tool, chain) = store_with_chain();
    let before = tool.keys("hot");
    turn_a_bit(&tool.store().join("hot"));
    tool.run("compact").refused(1, &["checksum mismatch", "`repair`"]);
    let verified = tool.run("--json verify");
    assert_eq!(verified.code, 1, "{}", verified.err);
    let said = verified.object();
    let first = said["violations"][0].as_str().unwrap();
    assert!(first.contains("check of hot ended") && first.contains("checksum mismatch"), "{first}");
    assert!(said["cold_blocks"].as_u64() > Some(0), "the other tier was checked as well");
    let text = String::from_utf8(tool.run("verify").out).unwrap();
    assert!(text.contains("`repair`"), "{text}");

    let ran = tool.run("--json repair");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let said = ran.object();
    assert_eq!(said["whole"], false);
    assert_eq!(said["blocks"].as_u64().unwrap(), before.len() as u64 - 1);
    let lost: Vec<_> = said["lost"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    assert!(lost.len() == 1 && before.contains(lost[0]), "{lost:?}");
    assert!(Path::new(said["kept"].as_str().unwrap()).ends_with("store/hot.damaged-1"));
    assert!(!tool.store().join("links").exists(), "an index without the notes since");

    tool.ok_on("import", &chain);
    assert!(tool.keys("hot").is_superset(&before));
    assert!(tool.ok("verify").ends_with("no law is broken\n"));
    assert!(tool.ok("compact").contains("marked by scan: there is no link index yet"));
    assert!(tool.ok("verify").ends_with("no law is broken\n"));
}

#[test]
fn an_undamaged_tier_is_written_anew_whole() {
    let (tool, _) = store_with_chain();
    let before = tool.keys("hot");
    assert!(tool.ok("repair").contains(&format!("copied {} blocks", before.len())));
    assert!(tool.keys("hot") == before);
    assert!(tool.ok("verify").ends_with("no law is broken\n"));
}

/// A crash may leave a half-written copy, or, on either side of the exchange, one under the name of what is whole.
#[test]
fn what_an_interrupted_repair_left_is_removed_or_kept() {
    let (tool, _) = store_with_chain();
    let before = tool.keys("hot");
    for name in ["hot.new", "hot.whole"] {
        fs::create_dir(tool.store().join(name)).unwrap();
        fs::write(tool.store().join(name).join("left"), b"over").unwrap();
    }
    assert!(tool.ok("repair").contains("hot.damaged-2"));
    assert!(tool.store().join("hot.damaged-1/left").is_file(), "it may be the only copy of something");
    assert!(tool.store().join("hot.damaged-2/CURRENT").is_file());
    assert!(!tool.store().join("hot.new").exists() && !tool.store().join("hot.whole").exists());
    assert!(tool.keys("hot") == before);
}

#[test]
fn a_hot_tier_on_another_disk_is_repaired_there() {
    let (tool, _) = store_with_chain();
    let before = tool.keys("hot");
    let disk = tool.file("disk");
    fs::create_dir(&disk).unwrap();
    fs::rename(tool.store().join("hot"), disk.join("fast")).unwrap();
    std::os::unix::fs::symlink(disk.join("fast"), tool.store().join("hot")).unwrap();
    tool.ok("repair");
    assert!(tool.keys("hot") == before);
    assert!(tool.store().join("hot").is_symlink() && disk.join("fast.damaged-1/CURRENT").is_file());
}

#[test]
fn an_engine_without_repair_says_what_to_do_instead() {
    let tool = Tool::new();
    tool.ok("init --hot fjall");
    tool.run("repair").refused(2, &["on fjall", "import the chain"]);
}
