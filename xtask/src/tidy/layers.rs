//! Who may depend on whom.
//!
//! ```text
//!   cli -> splitstore (facade) -> orchestrator -> ports -> domain
//!            |-> adapters: memory files marksets redb fjall rocksdb -> ports
//!            '-> filecoin -> car, ports                               (an arrow includes all to its right)
//!   stress -> facade, faultfs -> files -> ports                        faultfs alone may say `unsafe`
//! ```
//! Tests may use what they like, but no adapter is tested through what is built upon it.

use super::{
    Violation,
    member::{Kind, Member},
};

/// A crate and the workspace crates that it may need, tests apart.
type Layer = (&'static str, &'static [&'static str]);

const DOMAIN: &str = "splitstore-domain";
const ADAPTER: &[&str] = &[DOMAIN, "splitstore-ports"];
const ADAPTERS: &[&str] = &[
    "splitstore-memory",
    "splitstore-files",
    "splitstore-rocksdb",
    "splitstore-fjall",
    "splitstore-redb",
    "splitstore-marksets",
];

const LAYERS: &[Layer] = &[
    (DOMAIN, &[]),
    ("splitstore-ports", &[DOMAIN]),
    ("segment-compaction", &[]),
    ("splitstore-conformance", ADAPTER),
    ("splitstore-car", &[DOMAIN]),
    ("splitstore-filecoin", &[DOMAIN, "splitstore-ports", "splitstore-car"]),
    ("splitstore-orchestrator", ADAPTER),
    ("splitstore", BELOW_FACADE),
    ("splitstore-cli", &["splitstore", "splitstore-fixtures"]),
    ("splitstore-stress", &["splitstore", "splitstore-fixtures", "splitstore-faultfs"]),
    ("splitstore-faultfs", &["splitstore-ports", "splitstore-files"]),
    ("splitstore-fixtures", &[DOMAIN, "splitstore-car", "splitstore-filecoin"]),
    ("splitstore-simulation", SIMULATED),
    // The orchestrator's own source, compiled under loom.
    ("splitstore-model", ADAPTER),
    ("tsm", &["segment-compaction"]),
    ("tsm-cli", &["tsm", "segment-compaction"]),
    ("xtask", &[]),
];

/// What a simulation composes: the orchestrator and adapters in memory.
const SIMULATED: &[&str] =
    &[DOMAIN, "splitstore-ports", "splitstore-memory", "splitstore-marksets", "splitstore-orchestrator"];

const BELOW_FACADE: &[&str] = &[
    DOMAIN,
    "splitstore-ports",
    "splitstore-conformance",
    "splitstore-memory",
    "splitstore-files",
    "splitstore-rocksdb",
    "splitstore-fjall",
    "splitstore-redb",
    "splitstore-marksets",
    "splitstore-car",
    "splitstore-filecoin",
    "splitstore-orchestrator",
];

/// May need anything: it compares everything.
const FREE: &str = "splitstore-benches";

/// What no adapter may even be tested with.
const ABOVE_ADAPTERS: &[&str] = &["splitstore-orchestrator", "splitstore", "splitstore-cli"];

/// All that the domain may need from outside.
const OF_DOMAIN: &[&str] = &["blake2b_simd", "cid", "multihash", "serde", "sha2", "thiserror"];

/// Packages from outside that only some crates may name.
const OWNERS: &[Layer] = &[
    ("rocksdb", &["splitstore-rocksdb", "splitstore-faultfs", FREE]),
    ("librocksdb-sys", &["splitstore-faultfs"]),
    ("redb", &["splitstore-redb", "splitstore-faultfs", FREE]),
    ("fjall", &["splitstore-fjall", FREE]),
    ("loom", &["splitstore-model"]),
    ("anyhow", &["splitstore-cli", "splitstore-stress", "tsm-cli", "xtask", FREE, "splitstore-fixtures"]),
];

pub(super) fn check(members: &[Member]) -> Vec<Violation> {
    let inside = |name: &str| members.iter().any(|member| member.name == name);
    members.iter().flat_map(|member| of_member(member, inside)).collect()
}

fn of_member(member: &Member, inside: impl Fn(&str) -> bool) -> Vec<Violation> {
    if member.name == FREE {
        return Vec::new();
    }
    let Some(allowed) = allowed(&member.name) else {
        return vec![
            member.violation("name", format!("`{}` is in no layer: add it to tidy/layers.rs", member.name)),
        ];
    };
    let broken = |(needs, kind): &(String, Kind)| {
        let what = match (inside(needs), *kind) {
            (true, Kind::Development) => tested_from_above(&member.name, needs),
            (true, _) => (!allowed.contains(&needs.as_str())).then(|| {
                format!("`{}` may not depend on `{needs}`, only on {}", member.name, listed(allowed))
            }),
            (false, kind) => from_outside(&member.name, needs, kind),
        };
        what.map(|what| member.violation(needs, what))
    };
    member.dependencies.iter().filter_map(broken).collect()
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    let layer = LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, allowed)| *allowed);
    layer.or_else(|| ADAPTERS.contains(&name).then_some(ADAPTER))
}

