//! One process with several adapters, dying at each of its effects.

use std::path::Path;

use splitstore_conformance::sample;
use splitstore_memory::{Failing, Fuse, MemoryFiles, MemoryMeta, MemoryStore};
use splitstore_ports::{
    BlockRead, BlockReadExt, BlockWrite, BlockWriteExt, ErrorKind, FileSystem, MetaCell, MetaStore, Result,
};

struct Process {
    fuse: Fuse,
    hot: Failing<MemoryStore>,
    meta: MemoryMeta,
    files: MemoryFiles,
}

impl Process {
    fn new() -> Self {
        let fuse = Fuse::new();
        let files = MemoryFiles::with_folder(Path::new("run")).expect("a folder");
        Self {
            hot: Failing::fused(MemoryStore::hot(), fuse.clone()),
            meta: MemoryMeta::new().fused(fuse.clone()),
            files: files.fused(fuse.clone()),
            fuse,
        }
    }

    /// Writes a block, then a file, then a cell: 7 effects, each durable before the next kind begins.
    fn run(&self) -> Result<()> {
        let (cid, data) = sample::block(1);
        self.hot.put(&cid, &data)?;
        self.hot.sync()?;
        let mut file = self.files.create(Path::new("run/file"))?;
        file.write_all(b"data").map_err(|error| splitstore_ports::PortError::io("write", error))?;
        file.sync()?;
        self.files.sync_dir(Path::new("run"))?;
        self.meta.set_many(&[(MetaCell::Head, vec![1])])
    }

    /// What is there after the crash: block, file, cell.
    fn crash(&self) -> [bool; 3] {
        self.fuse.renew();
        self.hot.inner().crash();
        self.files.crash();
        [
            self.hot.has(&sample::block(1).0).expect("has"),
            self.files.open(Path::new("run/file")).expect("open").is_some(),
            self.meta.get(MetaCell::Head).expect("get").is_some(),
        ]
    }
}

#[test]
fn a_whole_fuse_counts_and_refuses_nothing() {
    let process = Process::new();
    process.run().unwrap();
    assert_eq!(process.fuse.effects(), 7);
    assert_eq!(process.crash(), [true; 3]);
}

#[test]
fn a_burnt_fuse_stops_all_adapters_at_once() {
    for effects in 0..7 {
        let process = Process::new();
        process.fuse.burn_after(effects);
        let error = process.run().unwrap_err();
        // An error of `std::io::Write` loses its kind on the way.
        let expected = if effects == 3 { ErrorKind::Unavailable } else { ErrorKind::Closed };
        assert_eq!(error.kind(), expected, "after {effects}: {error}");
        assert!(process.fuse.is_burnt());
        assert_eq!(process.fuse.effects(), effects);
        process.hot.get(&sample::block(1).0).unwrap();
        assert_eq!(process.crash(), [effects >= 2, effects >= 6, effects >= 7], "after {effects}");
    }
}
