//! The command line: its demo, with the engine that it asks for and no other, and whatever else it does.

use crate::{
    args::Hot,
    native::{self, NativeEnv},
    workspace::Workspace,
};
use anyhow::Result;

pub(crate) fn run(workspace: &Workspace, hot: Hot, rest: &[String]) -> Result<()> {
    // With fjall there is no C++ at all: nothing to install, nothing to wait for.
    let (features, vars): (&[&str], _) = match hot {
        Hot::Rocksdb => (&[], native::prepare(workspace)?),
        Hot::Fjall => (&["--no-default-features", "--features", "fjall"], NativeEnv::new()),
    };
    workspace
        .cargo(["run", "--locked", "-p", "splitstore-cli"])
        .args(features)
        .args(["--bin", "splitstore", "--", "demo"])
        .args(rest)
        .envs(&vars)
        .run()
}

/// `splitstore ARGS`, as one would install it, on the RocksDB that is kept.
pub(crate) fn tool(workspace: &Workspace, args: &[String]) -> Result<()> {
    workspace
        .cargo(["run", "--release", "--locked", "-p", "splitstore-cli", "--bin", "splitstore", "--"])
        .args(args)
        .envs(&native::prepare(workspace)?)
        .run()
}