fn tested_from_above(name: &str, needs: &str) -> Option<String> {
    (ADAPTERS.contains(&name) && ABOVE_ADAPTERS.contains(&needs))
        .then(|| format!("the adapter `{name}` is tested through `{needs}`, which is built upon it"))
}

/// The engines have their owners in tests too: they are what takes long to compile.
fn from_outside(name: &str, needs: &str, kind: Kind) -> Option<String> {
    let test_only = kind == Kind::Development;
    if name == DOMAIN && !test_only && !OF_DOMAIN.contains(&needs) {
        return Some(format!("the domain may not depend on `{needs}`, only on {}", listed(OF_DOMAIN)));
    }
    let (_, owners) = OWNERS.iter().find(|(package, _)| *package == needs)?;
    let free = owners.contains(&name) || (test_only && needs == "anyhow");
    (!free).then(|| format!("`{name}` may not name `{needs}`; that is for {}", listed(owners)))
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "nothing here".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, needs: &str, kind: Kind) -> String {
        let mut members: Vec<_> = BELOW_FACADE.iter().map(|other| Member::planted(other, &[])).collect();
        members.retain(|member| member.name != name);
        members.extend(
            ["splitstore"].iter().filter(|other| **other != name).map(|other| Member::planted(other, &[])),
        );
        members.push(Member::planted(name, &[(needs, kind)]));
        check(&members).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_arrow_upwards_is_found_on_its_line() {
        let found = said("splitstore-ports", "splitstore-orchestrator", Kind::Normal);
        let what =
            "`splitstore-ports` may not depend on `splitstore-orchestrator`, only on splitstore-domain";
        assert_eq!(found, format!("crates/splitstore-ports/Cargo.toml:12: {what}"));
        assert!(said("splitstore-domain", "splitstore-ports", Kind::Build).contains("only on nothing here"));
        assert!(said("splitstore-cli", "splitstore-redb", Kind::Normal).contains("may not depend"));
    }

    #[test]
    fn an_arrow_downwards_and_a_test_are_fine() {
        assert_eq!(said("splitstore-redb", "splitstore-ports", Kind::Normal), "");
        assert_eq!(said("splitstore-orchestrator", "splitstore-memory", Kind::Development), "");
        assert_eq!(said("splitstore-benches", "rocksdb", Kind::Normal), "");
        assert_eq!(said("splitstore-car", "zstd", Kind::Normal), "");
    }

    #[test]
    fn an_adapter_tested_from_above_is_found() {
        for above in ["splitstore", "splitstore-orchestrator"] {
            assert!(
                said("splitstore-redb", above, Kind::Development).contains("is tested through"),
                "{above}"
            );
        }
    }

    #[test]
    fn an_engine_stays_with_its_adapter_in_tests_too() {
        for kind in [Kind::Normal, Kind::Development] {
            assert!(said("splitstore-memory", "rocksdb", kind).contains("may not name `rocksdb`"));
        }
        assert!(said("splitstore-car", "anyhow", Kind::Normal).contains("may not name `anyhow`"));
        assert_eq!(said("splitstore-car", "anyhow", Kind::Development), "");
    }

    #[test]
    fn the_domain_takes_little_from_outside() {
        assert!(
            said("splitstore-domain", "rand", Kind::Normal).contains("the domain may not depend on `rand`")
        );
        assert_eq!(said("splitstore-domain", "cid", Kind::Normal), "");
        assert_eq!(said("splitstore-domain", "proptest", Kind::Development), "");
    }

    #[test]
    fn a_crate_that_no_layer_knows_is_found() {
        assert!(said("splitstore-fvm", "cid", Kind::Normal).contains("is in no layer: add it"));
    }
}
