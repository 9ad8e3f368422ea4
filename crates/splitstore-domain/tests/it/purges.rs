//! Deletes or a rewrite: by wish, by what is dead, by the free space.

use splitstore_domain::purge::{self, NoRoom, PurgeFacts, PurgeStrategy, PurgeWhy, Shortfall};
use splitstore_domain::{ByteCount, PurgeWay};

const FACTS: PurgeFacts =
    PurgeFacts { dead: 25, live: 75, needs: Some(ByteCount(400)), free: Some(ByteCount(500)) };

fn chosen(strategy: PurgeStrategy, facts: PurgeFacts) -> (PurgeWay, PurgeWhy) {
    let choice = purge::choose(strategy, &facts);
    (choice.way, choice.why)
}

#[test]
fn a_rewrite_is_chosen_from_a_twentieth_of_dead_blocks_on() {
    let auto = PurgeStrategy::Auto;
    assert_eq!(chosen(auto, FACTS), (PurgeWay::Rewrite, PurgeWhy::Dead(25)));
    let of = |dead, live| chosen(auto, PurgeFacts { dead, live, ..FACTS });
    assert_eq!(of(50, 950), (PurgeWay::Rewrite, PurgeWhy::Dead(5)));
    assert_eq!(of(49, 951), (PurgeWay::Delete, PurgeWhy::Dead(4)));
    assert_eq!(of(0, 0), (PurgeWay::Delete, PurgeWhy::Dead(0)));
    assert_eq!(of(u64::MAX, u64::MAX), (PurgeWay::Rewrite, PurgeWhy::Dead(50)));
}

#[test]
fn a_rewrite_that_would_fill_the_disk_is_never_made() {
    let needs = ByteCount(500);
    for strategy in [PurgeStrategy::Auto, PurgeStrategy::Rewrite] {
        let free = ByteCount(499);
        let tight = PurgeFacts { free: Some(free), ..FACTS };
        assert_eq!(chosen(strategy, tight), (PurgeWay::Delete, PurgeWhy::NoRoom(NoRoom { needs, free })));
        assert_eq!(chosen(strategy, PurgeFacts { free: None, ..FACTS }).0, PurgeWay::Rewrite);
        let none = PurgeFacts { needs: None, ..FACTS };
        assert_eq!(chosen(strategy, none), (PurgeWay::Delete, PurgeWhy::NotOffered));
    }
}

#[test]
fn what_is_asked_for_is_done_whatever_is_dead() {
    let few = PurgeFacts { dead: 1, live: 999, ..FACTS };
    assert_eq!(chosen(PurgeStrategy::Rewrite, few), (PurgeWay::Rewrite, PurgeWhy::Told));
    assert_eq!(chosen(PurgeStrategy::Delete, FACTS), (PurgeWay::Delete, PurgeWhy::Told));
    assert_eq!(purge::choose(PurgeStrategy::Auto, &FACTS).to_string(), "rewrite: 25 % of hot is dead");
}

#[test]
fn what_a_rewrite_left_to_deletes_is_said_in_one_line() {
    let no_room = NoRoom::to_rewrite(ByteCount(4096), Some(ByteCount(5119)));
    assert_eq!(NoRoom::to_rewrite(ByteCount(4096), Some(ByteCount(5120))), None);
    assert_eq!(NoRoom::to_rewrite(ByteCount(4096), None), None);
    let said = |passed_over, no_room| Shortfall { passed_over, no_room }.to_string();
    assert_eq!(said(3, None), "3 blocks that the engine passed over, by deletes");
    assert_eq!(said(0, no_room), "the rest by deletes: a rewrite needs 5.0 KiB, 5.0 KiB are free");
    assert!(said(3, no_room).ends_with("are free; 3 blocks that the engine passed over, by deletes"));
    assert!(Shortfall::default().is_none());
}
