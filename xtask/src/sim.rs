//! Many seeds of the simulator, or one told in full. No C++ in it.

use crate::workspace::Workspace;
use anyhow::Result;

pub(crate) fn run(workspace: &Workspace, rest: &[String]) -> Result<()> {
    workspace.cargo(["run", "--locked", "-p", "splitstore-simulation", "--bin", "sim", "--"]).args(rest).run()
}
