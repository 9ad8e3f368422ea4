// An environment of RocksDB whose files hold in memory what was not synced: RocksDB's own fault injection,
// switched on. A process that is killed takes it along, as a power cut takes what the kernel had not written.
#include <memory>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "utilities/fault_injection_fs.h"

// As in RocksDB's db/c.cc, which does not export it: what its C interface passes about as an environment.
struct rocksdb_env_t {
  rocksdb::Env* rep;
  bool is_default;
};

// A new environment, to be destroyed by rocksdb_env_destroy.
extern "C" rocksdb_env_t* splitstore_forgetful_env() {
  auto files = std::make_shared<rocksdb::FaultInjectionTestFS>(
      rocksdb::FileSystem::Default());
  files->SetInjectUnsyncedDataLoss(true);
  auto* env = new rocksdb_env_t;
  env->rep = rocksdb::NewCompositeEnv(files).release();
  env->is_default = false;
  return env;
}
