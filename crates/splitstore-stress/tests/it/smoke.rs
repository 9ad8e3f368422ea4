//! Three kills of the real thing, one for each cold policy; and three power cuts.

use std::process::Command;

#[test]
fn three_kills_lose_nothing() {
    three_of("crash");
}

#[test]
fn three_power_cuts_lose_nothing_that_was_flushed() {
    let said = three_of("powercut");
    assert!(said.contains("own files cut short"), "{said}");
}

fn three_of(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stress"))
        .args([command, "--runs", "3", "--seed", "7"])
        .output()
        .unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{error}");
    let number = |name: &str| {
        let row = said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        row.trim().parse::<u64>().unwrap()
    };
    assert_eq!((number("runs"), number("lost"), number("failed opens")), (3, 0, 0), "{said}");
    assert!(number("blocks verified") > 0, "{said}");
    for policy in ["universal", "messages", "discard"] {
        assert!(said.contains(&format!("cold policy {policy}")), "{said}");
    }
    said.into_owned()
}

#[test]
fn a_soak_of_no_minutes_is_refused() {
    let soak = Command::new(env!("CARGO_BIN_EXE_stress")).args(["soak", "--minutes", "0"]).output().unwrap();
    assert!(!soak.status.success());
    assert!(String::from_utf8_lossy(&soak.stderr).contains("one minute at least"));
}
