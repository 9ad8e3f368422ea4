//! Clauses of `FileSystem` and `FileWrite`. Durability needs a crash, so it is tested where one can be played.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use splitstore_ports::FileSystem;
use tempfile::TempDir;

/// A temporary folder, made through the file system under test.
struct Root(TempDir);

impl Root {
    fn in_files(files: &dyn FileSystem) -> Self {
        let root = Self(tempfile::tempdir().expect("a temporary folder"));
        files.create_dir(root.0.path()).expect("create a folder that may be there");
        root
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// "The file, reading from its start": what was written, from the moment it was written.
pub fn what_was_written_is_read(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    let path = root.path("file");
    let mut file = files.create(&path).expect("create");
    assert_eq!(read(files, &path), Some(Vec::new()), "a new file is empty");
    file.write_all(b"one ").expect("write");
    file.write_all(b"two").expect("write");
    file.sync().expect("sync");
    assert_eq!(read(files, &path), Some(b"one two".to_vec()));
    let large = vec![0x5a; 1 << 20];
    file.write_all(&large).expect("write");
    file.sync().expect("sync");
    drop(file);
    assert_eq!(read(files, &path).map(|data| data.len()), Some(7 + large.len()));
    files.sync_dir(root.folder()).expect("sync the folder");
}

/// "Reading a file that is not there is `Ok(None)`."
pub fn a_file_that_is_not_there_is_none(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    assert_eq!(read(files, &root.path("none")), None);
    assert_eq!(read(files, &root.path("no-folder/none")), None);
}

/// `create`: "a new empty file, replacing what was there".
pub fn create_replaces_what_was_there(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    let path = root.path("file");
    write(files, &path, b"long before");
    write(files, &path, b"short");
    assert_eq!(read(files, &path), Some(b"short".to_vec()));
}

/// As POSIX: a file in a folder that is not there cannot be created.
pub fn a_file_needs_its_folder(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    assert!(files.create(&root.path("none/file")).is_err());
    assert!(files.append(&root.path("none/file")).is_err());
}

/// `append`: "the file, writing from its end on; created if it is not there".
pub fn append_goes_on_at_the_end(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    let path = root.path("journal");
    for part in ["one ", "two ", "three"] {
        let mut file = files.append(&path).expect("append");
        file.write_all(part.as_bytes()).expect("write");
        file.sync().expect("sync");
    }
    assert_eq!(read(files, &path), Some(b"one two three".to_vec()));
}

/// `truncate`: "cuts the file to `len` bytes"; appending goes on from there.
pub fn truncate_cuts_the_tail(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    let path = root.path("journal");
    write(files, &path, b"whole torn");
    files.truncate(&path, 6).expect("truncate");
    assert_eq!(read(files, &path), Some(b"whole ".to_vec()));
    files.append(&path).expect("append").write_all(b"next").expect("write");
    assert_eq!(read(files, &path), Some(b"whole next".to_vec()));
    files.truncate(&path, 0).expect("truncate");
    assert_eq!(read(files, &path), Some(Vec::new()));
    assert!(files.truncate(&root.path("none"), 0).is_err(), "nothing to cut");
}

/// "`rename` replaces its target at once."
pub fn rename_replaces_its_target(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    let (new, old) = (root.path("new"), root.path("old"));
    write(files, &new, b"new");
    write(files, &old, b"old");
    files.rename(&new, &old).expect("rename");
    assert_eq!(read(files, &old), Some(b"new".to_vec()));
    assert_eq!(read(files, &new), None);
    assert_eq!(files.list(root.folder()).expect("list"), ["old"]);
    assert!(files.rename(&new, &old).is_err(), "there is nothing to rename any more");
    assert_eq!(read(files, &old), Some(b"new".to_vec()));
}

/// `rename`: "moves a file or folder", the folder with all it holds.
pub fn rename_moves_a_folder_with_its_files(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    files.create_dir(&root.path("run/inner")).expect("create folders");
    write(files, &root.path("run/inner/marks"), b"marks");
    write(files, &root.path("run/journal"), b"journal");
    files.rename(&root.path("run"), &root.path("old")).expect("rename");
    assert_eq!(read(files, &root.path("old/inner/marks")), Some(b"marks".to_vec()));
    assert_eq!(read(files, &root.path("old/journal")), Some(b"journal".to_vec()));
    assert_eq!(files.list(root.folder()).expect("list"), ["old"]);
    assert_eq!(files.list(&root.path("run")).expect("list"), [""; 0]);
}

/// "Removing what is not there is no error."
pub fn removing_what_is_not_there_is_no_error(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    let path = root.path("file");
    write(files, &path, b"data");
    for _ in 0..2 {
        files.remove(&path).expect("remove");
        assert_eq!(read(files, &path), None);
        files.remove_dir(&root.path("folder")).expect("remove a folder");
        files.remove(&root.path("folder/file")).expect("remove from no folder");
    }
}

/// `remove_dir`: "removes a folder with all it holds", and nothing beside it.
pub fn remove_dir_removes_all_it_holds(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    files.create_dir(&root.path("run/inner")).expect("create folders");
    files.create_dir(&root.path("running")).expect("create a folder");
    write(files, &root.path("run/inner/marks"), b"marks");
    write(files, &root.path("running/kept"), b"kept");
    files.remove_dir(&root.path("run")).expect("remove");
    assert_eq!(read(files, &root.path("run/inner/marks")), None);
    assert_eq!(read(files, &root.path("running/kept")), Some(b"kept".to_vec()));
    assert_eq!(files.list(root.folder()).expect("list"), ["running"]);
}

/// `create_dir`: "makes a folder and those above it"; one that is there stays as it is.
pub fn create_dir_makes_those_above_it(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    let deep = root.path("a/b/c");
    files.create_dir(&deep).expect("create");
    write(files, &deep.join("file"), b"data");
    files.create_dir(&deep).expect("create again");
    assert_eq!(read(files, &deep.join("file")), Some(b"data".to_vec()));
    assert_eq!(files.list(&root.path("a")).expect("list"), ["b"]);
}

/// `list`: "the names in a folder, sorted; none if it is not there".
pub fn names_are_listed_sorted(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    for name in ["b", "a", "10", "2"] {
        write(files, &root.path(name), b"x");
    }
    files.create_dir(&root.path("folder/deeper")).expect("create a folder");
    assert_eq!(files.list(root.folder()).expect("list"), ["10", "2", "a", "b", "folder"]);
    assert_eq!(files.list(&root.path("none")).expect("list"), [""; 0]);
}

/// "Free bytes on the disk that holds `path`; `None` where that cannot be told."
pub fn free_space_is_told_or_none(files: &dyn FileSystem) {
    let root = Root::in_files(files);
    if let Some(free) = files.free_space(root.folder()).expect("free space") {
        assert!(free.0 > 0, "the tests run on a disk that is not full");
    }
}

fn write(files: &dyn FileSystem, path: &Path, data: &[u8]) {
    let mut file = files.create(path).expect("create");
    file.write_all(data).expect("write");
    file.sync().expect("sync");
}

fn read(files: &dyn FileSystem, path: &Path) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    files.open(path).expect("open")?.read_to_end(&mut data).expect("read");
    Some(data)
}
