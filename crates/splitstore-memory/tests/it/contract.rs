//! Every adapter and every idle decorator against the suites.
//!
//! Each open is a crash first: what the suites find after reopening is what was durable, and nothing else.

use splitstore_conformance::{
    Caps, Exclusive, Fixture, Persistent, cold_store, file_system, hot_store, meta_store,
};
use splitstore_memory::{Failing, MemoryCold, MemoryFiles, MemoryMeta, MemoryStore, Recording};
use splitstore_ports::Result;

const CAPS: Caps = Caps { persistent: Persistent::Yes, exclusive: Exclusive::No };

struct Shared<T, S> {
    place: T,
    open: fn(&T) -> S,
}

impl<T, S> Fixture for Shared<T, S> {
    type Store = S;

    fn open(&self) -> Result<S> {
        Ok((self.open)(&self.place))
    }

    fn caps(&self) -> Caps {
        CAPS
    }
}

fn over<S>(open: fn(&MemoryStore) -> S) -> Shared<MemoryStore, S> {
    Shared { place: MemoryStore::new(), open }
}

fn crashed(store: &MemoryStore) -> MemoryStore {
    store.crash();
    store.clone()
}

hot_store!(memory_hot, || over(crashed));
hot_store!(failing_hot, || over(|store| Failing::new(crashed(store))));
hot_store!(recording_hot, || over(|store| Recording::new(crashed(store))));

cold_store!(memory_cold, || over(|store| MemoryCold::new(crashed(store))));
cold_store!(failing_cold, || over(|store| Failing::new(MemoryCold::new(crashed(store)))));
cold_store!(recording_cold, || over(|store| Recording::new(MemoryCold::new(crashed(store)))));

meta_store!(memory_meta, || Shared { place: MemoryMeta::new(), open: MemoryMeta::clone });
file_system!(memory_files, MemoryFiles::new);

splitstore_conformance::clock!(memory_clock, splitstore_memory::MemoryClock::new);
