//! Mutated inputs for the TSM parsers. The fuzzer is a package outside of the workspace, so it is built, formatted and
//! linted by itself. No C++ in it.
//!
//! Not `--locked`: its lock file also lists what `crates/tsm` needs, and would have to be written anew by whoever gives that
//! crate a dependency. What is listed there is still what is taken.

use crate::workspace::Workspace;
use anyhow::Result;

const MANIFEST: &str = "fuzz/Cargo.toml";

/// Enough to run every seed and some thousand mutations of them, for a server that runs often.
const CI_SECONDS: &str = "2";

pub(crate) fn run(workspace: &Workspace, rest: &[String]) -> Result<()> {
    let task = ["run", "--release", "--manifest-path", MANIFEST, "--"];
    workspace.cargo(task).args(rest).run()
}

/// A short run, and what the other packages get with the workspace.
pub(crate) fn in_ci(workspace: &Workspace) -> Result<()> {
    workspace.cargo(["fmt", "--manifest-path", MANIFEST, "--", "--check"]).run()?;
    let lint = ["clippy", "--release", "--manifest-path", MANIFEST, "--", "-D", "warnings"];
    workspace.cargo(lint).run()?;
    run(workspace, &["--seconds".into(), CI_SECONDS.into()])
}
