//! The tool as its users see it: the binary, on real files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;
mod server;
mod trouble;

use std::fs;

use bench::{Bench, KEY};

#[test]
fn what_is_exported_and_imported_again_exports_the_same() {
    let bench = Bench::new();
    bench.import("one", "m,a=b f=1.5,i=-3i,u=7u,s=\"a \\\"q\\\"\",b=t 10\nm,a=b f=2.5 20\nm,a=b f=9 -5\n");
    let text = bench.run(["export", "one"]).ok();
    assert_eq!(text.lines().count(), 7);
    bench.import("two", &text);
    assert_eq!(bench.run(["export", "two"]).ok(), text);
    if bench.real("real/000000001-000000001.tsm", "merge_b.tsm.gz") {
        let text = bench.run(["export", "real"]).ok();
        assert_eq!(text.lines().count(), 4282);
        bench.import("again", &text);
        let mut again: Vec<_> = bench.run(["export", "again"]).ok().lines().map(String::from).collect();
        let mut lines: Vec<_> = text.lines().map(String::from).collect();
        // The keys of another dialect sort otherwise.
        again.sort();
        lines.sort();
        assert_eq!(again, lines);
    }
}

#[test]
fn compacting_real_files_keeps_their_content_and_leaves_one_file() {
    let bench = Bench::new();
    if !bench.real("d/000000001-000000001.tsm", "merge_a.tsm.gz") {
        return;
    }
    bench.real("d/000000002-000000001.tsm", "merge_b.tsm.gz");
    let before = bench.run(["export", "d"]).ok();
    let said = bench.run(["compact", "d", "--all", "--verify"]).ok();
    assert!(said.contains("the same 5384 points of 212 keys before and after"), "{said}");
    assert_eq!(bench.files("d"), ["000000002-000000002.tsm"]);
    assert_eq!(bench.run(["export", "d"]).ok(), before);
    assert!(bench.run(["verify", "d"]).ok().contains("whole; 212 keys, 212 blocks, 5384 points"));
}

#[test]
fn eight_snapshots_are_compacted_as_planned_and_seven_are_left() {
    let bench = Bench::new();
    for n in 0..7 {
        bench.import("d", &format!("m f={n} {n}\n"));
    }
    let said = bench.run(["plan", "d"]).ok();
    assert!(said.contains("7 of 8 generations of level 1"), "{said}");
    assert!(!said.contains("another plan") && said.lines().count() < 10, "{said}");
    assert_eq!(bench.run(["compact", "d"]).ok().trim(), "nothing to do");
    bench.import("d", "m f=7 7\n");
    let dry = bench.run(["compact", "d", "--dry-run"]).ok();
    assert!(dry.contains("8 files") && dry.contains("of free space"), "{dry}");
    assert_eq!(bench.files("d").len(), 8);
    bench.run(["compact", "d", "--verify"]).ok();
    assert_eq!(bench.files("d"), ["000000008-000000002.tsm"]);
}

#[test]
fn a_flipped_bit_is_told_with_file_key_and_offset_and_nothing_is_compacted_over_it() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    bench.import("d", "m f=2 2\n");
    let damaged = bench.path("d/000000001-000000001.tsm");
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[12] ^= 1;
    fs::write(&damaged, &bytes).unwrap();
    let said = bench.run(["verify", "d"]).code(1);
    for part in ["000000001-000000001.tsm", KEY, "offset 5", "checksum"] {
        assert!(said.contains(part), "{said}");
    }
    let whole = fs::read(bench.path("d/000000002-000000001.tsm")).unwrap();
    let said = bench.run(["compact", "d", "--all"]).code(1);
    assert!(said.contains("not everything can be merged: 1-1: ") && said.contains("offset 5"), "{said}");
    let said = bench.run(["compact", "d"]).code(1);
    assert!(said.contains("left alone: 1-1: "), "{said}");
    assert_eq!(fs::read(&damaged).unwrap(), bytes);
    assert_eq!(fs::read(bench.path("d/000000002-000000001.tsm")).unwrap(), whole);
    assert_eq!(bench.files("d").len(), 2);
    let json: serde_json::Value =
        serde_json::from_str(&bench.run(["--json", "verify", "d"]).code(1)).unwrap();
    assert_eq!(json["files"][0]["findings"][0]["class"], "checksum");
}

#[test]
fn repair_saves_what_is_whole_and_never_touches_its_input() {
    let bench = Bench::new();
    bench.import("d", "a f=1 1\nb f=2 2\n");
    let damaged = bench.path("d/000000001-000000001.tsm");
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[12] ^= 1;
    fs::write(&damaged, &bytes).unwrap();
    let args = ["repair", "d/000000001-000000001.tsm", "--output", "new", "--quarantine", "bad"];
    let said = bench.run(args).code(1);
    assert!(said.contains("1 blocks kept, 0 mended, 1 given up"), "{said}");
    assert_eq!(fs::read(&damaged).unwrap(), bytes);
    assert_eq!(bench.run(["export", "new"]).ok(), "b f=2 2\n");
    assert_eq!(bench.files("bad").len(), 1);
    assert!(bench.run(args).code(2).contains("is there already"));
}

