//! The retention table, row by row. The window of all rows: messages from 60 (or 80), boundary 80, head 100.

use splitstore_domain::retain::{Completeness, Part, Scope, keeps_state, message_scope, roots_of};
use splitstore_domain::{ColdPolicy, Epoch, HeaderView, Policy, Settings, TipsetKey, Window};

use crate::sample::dag;

const ALL: [ColdPolicy; 3] = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];
const STATE: (Part, Scope, Completeness) = (Part::State, Scope::Hot, Completeness::Strict);
const RECEIPTS: (Part, Scope, Completeness) = (Part::Receipts, Scope::Hot, Completeness::Lenient);
const STRICT_MESSAGES: (Part, Scope, Completeness) = (Part::Messages, Scope::Hot, Completeness::Strict);
const LENIENT_MESSAGES: (Part, Scope, Completeness) = (Part::Messages, Scope::Hot, Completeness::Lenient);
const COLD: [(Part, Scope, Completeness); 2] = [
    (Part::Messages, Scope::Cold, Completeness::Lenient),
    (Part::Receipts, Scope::Cold, Completeness::Lenient),
];

fn policy(cold_policy: ColdPolicy, retention: u64) -> Policy {
    let settings = Settings {
        finality_epochs: 20,
        threshold_finalities: 2,
        boundary_finalities: 1,
        message_retention_finalities: retention,
        cold_policy,
    };
    Policy::new(settings).unwrap()
}

fn header(height: u64) -> HeaderView {
    HeaderView {
        height: Epoch::new(height),
        timestamp: 0,
        parents: TipsetKey::new(vec![dag("parent")]),
        messages: dag("messages"),
        receipts: dag("receipts"),
        state: dag("state"),
    }
}

fn rows(height: u64, cold: ColdPolicy, retention: u64) -> Vec<(Part, Scope, Completeness)> {
    let policy = policy(cold, retention);
    let window = Window::at(Epoch::new(100), Epoch::new(50), &policy);
    let header = header(height);
    let roots: Vec<_> = roots_of(&header, &window, &policy).collect();
    for root in &roots {
        let expected = match root.part {
            Part::State => header.state,
            Part::Messages => header.messages,
            Part::Receipts => header.receipts,
        };
        assert_eq!(root.cid, expected);
    }
    roots.into_iter().map(|root| (root.part, root.scope, root.completeness)).collect()
}

#[test]
fn from_the_boundary_up_state_messages_and_receipts_stay_hot_under_every_policy() {
    for cold in ALL {
        for height in [80, 81, 100] {
            assert_eq!(rows(height, cold, 0), [STATE, STRICT_MESSAGES, RECEIPTS], "{height} {cold}");
        }
    }
}

#[test]
fn under_a_longer_retention_missing_messages_are_skipped_also_above_the_boundary() {
    for cold in ALL {
        for height in [80, 100] {
            assert_eq!(rows(height, cold, 1), [STATE, LENIENT_MESSAGES, RECEIPTS], "{height} {cold}");
        }
    }
}

#[test]
fn between_message_retention_and_boundary_only_messages_and_receipts_stay_hot() {
    for cold in ALL {
        for height in [60, 79] {
            assert_eq!(rows(height, cold, 1), [LENIENT_MESSAGES, RECEIPTS], "{height} {cold}");
        }
    }
}

#[test]
fn below_message_retention_nothing_is_walked_under_universal_and_discard() {
    for cold in [ColdPolicy::Universal, ColdPolicy::Discard] {
        for (height, retention) in [(1, 0), (79, 0), (1, 1), (59, 1)] {
            assert_eq!(rows(height, cold, retention), [], "{height} {cold}");
        }
    }
}

#[test]
fn below_message_retention_messages_and_receipts_go_cold_under_messages_and_may_be_missing() {
    for (height, retention) in [(1, 0), (79, 0), (1, 1), (59, 1)] {
        assert_eq!(rows(height, ColdPolicy::Messages, retention), COLD, "{height}");
    }
}

#[test]
fn genesis_keeps_its_state_and_never_its_messages() {
    for cold in ALL {
        for retention in [0, 1, 1000] {
            assert_eq!(rows(0, cold, retention), [STATE], "{cold} {retention}");
        }
    }
}

#[test]
fn on_a_young_chain_every_header_is_in_scope_and_genesis_still_keeps_no_messages() {
    let policy = policy(ColdPolicy::Discard, 0);
    let window = Window::at(Epoch::new(10), Epoch::GENESIS, &policy);
    for height in 0..=10 {
        let parts: Vec<_> = roots_of(&header(height), &window, &policy).map(|root| root.part).collect();
        let expected: &[Part] =
            if height == 0 { &[Part::State] } else { &[Part::State, Part::Messages, Part::Receipts] };
        assert_eq!(parts, expected, "{height}");
    }
}

#[test]
fn the_two_questions_answer_as_the_table_does() {
    for (cold, retention) in ALL.into_iter().flat_map(|cold| [(cold, 0), (cold, 1)]) {
        let window = Window::at(Epoch::new(100), Epoch::new(50), &policy(cold, retention));
        for height in 0..=100 {
            let rows = rows(height, cold, retention);
            let scope = rows.iter().find(|row| row.0 == Part::Messages).map(|row| row.1);
            assert_eq!(message_scope(Epoch::new(height), &window, cold), scope);
            assert_eq!(keeps_state(Epoch::new(height), &window), rows.contains(&STATE));
        }
    }
}
