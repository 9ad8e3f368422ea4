//! What a crash takes from files, and what it leaves.

use std::io::Read;
use std::path::Path;

use splitstore_domain::ByteCount;
use splitstore_memory::{Kept, MemoryFiles};
use splitstore_ports::{FileSystem, FileWrite};

fn in_run() -> MemoryFiles {
    MemoryFiles::with_folder(Path::new("run")).expect("a folder")
}

fn write(files: &MemoryFiles, path: &str, data: &[u8]) -> Box<dyn FileWrite> {
    let mut file = files.append(Path::new(path)).expect("append");
    file.write_all(data).expect("write");
    file
}

fn read(files: &MemoryFiles, path: &str) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    files.open(Path::new(path)).expect("open")?.read_to_end(&mut data).expect("read");
    Some(data)
}

#[test]
fn a_name_needs_its_folder_synced_and_data_needs_its_file_synced() {
    let files = in_run();
    write(&files, "run/both", b"both").sync().unwrap();
    write(&files, "run/name", b"name");
    files.sync_dir(Path::new("run")).unwrap();
    write(&files, "run/data", b"data").sync().unwrap();
    files.crash();
    assert_eq!(read(&files, "run/both"), Some(b"both".to_vec()));
    assert_eq!(read(&files, "run/name"), Some(Vec::new()), "a name without data");
    assert_eq!(read(&files, "run/data"), None, "data without a name");
}

#[test]
fn a_crash_may_keep_either_without_the_other() {
    let cut = |kept| {
        let files = in_run();
        write(&files, "run/old", b"synced").sync().unwrap();
        files.sync_dir(Path::new("run")).unwrap();
        write(&files, "run/old", b" tail");
        write(&files, "run/new", b"new");
        files.crash_keeping(kept);
        (read(&files, "run/old"), read(&files, "run/new"))
    };
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(cut(Kept::Nothing), (bytes("synced"), None));
    assert_eq!(cut(Kept::Names), (bytes("synced"), bytes("")));
    assert_eq!(cut(Kept::Data), (bytes("synced tail"), None));
    assert_eq!(cut(Kept::Tail(2)), (bytes("synced t"), bytes("ne")));
    assert_eq!(cut(Kept::Zeros(2)), (bytes("synced\0\0"), bytes("\0\0")));
}

#[test]
fn each_file_may_have_a_fate_of_its_own_and_a_fork_has_none_of_it() {
    let files = in_run();
    files.sync_dir(Path::new("run")).unwrap();
    for name in ["run/a", "run/b"] {
        write(&files, name, b"synced").sync().unwrap();
        files.sync_dir(Path::new("run")).unwrap();
        write(&files, name, b" tail");
    }
    let fork = files.fork();
    let mut fates = [Kept::Data, Kept::Data, Kept::Data, Kept::Nothing].into_iter();
    files.crash_choosing(|| fates.next().unwrap());
    let both = |files| (read(files, "run/a").unwrap(), read(files, "run/b").unwrap());
    assert_eq!(both(&files), (b"synced tail".to_vec(), b"synced".to_vec()));
    assert_eq!(both(&fork), (b"synced tail".to_vec(), b"synced tail".to_vec()));
}

#[test]
fn a_rename_that_was_not_synced_is_undone() {
    let files = in_run();
    write(&files, "run/new", b"new").sync().unwrap();
    write(&files, "run/old", b"old").sync().unwrap();
    files.sync_dir(Path::new("run")).unwrap();
    files.rename(Path::new("run/new"), Path::new("run/old")).unwrap();
    files.crash();
    assert_eq!(
        (read(&files, "run/new"), read(&files, "run/old")),
        (Some(b"new".to_vec()), Some(b"old".to_vec()))
    );
    files.rename(Path::new("run/new"), Path::new("run/old")).unwrap();
    files.sync_dir(Path::new("run")).unwrap();
    files.crash();
    assert_eq!((read(&files, "run/new"), read(&files, "run/old")), (None, Some(b"new".to_vec())));
}

#[test]
fn a_removal_that_was_not_synced_is_undone() {
    let files = in_run();
    write(&files, "run/file", b"data").sync().unwrap();
    files.sync_dir(Path::new("run")).unwrap();
    files.remove(Path::new("run/file")).unwrap();
    files.remove_dir(Path::new("run")).unwrap();
    files.crash();
    assert_eq!(read(&files, "run/file"), Some(b"data".to_vec()));
}

#[test]
fn a_renamed_folder_takes_along_what_was_durable_in_it() {
    let files = in_run();
    write(&files, "run/kept", b"kept").sync().unwrap();
    files.sync_dir(Path::new("run")).unwrap();
    write(&files, "run/lost", b"lost").sync().unwrap();
    files.rename(Path::new("run"), Path::new("old")).unwrap();
    files.sync_dir(Path::new("")).unwrap();
    files.crash();
    assert_eq!(files.list(Path::new("")).unwrap(), ["old"]);
    assert_eq!(files.list(Path::new("old")).unwrap(), ["kept"]);
    assert_eq!(read(&files, "old/kept"), Some(b"kept".to_vec()));
}

#[test]
fn creating_a_file_anew_gives_up_its_old_data_at_once() {
    let files = in_run();
    write(&files, "run/file", b"old").sync().unwrap();
    files.sync_dir(Path::new("run")).unwrap();
    drop(files.create(Path::new("run/file")).unwrap());
    files.crash();
    assert_eq!(read(&files, "run/file"), Some(Vec::new()));
}

#[test]
fn a_truncated_tail_stays_away() {
    let files = in_run();
    write(&files, "run/journal", b"whole torn").sync().unwrap();
    files.sync_dir(Path::new("run")).unwrap();
    files.truncate(Path::new("run/journal"), 5).unwrap();
    assert!(files.truncate(Path::new("run/journal"), 6).is_err(), "a cut never grows a file");
    files.crash();
    assert_eq!(read(&files, "run/journal"), Some(b"whole".to_vec()));
}

#[test]
fn a_file_open_at_a_crash_takes_no_more_writes() {
    let files = in_run();
    let mut file = write(&files, "run/file", b"before");
    files.sync_dir(Path::new("run")).unwrap();
    files.crash();
    assert!(file.write_all(b"after").is_err());
    assert!(file.sync().is_err());
    assert_eq!(read(&files, "run/file"), Some(Vec::new()));
}

#[test]
fn impossible_moves_are_refused() {
    let files = in_run();
    files.create_dir(Path::new("run/full/inner")).unwrap();
    files.create_dir(Path::new("run/empty")).unwrap();
    write(&files, "run/file", b"data");
    let rename = |from: &str, to: &str| files.rename(Path::new(from), Path::new(to));
    assert!(rename("run", "run/full/run").is_err(), "into itself");
    assert!(rename("run/empty", "run/full").is_err(), "onto a folder with files");
    assert!(rename("run/file", "run/empty").is_err(), "a file onto a folder");
    assert!(rename("run/empty", "run/file").is_err(), "a folder onto a file");
    assert!(files.remove(Path::new("run/full")).is_err(), "a folder is no file");
    assert!(files.create(Path::new("run/../file")).is_err(), "a path with ..");
    rename("run/full", "run/empty").unwrap();
    assert_eq!(files.list(Path::new("run")).unwrap(), ["empty", "file"]);
}

#[test]
fn free_space_is_what_the_test_says() {
    let files = in_run();
    assert_eq!(files.free_space(Path::new("run")).unwrap(), None);
    files.set_free_space(Some(ByteCount(4096)));
    assert_eq!(files.clone().free_space(Path::new("run")).unwrap(), Some(ByteCount(4096)));
}
