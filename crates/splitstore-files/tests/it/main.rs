//! The file system of this machine against the contract; its lock, its clock and its permissions.

use std::fs;
use std::path::Path;
use std::process::Command;

use splitstore_conformance::{clock, file_system};
use splitstore_files::{OsFiles, StoreLock, SystemClock};
use splitstore_ports::{Clock, ErrorKind, FileSystem};

file_system!(os_files, OsFiles::new);
clock!(system_clock, SystemClock::new);

#[test]
fn the_second_lock_is_refused_and_names_path_and_holder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = StoreLock::acquire(&path).unwrap();
    assert_eq!(lock.path(), path);
    let error = StoreLock::acquire(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.attempt().contains(path.to_str().unwrap()), "{error}");
    if cfg!(unix) {
        let holder = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(holder, format!("held by process {}", std::process::id()));
    }
}

#[test]
fn a_dropped_lock_can_be_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    for _ in 0..3 {
        drop(StoreLock::acquire(&path).unwrap());
    }
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), std::process::id().to_string());
}

#[test]
fn a_lock_file_left_behind_locks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    fs::write(&path, "4194304 and a longer text than any pid\n").unwrap();
    let lock = StoreLock::acquire(&path).unwrap();
    assert_eq!(fs::read_to_string(lock.path()).unwrap(), format!("{}\n", std::process::id()));
}

#[test]
fn a_lock_needs_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let error = StoreLock::acquire(&folder.path().join("none/lock")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_or_no_file_is_refused_and_nothing_is_written_through_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("letter"), "dear").unwrap();
    std::os::unix::fs::symlink(at("letter"), at("link")).unwrap();
    std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    for (name, why) in [
        ("link", "symbolic link"),
        ("dangling", "symbolic link"),
        ("socket", "no regular file"),
        ("folder", "no regular file"),
    ] {
        let error = StoreLock::acquire(&at(name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
        assert!(error.attempt().contains(at(name).to_str().unwrap()), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(why), "{name}: {cause}");
    }
    assert_eq!(fs::read(at("letter")).unwrap(), b"dear");
    assert!(!at("nowhere").exists());
}

/// With a file name in this variable, the test below is the other process.
const CHILD: &str = "SPLITSTORE_TEST_LOCK";

#[test]
fn another_process_is_locked_out() {
    if let Some(path) = std::env::var_os(CHILD) {
        let refused = StoreLock::acquire(Path::new(&path)).err().map(|error| error.kind());
        assert_eq!(refused, Some(ErrorKind::Locked));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let _lock = StoreLock::acquire(&path).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_is_locked_out"])
        .env(CHILD, &path)
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    assert!(String::from_utf8_lossy(&status.stdout).contains("1 passed"));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_open_what_was_made() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("store/run");
    OsFiles.create_dir(&deep).unwrap();
    drop(OsFiles.create(&deep.join("created")).unwrap());
    drop(OsFiles.append(&deep.join("appended")).unwrap());
    let _lock = StoreLock::acquire(&deep.join("lock")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for made in [&deep, deep.parent().unwrap()] {
        assert_eq!(mode(made), 0o700, "{}", made.display());
    }
    for name in ["created", "appended", "lock"] {
        assert_eq!(mode(&deep.join(name)), 0o600, "{name}");
    }
}

#[test]
fn errors_name_what_was_attempted_and_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/file");
    let error = OsFiles.create(&path).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.attempt(), format!("create {}", path.display()));
    assert!(OsFiles.sync_dir(&folder.path().join("none")).is_err());
    assert!(OsFiles.free_space(&folder.path().join("none")).is_err());
}

#[test]
fn a_cut_never_grows_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    fs::write(&path, b"four").unwrap();
    assert!(OsFiles.truncate(&path, 5).is_err());
    OsFiles.truncate(&path, 4).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"four");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_no_name_of_ours() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff")), b"").unwrap();
    assert_eq!(OsFiles.list(folder.path()).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn free_space_of_this_disk_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(OsFiles.free_space(folder.path()).unwrap().is_some());
}

#[test]
fn the_clock_begins_at_zero_and_never_goes_back() {
    let clock = SystemClock::new();
    let mut last = clock.elapsed();
    assert!(last.as_secs() < 60);
    for _ in 0..1000 {
        let now = clock.elapsed();
        assert!(now >= last);
        last = now;
    }
    assert!(SystemClock::default().unix_seconds() > 1_700_000_000, "it is later than November 2023");
}

/// Of a thread, which hands it on: the rest of the process is as it was.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_stands_back_is_behind_others_with_all_that_it_starts() {
    let nice = || rustix::process::getpriority_process(None).unwrap();
    let before = nice();
    let (own, started) = std::thread::spawn(move || {
        SystemClock::new().stand_back();
        (nice(), std::thread::spawn(nice).join().unwrap())
    })
    .join()
    .unwrap();
    assert_eq!((own, started), (before.max(5), before.max(5)));
    assert_eq!(nice(), before);
}
