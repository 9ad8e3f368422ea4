//! One flipped bit, in each tier, through the real store.

use splitstore_stress::rot::{Rot, Tier, Victim};

fn rot(tier: Tier) -> Rot {
    let folder = tempfile::tempdir().unwrap();
    let rot = Victim::new(folder.path(), 11).unwrap().rot(tier, 40).unwrap();
    println!("{tier:?}\n{rot}");
    assert_eq!((rot.flips, rot.wrong), (40, 0));
    rot
}

#[test]
fn a_flipped_bit_in_a_table_of_hot_is_never_served_and_hides_nothing() {
    let rot = rot(Tier::Hot);
    assert_eq!(rot.absent, 0);
    assert!(rot.one > 20 && rot.most <= 20, "{rot}");
    assert!(rot.salvaged > 40, "what is in the same page and whole is served: {rot}");
}

#[test]
fn a_flipped_bit_in_the_file_of_cold_is_never_served_and_mostly_damages_one_block() {
    let rot = rot(Tier::Cold);
    assert!(rot.one > 20, "{rot}");
}
