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

/// The tables of hot, and how long they are.
fn tables(hot: &Path) -> impl Iterator<Item = (PathBuf, u64)> {
    let files = fs::read_dir(hot).unwrap().map(|entry| entry.unwrap().path());
    let tables = files.filter(|path| path.extension().is_some_and(|end| end == "sst"));
    tables.map(|table| (table.clone(), fs::metadata(table).unwrap().len()))
}

/// Turns a bit in the middle of the largest table.
fn turn_a_bit(hot: &Path) {
    let (table, len) = tables(hot).max_by_key(|(_, len)| *len).unwrap();
    turn_bits(&table, [len / 3]);
}

fn turn_bits(table: &Path, places: impl IntoIterator<Item = u64>) {
    let file = fs::OpenOptions::new().read(true).write(true).open(table).unwrap();
    for at in places {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 16], at).unwrap();
    }
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

/// The index of a table is one page: nothing in the table is found without it.
#[test]
fn a_head_that_cannot_be_read_is_named_with_its_fault_by_all_that_need_it() {
    let (tool, chain) = store_with_chain();
    let (table, len) = tables(&tool.store().join("hot")).max_by_key(|(_, len)| *len).unwrap();
    // It stands near the end, before the properties and the footer, which a store does not open without.
    let said = (1024..16 << 10).step_by(256).find_map(|back| {
        turn_bits(&table, [len - back]);
        let info = tool.run("info");
        let said = String::from_utf8(info.out).unwrap();
        let is_index = info.code == 0 && said.contains("that was kept, cannot be read");
        if !is_index {
            turn_bits(&table, [len - back]);
        }
        is_index.then_some(said)
    });
    let said = said.expect("a table has an index");
    assert!(said.contains("checksum mismatch"), "{said}");
    for command in ["compact", "compact --dry-run"] {
        tool.run(command).refused(1, &["that was kept, cannot be read", "checksum mismatch", "`repair`"]);
    }
    tool.run_on("export", &tool.file("out.car"))
        .refused(1, &["cannot be read", "checksum mismatch", "`repair`"]);
    tool.run("repair");
    tool.ok_on("import", &chain);
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
