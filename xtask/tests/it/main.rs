//! The automation, run as a user runs it.

use std::process::{Command, Output};

fn xtask(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).output().expect("xtask was built with this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_repository_is_tidy() {
    let output = xtask(&["tidy"]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}{}", text(&output.stderr));
    assert!(printed.contains("files, median") && printed.contains("functions, median"), "{printed}");
}

#[test]
fn without_a_command_it_helps() {
    let output = xtask(&[]);
    assert!(output.status.success());
    for command in ["demo", "test", "tidy", "ci", "bench", "fixtures", "native"] {
        let opens = |line: &str| line.trim_start().starts_with(command);
        assert!(text(&output.stdout).lines().any(opens), "{command}");
    }
}

#[test]
fn a_command_that_is_not_there_fails_and_says_so() {
    let output = xtask(&["compact"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr).trim_end(), "xtask: no command `compact`; `cargo xtask` lists them");
}
