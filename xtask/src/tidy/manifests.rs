//! What every manifest says: lints and package fields inherited, folder and crate of one name, one test binary.

use super::{Violation, member::Member};

/// The one crate with lints of its own: the workspace forbids `unsafe`, which cannot be taken back for one place.
const UNSAFE: &str = "splitstore-faultfs";

const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];

pub(super) fn check(member: &Member) -> Vec<Violation> {
    let mut all = Vec::new();
    if member.name == UNSAFE {
        if !says(&member.text, "lints.rust", "unsafe_code=\"deny\"") {
            all.push(member.violation("unsafe_code", "does not deny `unsafe_code` but where it says why"));
        }
    } else if !says(&member.text, "lints", "workspace=true") {
        all.push(member.violation("[lints]", "does not say `[lints] workspace = true`"));
    }
    for key in INHERITED {
        let inherits = [format!("{key}.workspace=true"), format!("{key}={{workspace=true}}")];
        if !inherits.iter().any(|line| says(&member.text, "package", line)) {
            all.push(member.violation(key, format!("does not inherit `{key}` from the workspace")));
        }
    }
    let folder = member.manifest.strip_prefix("crates/").and_then(|path| path.strip_suffix("/Cargo.toml"));
    if let Some(folder) = folder.filter(|folder| *folder != member.name) {
        all.push(member.violation("name", format!("`{}` stands in the folder `{folder}`", member.name)));
    }
    let strays = member.tests.iter().filter(|path| !path.ends_with("/tests/it/main.rs"));
    all.extend(
        strays.map(|path| Violation::new(path, 1, "is a second test binary; make it a module of tests/it")),
    );
    all
}

/// Whether a section holds a line; blanks do not count.
fn says(manifest: &str, section: &str, line: &str) -> bool {
    let mut within = "";
    manifest.lines().map(str::trim).any(|text| {
        within = text.strip_prefix('[').map_or(within, |rest| rest.trim_end_matches(']'));
        within == section && text.replace(' ', "") == line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(spoil: impl FnOnce(&mut Member)) -> String {
        let mut member = Member::planted("splitstore-car", &[]);
        spoil(&mut member);
        let all: Vec<_> = check(&member).iter().map(ToString::to_string).collect();
        all.join("; ")
    }

    #[test]
    fn a_good_manifest_passes() {
        assert_eq!(said(|_| {}), "");
    }

    #[test]
    fn one_crate_may_have_lints_of_its_own_as_long_as_it_denies_unsafe() {
        let lints = |text: &str| {
            let mut member = Member::planted(UNSAFE, &[]);
            member.text = member.text.replace("[lints]\nworkspace = true", text);
            check(&member).iter().map(ToString::to_string).collect::<String>()
        };
        assert_eq!(lints("[lints.rust]\nunsafe_code = \"deny\""), "");
        assert!(lints("[lints.rust]\nunsafe_code = \"allow\"").contains("does not deny `unsafe_code`"));
    }

    #[test]
    fn each_fault_is_found_on_its_line() {
        let path = "crates/splitstore-car/Cargo.toml";
        let edition = said(|member| {
            member.text = member.text.replace("edition.workspace = true", "edition = \"2024\"");
        });
        assert_eq!(edition, format!("{path}:4: does not inherit `edition` from the workspace"));
        let lints = said(|member| member.text = member.text.replace("[lints]\nworkspace = true", ""));
        assert_eq!(lints, format!("{path}:1: does not say `[lints] workspace = true`"));
        let folder = said(|member| member.name = "car".into());
        assert_eq!(folder, format!("{path}:2: `car` stands in the folder `splitstore-car`"));
        let tests = said(|member| member.tests.push("crates/splitstore-car/tests/reader.rs".into()));
        assert!(
            tests.starts_with("crates/splitstore-car/tests/reader.rs:1: is a second test binary"),
            "{tests}"
        );
    }
}
