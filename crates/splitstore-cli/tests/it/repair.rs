//! One turned bit ends every scan of hot, so no compaction and no check gets through it: `repair` does.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::archives;
use crate::tool::{Tool, command};

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
fn what_an_interrupted_repair_left_is_removed_and_what_it_did_not_tell_is_told() {
    let (tool, _) = store_with_chain();
    turn_a_bit(&tool.store().join("hot"));
    assert_eq!(tool.run("--json repair").object()["lost"].as_array().unwrap().len(), 1);
    let (store, before) = (tool.store(), tool.keys("hot"));
    // As it is between the exchange and the removal of the old one.
    fs::rename(store.join("hot.damaged-1"), store.join("hot.whole")).unwrap();
    let note = fs::read_to_string(store.join("hot.whole/SPLITSTORE-REPAIR")).unwrap();
    fs::write(store.join("hot.whole/SPLITSTORE-REPAIR"), note.strip_suffix("told\n").unwrap()).unwrap();
    // As it is before: half-written, of this hot tier.
    fs::create_dir(store.join("hot.new")).unwrap();
    let hot = fs::canonicalize(store.join("hot")).unwrap();
    fs::write(store.join("hot.new/SPLITSTORE-REPAIR"), format!("hot {}\n", hot.display())).unwrap();
    let again = tool.run("--json repair");
    assert_eq!((again.code, again.object()["lost"].as_array().unwrap().len()), (1, 1), "{}", again.err);
    assert!(!store.join("hot.new").exists() && !store.join("hot.whole").exists());
    assert!(store.join("hot.damaged-1/CURRENT").is_file() && store.join("hot.damaged-2/CURRENT").is_file());
    assert!(tool.keys("hot") == before);
    // As it is when that one was killed as well, or failed, and when one is killed that removes the old one.
    let note = store.join("hot.damaged-1/SPLITSTORE-REPAIR");
    let text = fs::read_to_string(&note).unwrap();
    fs::write(&note, text.strip_suffix("told\n").unwrap()).unwrap();
    fs::create_dir(store.join("hot.whole")).unwrap();
    assert_eq!(tool.run("--json repair").object()["lost"].as_array().unwrap().len(), 1);
    assert!(tool.ok("repair").contains("nothing was lost"), "it has been told");
}

/// Who repairs may be killed, or its output go nowhere, when all is done but for telling.
#[test]
fn what_could_not_be_said_is_told_by_the_next_repair() {
    let (tool, _) = store_with_chain();
    turn_a_bit(&tool.store().join("hot"));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let store = tool.store();
    let status = command().arg("--store").arg(&store).arg("repair").stdout(full).status().unwrap();
    assert!(!status.success());
    assert_eq!(tool.run("--json repair").object()["lost"].as_array().unwrap().len(), 1);
    assert!(tool.ok("repair").contains("nothing was lost"), "it has been told");
}

/// Opening drops what stands behind the damage: killed after that, a repair finds a sound log.
#[test]
fn a_log_that_a_killed_repair_found_damaged_is_told_by_the_next() {
    let (tool, _) = store_with_chain();
    let kept = tool.store().join("hot.damaged-7");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("000008.log"), [9; 100]).unwrap();
    fs::write(kept.join("SPLITSTORE-REPAIR"), "hot hot\ngaps 1\n").unwrap();
    // Of one that had found nothing, and is of no use any more.
    let useless = tool.store().join("hot.damaged-8");
    fs::create_dir(&useless).unwrap();
    fs::write(useless.join("SPLITSTORE-REPAIR"), "hot hot\n").unwrap();
    // Of one that was killed behind its exchange: a table of the same name as one of hot, and another file.
    let (table, _) = tables(&tool.store().join("hot")).next().unwrap();
    let other = tool.store().join("hot.damaged-9");
    fs::create_dir(&other).unwrap();
    fs::write(other.join(table.file_name().unwrap()), b"old").unwrap();
    fs::write(other.join("SPLITSTORE-REPAIR"), "hot hot\n").unwrap();
    let ran = tool.run("--json repair");
    assert_eq!((ran.code, &ran.object()["gaps"]), (1, &1.into()), "{}", ran.err);
    assert!(kept.join("000008.log").exists() && other.exists() && !useless.exists());
    assert!(tool.ok("repair").contains("nothing was lost"), "it has been told");
}

/// A note makes nothing ours that is linked to, and what is no note ends no repair.
#[test]
fn folders_of_others_are_left_alone_whatever_they_hold() {
    let (tool, _) = store_with_chain();
    let foreign = tool.file("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("SPLITSTORE-REPAIR"), "hot hot\n").unwrap();
    fs::write(foreign.join("data"), b"precious").unwrap();
    let link = tool.store().join("hot.new");
    std::os::unix::fs::symlink(&foreign, &link).unwrap();
    tool.run("repair").refused(2, &["hot.new", "no repair"]);
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&foreign, tool.store().join("hot.damaged-3")).unwrap();
    fs::create_dir_all(tool.store().join("hot.damaged-4/SPLITSTORE-REPAIR")).unwrap();
    fs::create_dir(tool.store().join("hot.damaged-5")).unwrap();
    fs::write(tool.store().join("hot.damaged-5/SPLITSTORE-REPAIR"), [0xff; 9]).unwrap();
    assert!(tool.ok("repair").contains("nothing was lost"));
    assert!(foreign.join("data").exists());
}