#[test]
fn deleted_points_are_gone_at_once_and_their_space_after_a_compaction() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\nm f=2 2\nm f=3 3\n");
    bench.import("d", "m f=9 2\n");
    bench.run(["delete", "d/000000001-000000001.tsm", "--key", KEY, "--start", "2", "--end", "3"]).ok();
    assert_eq!(bench.run(["export", "d"]).ok(), "m f=1 1\nm f=9 2\n");
    bench.run(["compact", "d", "--all", "--verify"]).ok();
    assert_eq!(bench.files("d"), ["000000002-000000002.tsm"]);
    assert_eq!(bench.run(["export", "d"]).ok(), "m f=1 1\nm f=9 2\n");
    assert!(bench.run(["delete", "d", "--key", "no such#!~#key"]).ok().contains("no file holds"));
}

#[test]
fn files_that_do_not_follow_each_other_are_refused_by_name() {
    let bench = Bench::new();
    for n in 0..3 {
        bench.import("d", &format!("m f={n} {n}\n"));
    }
    let apart = ["compact", "d/000000001-000000001.tsm", "d/000000003-000000001.tsm"];
    let said = bench.run(apart).code(2);
    assert!(said.contains("generation 2 lies between those named"), "{said}");
    bench.run(["compact", "d/000000001-000000001.tsm", "d/000000002-000000001.tsm", "--verify"]).ok();
    assert_eq!(bench.files("d"), ["000000002-000000002.tsm", "000000003-000000001.tsm"]);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_written() {
    let bench = Bench::new();
    fs::write(bench.path("lines"), "m f=1 1\nm f=x 2\n").unwrap();
    let said = bench.run(["import", "lines", "--into", "d"]).code(2);
    assert!(said.contains("lines, line 2") && said.contains("column 5: `x` is no value"), "{said}");
    assert!(bench.files("d").is_empty());
    fs::write(bench.path("lines"), "m f=1 1\nm f=1i 2\n").unwrap();
    let said = bench.run(["import", "lines", "--into", "d"]).code(2);
    assert!(
        said.contains("lines, line 2") && said.contains("of type integer here, but of type float before"),
        "{said}"
    );
    assert!(bench.files("d").is_empty());
}

#[test]
fn bad_usage_and_missing_files_end_with_two_and_a_message() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    for (args, said) in [
        (vec!["verify", "nowhere"], "nowhere: no such file or folder"),
        (vec!["verify", "empty"], "empty: no TSM file there"),
        (vec!["verify"], "required"),
        (vec!["frobnicate"], "unrecognized subcommand"),
        (vec!["plan", "nowhere"], "open nowhere"),
        (vec!["plan", "empty"], "empty: no TSM file there"),
        (vec!["compact", "empty"], "empty: no TSM file there"),
        (vec!["export", "empty/*.tsm"], "no TSM file there"),
        (
            vec!["export", "empty", "--start", "2000-01-02", "--end", "2000-01-01"],
            "--start comes after --end",
        ),
        (vec!["delete", "empty", "--key", "k", "--start", "yesterday"], "yesterday"),
    ] {
        let found = bench.run(args).code(2);
        assert!(found.contains(said), "{found}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&bench.run(["--json", "verify", "nowhere"]).code_out(2)).unwrap();
    assert!(json["error"].as_str().unwrap().contains("no such file"));
}

#[test]
fn a_file_that_no_compaction_takes_for_want_of_a_name_is_told() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    fs::copy(bench.path("d/000000001-000000001.tsm"), bench.path("d/weird.tsm")).unwrap();
    for command in ["plan", "compact"] {
        let said = bench.run([command, "d"]).code(0);
        assert!(said.contains("left aside: d/weird.tsm is not named GENERATION-SEQUENCE"), "{said}");
    }
    assert!(bench.files("d").contains(&"weird.tsm".to_owned()));
}

#[test]
fn a_folder_that_another_tool_works_on_is_refused() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    let folder = fs::File::open(bench.path("d")).unwrap();
    folder.lock().unwrap();
    assert!(bench.run(["compact", "d"]).code(2).contains("another `tsm` works on d"));
}

