//! Three kills of the real thing, one for each cold policy.

use std::process::Command;

#[test]
fn three_kills_lose_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_stress"))
        .args(["crash", "--runs", "3", "--seed", "7"])
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
}

#[test]
fn a_soak_of_no_minutes_is_refused() {
    let soak = Command::new(env!("CARGO_BIN_EXE_stress")).args(["soak", "--minutes", "0"]).output().unwrap();
    assert!(!soak.status.success());
    assert!(String::from_utf8_lossy(&soak.stderr).contains("one minute at least"));
}
