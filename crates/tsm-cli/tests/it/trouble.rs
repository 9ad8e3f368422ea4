//! What people give the tool, as it comes: damaged files among others, odd text, odd folders.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, KEY};

#[test]
fn one_damaged_file_stops_no_export_report_or_delete_of_the_others_unless_asked() {
    let bench = Bench::new();
    bench.import("d", "a f=1 1\nb f=1 1\nc f=1 1\n");
    bench.import("d", "m f=2 2\n");
    bench.import("d", "n f=3 3\n");
    // A block of key b in the first file; the second file as a whole.
    bench.damage("d/000000001-000000001.tsm", 5 + 35);
    let second = bench.path("d/000000002-000000001.tsm");
    fs::write(&second, &fs::read(&second).unwrap()[..40]).unwrap();
    let export = bench.run(["export", "d"]);
    assert_eq!(export.code_out(1), "a f=1 1\nc f=1 1\nn f=3 3\n");
    let said = export.code(1);
    for part in ["damaged: ", "000000001-000000001.tsm, key `b#!~#f`", "000000002-000000001.tsm"] {
        assert!(said.contains(part), "{said}");
    }
    let json: Value = serde_json::from_str(&bench.run(["--json", "export", "d"]).code_out(1)).unwrap();
    assert_eq!((json["blocks"].as_array().unwrap().len(), json["damaged"].as_array().unwrap().len()), (3, 2));
    let report = bench.run(["report", "d"]).code(1);
    assert!(
        report.contains("000000003-000000001.tsm") && report.contains("not counted: 2 damaged files"),
        "{report}"
    );
    let deleted = bench.run(["delete", "d", "--key", "n#!~#f"]).code(1);
    assert!(deleted.contains("1 files have tombstones") && deleted.contains("000000002"), "{deleted}");
    for command in ["export", "report"] {
        assert!(bench.run([command, "d", "--stop-at-damage"]).code(1).contains("error: "), "{command}");
    }
}

#[test]
fn export_as_json_is_one_object_with_every_point() {
    let bench = Bench::new();
    bench.import("d", "m,t=a\\ b f=1.5,s=\"x\" 10\nm,t=a\\ b f=2 20\n");
    let json: Value = serde_json::from_str(&bench.run(["export", "d", "--json"]).ok()).unwrap();
    let block = &json["blocks"][0];
    assert_eq!((&block["series"], &block["field"]), (&"m,t=a\\ b".into(), &"f".into()));
    assert_eq!(
        (&block["times"], &block["values"]),
        (&serde_json::json!([10, 20]), &serde_json::json!([1.5, 2.0]))
    );
    assert_eq!(json["blocks"][1]["values"], serde_json::json!(["x"]));
}

#[test]
fn points_of_two_buckets_are_not_made_those_of_one() {
    let bench = Bench::new();
    if !bench.real("d/000000001-000000001.tsm", "merge_a.tsm.gz") {
        return;
    }
    let one = bench.run(["export", "d"]).ok();
    bench.import("d", "m f=1 1\n");
    let said = bench.run(["export", "d"]).code(2);
    assert!(said.contains("the files hold 2 buckets: choose one by --bucket: none, "), "{said}");
    assert_eq!(bench.run(["export", "d", "--bucket", "none"]).ok(), "m f=1 1\n");
    let bucket = said.trim().rsplit(' ').next().unwrap();
    assert_eq!(bench.run(["export", "d", "--bucket", bucket]).ok(), one);
    assert!(bench.run(["export", "d", "--bucket", "12"]).code(2).contains("32 hexadecimal digits"));
}

#[test]
fn odd_text_is_taken_for_what_it_is_or_refused_by_line() {
    let bench = Bench::new();
    for (text, said) in [
        ("m#!~#x f=1 1\n", "line 1: column 1: `#!~#` parts series and field in a file"),
        ("m f=1 1\n\n# c\nm f=\"a\nb\" 2x\n", "line 4: "),
        ("m f=1 1\nm s=\"never closed\n\n\n", "line 2: column 5: a string does not end"),
    ] {
        fs::write(bench.path("lines"), text).unwrap();
        let found = bench.run(["import", "lines", "--into", "d"]).code(2);
        assert!(found.contains(said), "{found}");
    }
    fs::write(bench.path("lines"), b"\xff\xfem\0").unwrap();
    assert!(bench.run(["import", "lines", "--into", "d"]).code(2).contains("UTF-16"));
    assert!(bench.files("d").is_empty());
    fs::write(bench.path("lines"), b"\xef\xbb\xbfm f=1 1\r\nm f=2 2\r\n").unwrap();
    bench.run(["import", "lines", "--into", "d"]).ok();
    assert_eq!(bench.run(["export", "d"]).ok(), "m f=1 1\nm f=2 2\n");
}

