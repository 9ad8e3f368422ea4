//! A seeded chain, written to a file.

use crate::workspace::Workspace;
use anyhow::Result;

pub(crate) fn run(workspace: &Workspace, rest: &[String]) -> Result<()> {
    workspace
        .cargo(["run", "--locked", "-p", "splitstore-fixtures", "--bin", "generate", "--"])
        .args(rest)
        .run()
}
