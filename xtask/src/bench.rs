//! The criterion benches. A small run is for a look: less data and criterion's short schedule.

use crate::{args::Size, native, workspace::Workspace};
use anyhow::Result;

pub(crate) fn run(workspace: &Workspace, size: Size, rest: &[String]) -> Result<()> {
    let vars = native::prepare(workspace)?;
    let mut task =
        workspace.cargo(["bench", "--locked", "-p", "splitstore-benches", "--bench", "*", "--"]).envs(&vars);
    if size == Size::Small {
        task = task.args(["--quick"]).env("SPLITSTORE_BENCH_SIZE", "small");
    }
    task.args(rest).run()
}
