//! Store folders that are not what a command expects: each its own error, naming the path and what to do.

use std::fs;

use splitstore::system::StoreLock;

use crate::archives;
use crate::tool::{Tool, engines};

fn names(tool: &Tool) -> String {
    tool.store().display().to_string()
}

#[test]
fn a_missing_store_says_how_to_make_one() {
    let tool = Tool::new();
    tool.run("info").refused(2, &[&names(&tool), "no store", "init"]);
    assert!(!tool.store().exists(), "nothing was made");
    fs::create_dir(tool.store()).unwrap();
    tool.run("verify").refused(2, &[&names(&tool), "no store", "init"]);
}

#[test]
fn a_second_init_is_refused_and_harms_nothing() {
    let tool = Tool::with_store("--finality 7");
    let chain = tool.file("chain.car");
    archives::small(&chain);
    tool.ok_on("import", &chain);
    tool.run("init").refused(2, &[&names(&tool), "already"]);
    assert_eq!(tool.json("info")["windows"]["finality_epochs"], 7);
    assert_eq!(tool.json("verify")["clean"], true);
}

#[test]
fn a_locked_store_names_the_process_that_holds_it() {
    let tool = Tool::with_store("");
    let lock = StoreLock::acquire(&tool.store().join("LOCK")).unwrap();
    let pid = std::process::id().to_string();
    tool.run("info").refused(2, &[&names(&tool), "in use", &pid]);
    tool.run("compact").refused(2, &[&names(&tool), "in use", &pid]);
    drop(lock);
    tool.ok("info");
}