#[test]
fn what_an_interrupted_run_left_is_cleaned_up_and_named() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    fs::write(bench.path("d/000000001-000000002.tsm.7.tmp"), "half").unwrap();
    fs::write(bench.path("d/000000009-000000001.tombstone"), "").unwrap();
    // None of these is ours to remove: a server's own file, somebody's text, deletes of a file set aside.
    let others = [
        "000000003-000000001.tsm.tmp",
        "000000005-000000001.tombstone",
        "000000005-000000001.tsm.bad",
        "a.tmp",
    ];
    for name in others {
        fs::write(bench.path(&format!("d/{name}")), "").unwrap();
    }
    let before = bench.files("d");
    bench.run(["plan", "d"]).ok();
    bench.run(["compact", "d", "--dry-run"]).ok();
    assert_eq!(bench.files("d"), before, "to look changes nothing");
    let said = bench.run(["compact", "d"]).code(0);
    assert!(said.contains("removed 000000001-000000002.tsm.7.tmp"), "{said}");
    let mut left = vec!["000000001-000000001.tsm"];
    left.extend(others);
    assert_eq!(bench.files("d"), left);
}

#[test]
fn a_delete_waits_for_nobody_who_could_lose_it() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    let folder = fs::File::open(bench.path("d")).unwrap();
    folder.lock().unwrap();
    let said = bench.run(["delete", "d", "--key", KEY]).code(2);
    assert!(said.contains("another `tsm` works on d"), "{said}");
}

#[test]
fn a_linked_file_is_a_file_of_the_folder() {
    let bench = Bench::new();
    bench.import("other", "m f=1 1\nm f=2 2\n");
    fs::create_dir(bench.path("d")).unwrap();
    let name = "000000001-000000001.tsm";
    std::os::unix::fs::symlink(bench.path(&format!("other/{name}")), bench.path(&format!("d/{name}")))
        .unwrap();
    bench.run(["delete", "d", "--key", KEY, "--start", "2"]).ok();
    bench.import("d", "m f=3 3\n");
    assert_eq!(bench.run(["export", "d"]).ok(), "m f=1 1\nm f=3 3\n");
    bench.run(["compact", "d", "--all", "--verify"]).ok();
    assert_eq!(bench.run(["export", "d"]).ok(), "m f=1 1\nm f=3 3\n");
}

#[test]
fn broken_tombstones_are_found_and_hold_a_repair_up() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\nm f=2 2\n");
    bench.run(["delete", "d", "--key", KEY, "--start", "2"]).ok();
    let tombstone = bench.path("d/000000001-000000001.tombstone");
    let bytes = fs::read(&tombstone).unwrap();
    fs::write(&tombstone, &bytes[..bytes.len() - 3]).unwrap();
    assert!(bench.run(["verify", "d"]).code(1).contains("000000001-000000001.tombstone"));
    let said = bench.run(["repair", "d/000000001-000000001.tsm", "--output", "new"]).code(1);
    assert!(said.contains("remove them to give their deletes up"), "{said}");
    assert!(bench.files("new").is_empty());
}

#[test]
fn one_group_that_fails_keeps_no_other_from_being_done() {
    let bench = Bench::new();
    for n in 0..16 {
        bench.import("d", if n == 3 { "m f=1i 1\n".into() } else { format!("m f={n} {n}\n") }.as_str());
    }
    let said = bench.run(["verify", "d"]).code(1);
    assert!(said.contains("is of type float in d/000000001-000000001.tsm, but of type integer in"), "{said}");
    let said = bench.run(["compact", "d"]).code(1);
    assert!(said.contains("not done: ") && said.contains("type integer"), "{said}");
    assert!(bench.files("d").contains(&"000000016-000000002.tsm".to_string()), "{:?}", bench.files("d"));
    assert_eq!(bench.files("d").len(), 9);
}

#[test]
fn what_the_tool_writes_is_sealed_unless_told_otherwise() {
    let bench = Bench::new();
    let is_sealed = |file: &str| {
        let bytes = fs::read(bench.path(file)).unwrap();
        bytes.windows(8).any(|window| window == b"TSMINDEX")
    };
    bench.import("d", "m f=1 1\n");
    assert!(is_sealed("d/000000001-000000001.tsm"));
    bench.run(["compact", "d/000000001-000000001.tsm", "--unsealed"]).ok();
    assert!(!is_sealed("d/000000001-000000002.tsm"));
    bench.run(["repair", "d/000000001-000000002.tsm", "--output", "new"]).ok();
    assert!(is_sealed("new/000000001-000000002.tsm"));
    // A bit in a key.
    let file = bench.path("new/000000001-000000002.tsm");
    let mut bytes = fs::read(&file).unwrap();
    let key = bytes.windows(6).position(|window| window == KEY.as_bytes()).unwrap();
    bytes[key] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(bench.run(["verify", "new"]).code(1).contains("the checksum of the index is"));
    assert!(bench.run(["export", "new"]).code(1).contains("the checksum of the index is"));
}
