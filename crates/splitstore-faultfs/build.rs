//! Compiles the one C++ file of this workspace against the headers that came with RocksDB.
//!
//! The definitions are those that RocksDB's own archive was compiled with: some of them change what its classes
//! look like in memory.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=src/fault_env.cc");
    let root =
        env::var_os("DEP_ROCKSDB_CARGO_MANIFEST_DIR").expect("librocksdb-sys says where its sources are");
    let sources = PathBuf::from(root).join("rocksdb");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").warnings(false).opt_level(1).debug(false);
    build.include(&sources).include(sources.join("include"));
    build.flag("-include").flag("cstdint");
    for name in
        ["HAVE_ALIGNED_NEW", "HAVE_UINT128_EXTENSION", "ROCKSDB_PLATFORM_POSIX", "ROCKSDB_LIB_IO_POSIX"]
    {
        build.define(name, None);
    }
    let system =
        if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("macos") { "OS_MACOSX" } else { "OS_LINUX" };
    build.define(system, None).define("NDEBUG", Some("1"));
    if system == "OS_LINUX" {
        for name in ["SCHED_GETCPU", "AUXV_GETAUXVAL", "FALLOCATE", "RANGESYNC"] {
            build.define(&format!("ROCKSDB_{name}_PRESENT"), None);
        }
    }
    build.file("src/fault_env.cc").compile("splitstore_fault_env");
}
