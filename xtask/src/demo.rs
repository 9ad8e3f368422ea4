//! The demo of the command line, with the engine it asks for and no other.

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
