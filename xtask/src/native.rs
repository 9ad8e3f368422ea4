//! What Rust alone cannot bring: libclang for the bindings of RocksDB, and RocksDB itself.
//!
//! ```text
//!   libclang   there?  else apt-get (as root), else the PyPI wheel in the cache
//!   archive    <cache>/rocksdb-<version>-<target>-<features>/librocksdb.a
//!                there?  else built once, 8 to 25 minutes on two cores
//!   children   get ROCKSDB_LIB_DIR and ROCKSDB_STATIC: no profile or target folder compiles C++ again
//! ```

mod archive;
mod libclang;

use crate::workspace::Workspace;
use anyhow::Result;
use std::{env, ffi::OsString};

/// Environment for every child that may compile or link RocksDB.
pub(crate) type NativeEnv = Vec<(&'static str, OsString)>;

/// Makes sure that both are there. An archive that the user names is left alone.
pub(crate) fn prepare(workspace: &Workspace) -> Result<NativeEnv> {
    let mut vars = libclang::ensure(&workspace.cache)?;
    if env::var_os("ROCKSDB_LIB_DIR").is_none() {
        let folder = archive::ensure(workspace, &vars)?;
        vars.push(("ROCKSDB_LIB_DIR", folder.into()));
        vars.push(("ROCKSDB_STATIC", "1".into()));
    }
    Ok(vars)
}