#[test]
fn a_store_of_a_newer_layout_is_refused_by_number() {
    let tool = Tool::with_store("");
    let settings = tool.store().join("splitstore.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("layout = 1", "layout = 2")).unwrap();
    tool.run("info").refused(2, &[&names(&tool), "layout 2", "newer splitstore"]);
}

#[test]
fn settings_that_cannot_be_read_name_the_file_and_the_place() {
    let tool = Tool::with_store("");
    let settings = tool.store().join("splitstore.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("exact", "exactly")).unwrap();
    tool.run("info").refused(2, &["splitstore.toml", "exactly"]);
    fs::write(&settings, text.replace("boundary_finalities = 4", "boundary_finalities = 5")).unwrap();
    tool.run("info").refused(2, &[&names(&tool), "boundary", "threshold"]);
}

#[test]
fn an_init_that_was_killed_is_recognised_and_can_be_made_again() {
    let tool = Tool::with_store("");
    // As a kill leaves it: everything is there but the final name of the settings.
    let settings = tool.store().join("splitstore.toml");
    fs::rename(&settings, tool.store().join("splitstore.toml.partial")).unwrap();
    tool.run("info").refused(2, &[&names(&tool), "init", "again"]);
    tool.ok("init");
    tool.ok("verify");
    // Or earlier still: a folder with a lock and nothing else.
    let tool = Tool::new();
    fs::create_dir(tool.store()).unwrap();
    fs::write(tool.store().join("LOCK"), "").unwrap();
    tool.ok("init");
    tool.ok("verify");
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let tool = Tool::new();
    fs::create_dir(tool.store()).unwrap();
    fs::write(tool.store().join("letters.txt"), "dear").unwrap();
    tool.run("init").refused(2, &[&names(&tool), "letters.txt"]);
    tool.run("info").refused(2, &[&names(&tool), "letters.txt"]);
    assert_eq!(fs::read_dir(tool.store()).unwrap().count(), 1);
}

#[test]
fn a_store_whose_settings_are_gone_is_not_made_again() {
    let tool = Tool::with_store("");
    fs::remove_file(tool.store().join("splitstore.toml")).unwrap();
    tool.run("init").refused(2, &[&names(&tool), "restore"]);
    tool.run("info").refused(2, &[&names(&tool), "splitstore.toml"]);
}

#[test]
fn a_hot_engine_that_was_changed_in_the_settings_is_named_with_the_one_that_is_there() {
    for engine in engines() {
        let other = if engine.name() == "fjall" { "rocksdb" } else { "fjall" };
        let tool = Tool::new();
        tool.ok(&format!("init --hot {engine}"));
        let file = tool.store().join("splitstore.toml");
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(&file, settings.replace(&format!("\"{engine}\""), &format!("\"{other}\""))).unwrap();
        tool.run("info").refused(2, &[&names(&tool), "splitstore.toml", engine.name(), other, "set it back"]);
        fs::write(&file, settings).unwrap();
        tool.ok("verify");
    }
}

#[test]
fn a_part_that_is_missing_is_named_and_never_made_anew() {
    for engine in engines() {
        for part in ["hot", "cold/cold.redb", "cold", "meta.redb"] {
            let tool = Tool::new();
            tool.ok(&format!("init --hot {engine}"));
            let (lost, kept) = (tool.store().join(part), tool.file("kept"));
            fs::rename(&lost, &kept).unwrap();
            let ran = tool.run("--json verify");
            assert_eq!((ran.code, &ran.object()["kind"]), (2, &"missing-part".into()), "{engine} {part}");
            tool.run("info").refused(2, &[&names(&tool), &format!("lacks its `{part}"), "restore", "import"]);
            assert!(!lost.exists(), "{part} was not made");
            fs::rename(&kept, &lost).unwrap();
            tool.ok("verify");
        }
        let tool = Tool::new();
        tool.ok(&format!("init --hot {engine}"));
        fs::remove_dir_all(tool.store().join("hot")).unwrap();
        fs::create_dir(tool.store().join("hot")).unwrap();
        tool.run("info").refused(2, &["lacks its `hot"]);
        assert_eq!(fs::read_dir(tool.store().join("hot")).unwrap().count(), 0);
    }
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_is_refused_and_what_it_leads_to_stays() {
    let tool = Tool::with_store("");
    fs::write(tool.file("letter"), "dear").unwrap();
    fs::remove_file(tool.store().join("LOCK")).unwrap();
    std::os::unix::fs::symlink(tool.file("letter"), tool.store().join("LOCK")).unwrap();
    tool.run("info").refused(2, &[&names(&tool), "LOCK", "symbolic link"]);
    assert_eq!(fs::read(tool.file("letter")).unwrap(), b"dear");
}

#[test]
fn a_file_is_no_folder() {
    let tool = Tool::new();
    fs::write(tool.store(), "").unwrap();
    tool.run("init").refused(2, &[&names(&tool), "not a folder"]);
    tool.run("info").refused(2, &[&names(&tool), "not a folder"]);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_refused_with_its_target() {
    let tool = Tool::with_store("");
    let moved = tool.file("moved");
    fs::rename(tool.store(), &moved).unwrap();
    std::os::unix::fs::symlink(&moved, tool.store()).unwrap();
    tool.run("info").refused(2, &[&names(&tool), "symbolic link", &moved.display().to_string()]);
    tool.run("init").refused(2, &["symbolic link"]);
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let tool = Tool::with_store("");
    let mode = |mode| fs::set_permissions(tool.store(), fs::Permissions::from_mode(mode)).unwrap();
    let lock = tool.store().join("LOCK");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o400)).unwrap();
    mode(0o500);
    if fs::write(tool.store().join("probe"), "").is_ok() {
        println!("skipped: permission bits do not bind this user (root)");
        return;
    }
    let ran = tool.run("info");
    mode(0o700);
    ran.refused(2, &[&names(&tool), "cannot be written to", "permission"]);
}

#[test]
fn every_engine_and_every_mark_set_makes_a_store_that_works() {
    for engine in engines() {
        for marks in ["exact", "disk", "roaring", "bloom"] {
            let tool = Tool::new();
            let chain = tool.file("chain.car");
            archives::small(&chain);
            tool.ok(&format!("init --hot {engine} --marks {marks} --finality 4"));
            tool.ok_on("import", &chain);
            let report = tool.json("compact");
            assert!(report["plan"]["transfer"]["blocks"].as_u64() > Some(0), "{report}");
            assert_eq!(tool.json("verify")["clean"], true, "{engine} {marks}");
            assert_eq!(tool.json("info")["marks"], marks);
        }
    }
}