#[test]
fn a_bad_line_on_standard_input_leaves_nothing_unless_unchecked() {
    let bench = Bench::new();
    // More than the cache holds, so that files are written before the end is seen.
    let line = |n: u32| format!("m,k={n} s=\"{}\" {n}\n", "x".repeat(4000));
    let text: String = (0..600).map(line).collect::<String>() + "m f=x 1\n";
    let args = ["import", "-", "--into", "d", "--memory", "1"];
    let said = bench.piped(args, &text).code(2);
    assert!(
        said.contains("nothing was written: standard input, line 601: ") || said.contains("line 601"),
        "{said}"
    );
    assert!(bench.files("d").is_empty(), "{:?}", bench.files("d"));
    let said = bench.piped(args.into_iter().chain(["--unchecked"]), &text).code(2);
    assert!(said.contains("these files were written before, and stay: 1-1"), "{said}");
    assert!(bench.run(["verify", "d"]).ok().contains("whole"));
}

#[test]
fn one_name_in_both_widths_is_refused_and_both_are_named() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    let (nine, fifteen) = ("000000001-000000001.tsm", "000000000000001-000000001.tsm");
    fs::copy(bench.path(&format!("d/{nine}")), bench.path(&format!("d/{fifteen}"))).unwrap();
    for args in
        [vec!["plan", "d"], vec!["compact", "d"], vec!["export", "d"], vec!["import", "x", "--into", "d"]]
    {
        fs::write(bench.path("x"), "m f=1 1\n").unwrap();
        let said = bench.run(&args).code(2);
        assert!(said.contains(nine) && said.contains(fifteen), "{args:?}: {said}");
    }
}

#[test]
fn all_of_one_packed_file_is_left_as_it_is() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    bench.import("d", "m f=2 2\n");
    bench.run(["compact", "d", "--all"]).ok();
    for _ in 0..2 {
        assert_eq!(
            bench.run(["compact", "d", "--all", "--verify"]).ok().split(';').next(),
            Some("nothing to do")
        );
        assert_eq!(bench.files("d"), ["000000002-000000002.tsm"]);
    }
    bench.run(["delete", "d", "--key", KEY, "--end", "1"]).ok();
    bench.run(["compact", "d", "--all"]).ok();
    assert_eq!(bench.files("d"), ["000000002-000000003.tsm"]);
}

#[test]
fn keys_are_deleted_by_pattern_and_first_only_shown() {
    let bench = Bench::new();
    bench.import("d", "cpu,host=a f=1 1\ncpu,host=b f=2 2\nmem,host=a f=3 3\n");
    let args = ["delete", "d", "--match", "cpu,*", "--match", "*host=[bc]*"];
    let said = bench.run(args.into_iter().chain(["--dry-run"])).ok();
    assert!(said.contains("2 keys\n  cpu,host=a#!~#f\n  cpu,host=b#!~#f\n1 files would get"), "{said}");
    assert_eq!(bench.files("d"), ["000000001-000000001.tsm"]);
    bench.run(args).ok();
    assert_eq!(bench.run(["export", "d"]).ok(), "mem,host=a f=3 3\n");
    assert!(bench.run(["delete", "d"]).code(2).contains("--key"));
    assert!(bench.run(["delete", "d", "--match", "[a"]).code(2).contains("--match"));
}

#[test]
fn dates_in_any_zone_are_times() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1590585404546128000\nm f=2 1590585404546128001\n");
    let export = |start: &str| bench.run(["export", "d", "--start", start]).ok().lines().count();
    assert_eq!(export("2020-05-27t15:16:44.546128+02:00"), 2);
    assert_eq!(export("2020-05-27T13:16:44.546128001Z"), 1);
    assert_eq!((export("2020-05-27"), export("1960-01-01"), export("2020-05-28")), (2, 2, 0));
}

#[test]
fn a_cause_is_told_once() {
    let bench = Bench::new();
    bench.import("d", "m f=1 1\n");
    bench.damage("d/000000001-000000001.tsm", 12);
    let said = bench.run(["dump", "d/000000001-000000001.tsm"]).code(1);
    assert_eq!(said.matches("the checksum of the block").count(), 1, "{said}");
}
