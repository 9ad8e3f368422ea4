//! RocksDB's disk: its own fault-injection file system, reached through one C++ function.

use rocksdb::Env;

#[expect(unsafe_code, reason = "declares the one function of fault_env.cc")]
mod native {
    unsafe extern "C" {
        pub(super) fn splitstore_forgetful_env() -> *mut librocksdb_sys::rocksdb_env_t;
    }
}

/// An environment in which what was not synced is held in memory: it is gone when the process is killed, and
/// also when a file is closed without a sync.
///
/// Data is what it forgets. Names are made and removed at once, as RocksDB can play their loss only in a process
/// that lives on.
#[expect(unsafe_code, reason = "the bindings hold no safe way to an environment that is not their own")]
pub fn forgetful_env() -> Env {
    // SAFETY: the function takes nothing and returns a new environment that nobody else knows.
    let env = unsafe { native::splitstore_forgetful_env() };
    // SAFETY: `env` is valid, made as RocksDB's C interface makes its own, and owned by nobody; `Env` destroys it
    // once, by `rocksdb_env_destroy`.
    unsafe { Env::from_raw(env) }
}
