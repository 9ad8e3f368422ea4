//! The phases of a run and the steps between them.

use insta::assert_snapshot;
use splitstore_domain::Phase;

fn all() -> impl Iterator<Item = Phase> + Clone {
    [Phase::Idle].into_iter().chain(Phase::RUN)
}

#[test]
fn a_phase_is_followed_by_the_next_or_given_up_while_nothing_is_deleted() {
    let row = |from: Phase| {
        let cells: String = all().map(|to| if from.can_become(to) { " x" } else { " ." }).collect();
        format!("{from:<9}{cells}")
    };
    let table: Vec<_> = all().map(row).collect();
    assert_snapshot!(table.join("\n"), @r"
    idle      . x . . . . . .
    prepare   x . x . . . . .
    mark      x . . x . . . .
    collect   x . . . x . . .
    transfer  x . . . . x . .
    seal      x . . . . . x .
    purge     . . . . . . . x
    commit    x . . . . . . .
    ");
}

#[test]
fn a_run_goes_through_all_phases_in_order_and_ends_idle() {
    let mut phase = Phase::Idle;
    for expected in Phase::RUN {
        assert!(phase.can_become(expected));
        phase = phase.next();
        assert_eq!(phase, expected);
    }
    assert_eq!(phase.next(), Phase::Idle);
    assert!(all().is_sorted());
}

#[test]
fn only_what_deletes_must_finish() {
    let finish: Vec<_> = all().filter(|phase| phase.must_finish()).collect();
    assert_eq!(finish, [Phase::Purge, Phase::Commit]);
}

#[test]
fn every_phase_has_a_word_of_its_own_and_the_first_is_idle() {
    let mut words: Vec<_> = all().map(Phase::name).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), 8);
    assert_eq!(Phase::default(), Phase::Idle);
}
