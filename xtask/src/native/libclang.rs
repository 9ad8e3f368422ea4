//! libclang, which bindgen loads to read RocksDB's C header.
//!
//! The library alone is not enough: it looks for its own `stddef.h`. A development package brings it,
//! the runtime package and the `PyPI` wheel do not; then gcc's headers do.

use super::NativeEnv;
use crate::process::Task;
use anyhow::{Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const WHEEL: &str = "libclang==18.1.1";

/// Where bindgen looks by itself; a `*` stands for any part of one name.
const PLACES: &[&str] = &[
    "/usr/lib/llvm-*/lib",
    "/usr/lib/*-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/Library/Developer/CommandLineTools/usr/lib",
    "/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib",
];

const HEADERS: &[&str] =
    &["/usr/lib/llvm-*/lib/clang/*/include", "/usr/lib64/clang/*/include", "/usr/lib/clang/*/include"];

/// The variables that bindgen needs to find libclang and its headers.
pub(super) fn ensure(cache: &Path) -> Result<NativeEnv> {
    let wheel = cache.join("libclang");
    if let Some(vars) = detect(&wheel) {
        return Ok(vars);
    }
    eprintln!("libclang is missing; bindgen needs it to read RocksDB's header.");
    if let Err(error) = apt() {
        eprintln!("apt-get: {error:#}");
    }
    if let Some(vars) = detect(&wheel) {
        return Ok(vars);
    }
    if let Err(error) = pip(&wheel) {
        eprintln!("pip: {error:#}");
    }
    match detect(&wheel) {
        Some(vars) => Ok(vars),
        None => bail!(
            "libclang could not be installed; run `sudo apt-get install -y libclang-dev`, \
             or set LIBCLANG_PATH to the folder of a libclang.so, and try again"
        ),
    }
}

fn detect(wheel: &Path) -> Option<NativeEnv> {
    if env::var_os("LIBCLANG_PATH").is_some() {
        return Some(headers(NativeEnv::new(), HEADERS));
    }
    if PLACES.iter().flat_map(|place| expand(place)).any(|folder| holds_libclang(&folder)) {
        return Some(headers(NativeEnv::new(), HEADERS));
    }
    if let Some(folder) = ldconfig() {
        return Some(headers(vec![("LIBCLANG_PATH", folder.into())], HEADERS));
    }
    let folder = wheel.join("clang").join("native");
    // The wheel has no headers, and those of another clang are not where it looks.
    holds_libclang(&folder).then(|| headers(vec![("LIBCLANG_PATH", folder.into())], &[]))
}

/// Adds gcc's headers unless clang's own are in one of `places` or the user said better.
fn headers(mut vars: NativeEnv, places: &[&str]) -> NativeEnv {
    let own = places.iter().flat_map(|place| expand(place)).any(|folder| folder.join("stddef.h").is_file());
    if !own
        && cfg!(target_os = "linux")
        && env::var_os("BINDGEN_EXTRA_CLANG_ARGS").is_none()
        && let Some(include) = said("gcc", &["-print-file-name=include"])
    {
        vars.push(("BINDGEN_EXTRA_CLANG_ARGS", format!("-I{include}").into()));
    }
    vars
}

fn apt() -> Result<()> {
    if said("id", &["-u"]).as_deref() != Some("0") || said("apt-get", &["--version"]).is_none() {
        bail!("only with root and on Debian or Ubuntu");
    }
    let apt = |args: &[&str]| {
        Task::new("apt-get", "apt-get").args(args).quiet_env("DEBIAN_FRONTEND", "noninteractive").run()
    };
    apt(&["update"])?;
    apt(&["install", "-y", "--no-install-recommends", "libclang-dev"])
}

fn pip(wheel: &Path) -> Result<()> {
    let target = wheel.to_string_lossy();
    Task::new("python3", "python3").args(["-m", "pip", "install", "--target", &target, WHEEL]).run()
}

/// Folders that match a pattern in which a `*` stands for any part of one name.
fn expand(pattern: &str) -> Vec<PathBuf> {
    pattern.split('/').skip(1).fold(vec![PathBuf::from("/")], |folders, part| match part.split_once('*') {
        None => folders.iter().map(|folder| folder.join(part)).collect(),
        Some((start, end)) => folders.iter().flat_map(|folder| children(folder, start, end)).collect(),
    })
}

fn children(folder: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| name.starts_with(start) && name.ends_with(end))
        })
        .map(|entry| entry.path())
        .collect()
}

fn holds_libclang(folder: &Path) -> bool {
    children(folder, "libclang", "").iter().any(|path| path.is_file() && is_libclang(path))
}

/// `libclang.so`, `libclang.so.1`, `libclang-14.so.1`, `libclang.dylib`; not `libclang-cpp.so.14`.
fn is_libclang(path: &Path) -> bool {
    let Some(rest) = path.file_name().and_then(|name| name.to_str()?.strip_prefix("libclang")) else {
        return false;
    };
    let version = rest.trim_start_matches(|c: char| c == '-' || c == '.' || c.is_ascii_digit());
    version.starts_with("so") || version == "dylib"
}

/// The folder of a libclang that only the dynamic linker knows.
fn ldconfig() -> Option<PathBuf> {
    let known = said("ldconfig", &["-p"])?;
    let mut paths = known.lines().filter_map(|line| line.split_once("=> ")).map(|(_, path)| Path::new(path));
    paths.find(|path| is_libclang(path) && path.is_file())?.parent().map(Path::to_path_buf)
}

/// What a program says on one call, if it is there and content.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libclang_is_told_from_its_neighbours() {
        for name in
            ["libclang.so", "libclang-14.so.13", "libclang.so.18.1", "libclang-18.1.8.so", "libclang.dylib"]
        {
            assert!(is_libclang(Path::new(name)), "{name}");
        }
        for name in ["libclang-cpp.so.14", "libclang.a", "libclang", "libclangAST.a", "libc.so"] {
            assert!(!is_libclang(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_star_stands_for_part_of_one_name() {
        let here = format!("{}/s*c/native", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(expand(&here), [Path::new(env!("CARGO_MANIFEST_DIR")).join("src/native")]);
        assert!(expand("/nowhere-*/lib").is_empty());
    }

    #[test]
    fn headers_of_gcc_stand_in_only_where_clang_has_none() {
        let folder = env::temp_dir().join(format!("xtask-headers-{}", std::process::id()));
        let pattern = folder.join("clang/*/include");
        let places = [pattern.to_str().unwrap()];
        let without = headers(NativeEnv::new(), &places);
        fs::create_dir_all(folder.join("clang/14/include")).unwrap();
        fs::write(folder.join("clang/14/include/stddef.h"), "").unwrap();
        let with = headers(NativeEnv::new(), &places);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(with, []);
        let gcc = said("gcc", &["--version"]).is_some() && env::var_os("BINDGEN_EXTRA_CLANG_ARGS").is_none();
        assert_eq!(without.len(), usize::from(gcc && cfg!(target_os = "linux")));
    }
}
