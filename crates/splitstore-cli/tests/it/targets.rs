//! Where archives may be written, and what `verify` says of a snapshot.

use crate::archives;
use crate::tool::Tool;

fn with_chain() -> Tool {
    let tool = Tool::with_store("");
    archives::small(&tool.file("chain.car"));
    tool.ok_on("import", &tool.file("chain.car"));
    tool
}

#[test]
fn an_export_into_the_stores_folder_is_refused() {
    let tool = with_chain();
    for name in ["chain.car", "meta.redb", "hot/chain.car", "cold/cold.redb"] {
        let target = tool.store().join(name);
        tool.run_on("export", &target).refused(2, &["inside the store", &target.display().to_string()]);
    }
    assert!(!tool.store().join("chain.car").exists());
    assert_eq!(tool.json("verify")["clean"], true);
    // Nor by another way to it.
    let roundabout = tool.store().join("..").join("store").join("chain.car");
    tool.run_on("export", &roundabout).refused(2, &["inside the store"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_replaced() {
    use std::fs;
    let tool = with_chain();
    let (link, socket) = (tool.file("link"), tool.file("socket"));
    std::os::unix::fs::symlink(tool.file("chain.car"), &link).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let before = fs::read(tool.file("chain.car")).unwrap();
    for command in ["export", "generate --epochs 3 --actors 10"] {
        tool.run_on(command, &link).refused(2, &["link"]);
        tool.run_on(command, &socket).refused(2, &["no regular file"]);
        tool.run_on(command, &tool.dir.path().join("store")).refused(2, &["store"]);
    }
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(tool.file("chain.car")).unwrap(), before);
    let partial = |entry: fs::DirEntry| entry.file_name().to_string_lossy().contains("partial");
    assert!(!fs::read_dir(tool.dir.path()).unwrap().any(|entry| partial(entry.unwrap())));
}

#[test]
fn verify_says_how_many_blocks_a_snapshot_lacks() {
    let tool = with_chain();
    let whole = tool.json("verify");
    assert_eq!(whole["tolerated"], 0, "{whole}");
    assert!(!tool.ok("verify").contains("absent"));
    let part = tool.file("part.car");
    tool.ok_on("export --down-to 30", &part);
    let again = Tool::with_store("");
    again.ok_on("import", &part);
    let windows = "--finality 4";
    let found = again.json(&format!("verify {windows}"));
    assert_eq!(found["clean"], true, "{found}");
    let tolerated = found["tolerated"].as_u64().unwrap();
    assert!(tolerated > 0, "{found}");
    let line = format!("{tolerated} blocks are absent that a snapshot may lack");
    assert!(again.ok(&format!("verify {windows}")).contains(&line));
}
