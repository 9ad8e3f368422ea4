//! What an operator is told of the link index: whether it is on and of use, and that damage to it loses nothing.

use std::fs;

use splitstore::folder::HotEngine;

#[cfg(feature = "rocksdb")]
use crate::archives;
use crate::tool::Tool;

fn with_store(engine: &str, flags: &str) -> Tool {
    let tool = Tool::new();
    tool.ok(&format!("init --hot {engine} {flags}"));
    tool
}

fn line(tool: &Tool) -> String {
    let info = tool.ok("info");
    info.lines().find_map(|line| line.strip_prefix("link index   ")).unwrap().to_owned()
}

#[test]
fn info_says_whether_a_link_index_is_kept_and_of_use() {
    let mut cases = vec![
        ("fjall", "", "off"),
        ("fjall", "--link-index", "none: fjall cannot keep one"),
        ("fjall", "--marking links", "none: fjall cannot keep one"),
    ];
    if HotEngine::Rocksdb.is_built() {
        cases.extend([
            ("rocksdb", "--marking scan", "off"),
            ("rocksdb", "--link-index", "on"),
            ("rocksdb", "--marking links", "on"),
            ("rocksdb", "--marking scan --link-index", "on, but marking by scan does not read it"),
            ("rocksdb", "--marking walk --link-index", "on, but marking by walk does not read it"),
        ]);
    }
    for (engine, flags, said) in cases {
        assert_eq!(line(&with_store(engine, flags)), said, "{engine} {flags}");
    }
}

#[cfg(feature = "rocksdb")]
#[test]
fn a_damaged_link_index_is_told_as_what_heals_by_itself() {
    let tool = with_store("rocksdb", "--link-index --finality 2");
    let chain = tool.file("chain.car");
    archives::small(&chain);
    tool.ok_on("import", &chain);
    assert!(!tool.ok("verify").contains("link index"), "there is none yet");
    assert!(tool.ok("compact").contains("marked by scan: there is no link index yet"));
    assert!(tool.ok("compact").contains("marked by links\n"));
    assert!(tool.ok("verify").contains("\nthe link index was compared with "));

    let pack = tool.store().join("links/pack");
    let mut bytes = fs::read(&pack).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&pack, bytes).unwrap();
    let ran = tool.run("verify");
    let said = String::from_utf8(ran.out).unwrap();
    assert_eq!(ran.code, 1, "{said}");
    assert!(said.contains("links/pack: ") && said.contains("1 finding: no block is lost"), "{said}");
    assert!(!said.contains("import") && !said.contains("restore"), "{said}");
    let said = tool.ok("compact");
    assert!(
        said.contains("marked by scan: the link index was set aside") && !said.contains("restore"),
        "{said}"
    );
    assert!(tool.ok("verify").ends_with("no law is broken\n"));
    assert!(tool.ok("compact").contains("marked by links\n"));
}

/// A file in the place of the folder `links` keeps no store closed.
#[test]
fn a_file_where_the_link_index_belongs_is_set_aside() {
    let mut cases = vec![("fjall", "")];
    if HotEngine::Rocksdb.is_built() {
        cases.extend([("rocksdb", ""), ("rocksdb", "--link-index")]);
    }
    for (engine, flags) in cases {
        let tool = with_store(engine, flags);
        let links = tool.store().join("links");
        if links.exists() {
            fs::remove_dir_all(&links).unwrap();
        }
        fs::write(&links, b"not a folder").unwrap();
        tool.ok("info");
        assert!(!links.is_file(), "{engine} {flags}");
        assert_eq!(fs::read(tool.store().join("links-damaged")).unwrap(), b"not a folder");
    }
}
