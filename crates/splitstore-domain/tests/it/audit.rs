//! Findings of an audit.

use splitstore_domain::{Audit, Violation};

use crate::sample::dag;

#[test]
fn an_audit_without_findings_is_clean_and_one_with_any_is_not() {
    let mut audit = Audit::default();
    assert!(audit.is_clean());
    audit.found(Violation::WrongHash { tier: "hot", cid: dag("a") });
    assert!(!audit.is_clean());
}

#[test]
fn findings_beyond_those_kept_are_counted() {
    let mut audit = Audit::default();
    for _ in 0..Audit::KEPT + 5 {
        audit.found(Violation::WrongHash { tier: "hot", cid: dag("a") });
    }
    assert_eq!((audit.violations.len(), audit.more), (Audit::KEPT, 5));
}

#[test]
fn a_check_that_ended_early_says_which_and_why() {
    let finding = Violation::Unreadable { what: "hot", fault: "page 7".to_owned() };
    let told = finding.to_string();
    assert!(told.contains("check of hot ended") && told.ends_with("page 7"), "{told}");
}

#[test]
fn every_finding_names_its_block() {
    let (cid, parent) = (dag("a"), Some(dag("b")));
    let fault = "truncated at byte 7".to_owned();
    let findings = [
        Violation::MissingLive { cid, parent },
        Violation::MissingLive { cid, parent: None },
        Violation::WrongHash { tier: "hot", cid },
        Violation::Malformed { cid, fault },
    ];
    for finding in &findings {
        assert!(finding.to_string().contains(&cid.to_string()), "{finding}");
    }
    assert!(findings[0].to_string().contains(&dag("b").to_string()));
    assert!(findings[2].to_string().contains("hot"));
    assert!(findings[3].to_string().ends_with("truncated at byte 7"));
}