/// A node that runs under a user of its own keeps its folder.
#[test]
fn the_new_tier_has_the_mode_of_the_old_one() {
    use std::os::unix::fs::PermissionsExt;

    let (tool, _) = store_with_chain();
    let hot = tool.store().join("hot");
    fs::set_permissions(&hot, fs::Permissions::from_mode(0o700)).unwrap();
    tool.ok("repair");
    assert_eq!(fs::metadata(&hot).unwrap().permissions().mode() & 0o777, 0o700);
}

/// Damage that ends a repair: what it put aside is all in hot, and goes; where it is not, it is named.
#[test]
fn a_repair_that_fails_leaves_nothing_that_it_does_not_name() {
    let (tool, _) = store_with_chain();
    let (hot, kept) = (tool.store().join("hot"), tool.store().join("hot.damaged-1"));
    let (table, len) = tables(&hot).max_by_key(|(_, len)| *len).unwrap();
    let sound = fs::read(&table).unwrap();
    fs::write(&table, &sound[..usize::try_from(len).unwrap() - 3]).unwrap();
    tool.run("repair").refused(1, &["does not open"]);
    assert!(!kept.exists(), "its tables are all in hot");
    fs::write(&table, &sound).unwrap();
    assert!(tool.ok("repair").contains("nothing was lost"));
}

/// The hot tier of another store, for one, may be linked to.
#[test]
fn what_no_repair_has_left_is_in_the_way_and_not_touched() {
    let (tool, _) = store_with_chain();
    let before = tool.keys("hot");
    for name in ["hot.new", "hot.whole"] {
        let path = tool.store().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("left"), b"over").unwrap();
        tool.run("repair").refused(2, &[name, "no repair"]);
        assert!(path.join("left").is_file());
        fs::remove_dir_all(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        tool.run("repair").refused(2, &[name, "no repair"]);
        fs::remove_file(&path).unwrap();
    }
    assert!(!tool.store().join("hot.damaged-1").exists() && tool.keys("hot") == before);
    std::os::unix::fs::symlink("nowhere", tool.store().join("hot.damaged-1")).unwrap();
    assert!(tool.ok("repair").contains("hot.damaged-2"));
}

/// What a damaged log held is dropped by whoever opens the store; it is kept, and said.
#[test]
fn a_damaged_log_is_told_and_kept_as_it_was() {
    let tool = Tool::new();
    tool.ok("init --hot rocksdb --finality 2");
    archives::small(&tool.file("chain.car"));
    tool.ok_on("import", &tool.file("chain.car"));
    let hot = tool.store().join("hot");
    let logs = fs::read_dir(&hot).unwrap().map(|entry| entry.unwrap().path());
    let log = logs.filter(|path| path.extension().is_some_and(|end| end == "log")).max().unwrap();
    turn_bits(&log, [fs::metadata(&log).unwrap().len() / 2]);
    let damaged = fs::read(&log).unwrap();
    let ran = tool.run("--json repair");
    assert_eq!((ran.code, &ran.object()["whole"]), (1, &false.into()), "{}", ran.err);
    assert_eq!(ran.object()["cut"].as_array().unwrap().len(), 1);
    let kept = tool.store().join("hot.damaged-1").join(log.file_name().unwrap());
    assert_eq!(fs::read(kept).unwrap(), damaged);
    tool.ok_on("import", &tool.file("chain.car"));
    assert!(tool.ok("verify").ends_with("no law is broken\n"));
}

/// Who opens such a store loses what the log held from there on, and is the last one that can be told.
#[test]
fn a_plain_open_over_a_damaged_log_says_so_once() {
    let tool = Tool::new();
    tool.ok("init --hot rocksdb --finality 2");
    archives::small(&tool.file("chain.car"));
    tool.ok_on("import", &tool.file("chain.car"));
    let logs = fs::read_dir(tool.store().join("hot")).unwrap().map(|entry| entry.unwrap().path());
    let log = logs.filter(|path| path.extension().is_some_and(|end| end == "log")).max().unwrap();
    turn_bits(&log, [fs::metadata(&log).unwrap().len() / 8]);
    let ran = tool.run("info");
    let said = format!("warning: log {} was damaged", log.display());
    assert!(ran.err.contains(&said), "{}", ran.err);
    assert!(ran.done().contains(&format!("damaged log  {}", log.display())));
    assert!(!tool.ok("info").contains("damaged log"));
}

/// The engine reads damage in its list of tables as the end, and removes what it has not read of.
#[test]
fn a_damaged_list_of_tables_is_refused_with_a_way_out_and_no_table_is_removed() {
    let (tool, _) = store_with_chain();
    let hot = tool.store().join("hot");
    let files = fs::read_dir(&hot).unwrap().map(|entry| entry.unwrap().path());
    let list = files.filter(|path| path.to_string_lossy().contains("MANIFEST-")).max().unwrap();
    let before: Vec<_> = tables(&hot).collect();
    turn_bits(&list, [9]);
    for command in ["info", "compact", "repair"] {
        tool.run(command).refused(1, &["MANIFEST-", "offset 0", "import the chain into"]);
    }
    assert_eq!(tables(&hot).collect::<Vec<_>>(), before);
    assert!(!tool.store().join("hot.damaged-1").exists());
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
