//! The contract of the ports, and what fjall adds to it: places, processes, damage, space.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod damage;
mod places;
mod sample;
mod space;

use splitstore_conformance::{InFolder, hot_place, hot_store};
use splitstore_fjall::{Compression, FjallHot, FjallOptions};

hot_store!(fjall, || InFolder::new(|path| FjallHot::open(path, FjallOptions::default())));
hot_store!(fjall_lz4, || {
    let options = FjallOptions { compression: Compression::Lz4, ..FjallOptions::default() };
    InFolder::new(move |path| FjallHot::open(path, options))
});

hot_place!(fjall_place, || InFolder::new(|path| FjallHot::open(path, FjallOptions::default())));
