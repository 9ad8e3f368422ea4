//! Weights compare as the numbers they are.

use splitstore_filecoin::Weight;

fn weight(wire: &[u8]) -> Weight {
    Weight::from_wire(wire).unwrap()
}

#[test]
fn weights_compare_as_numbers_not_as_bytes() {
    let ascending: [&[u8]; 5] = [&[], &[0, 1], &[0, 0xff], &[0, 1, 0], &[0, 1, 0, 0]];
    assert!(ascending.windows(2).all(|pair| weight(pair[0]) < weight(pair[1])));
}

#[test]
fn leading_zeros_do_not_count() {
    assert_eq!(weight(&[0, 0, 0, 7]), weight(&[0, 7]));
    assert_eq!(weight(&[0]), Weight::default());
    assert!(weight(&[0, 0, 0, 7]) < weight(&[0, 8]));
}

#[test]
fn a_weight_prints_in_hexadecimal() {
    assert_eq!(weight(&[0, 7, 0xd8, 0xf2]).to_string(), "0x7d8f2");
    assert_eq!(weight(&[0, 0x10]).to_string(), "0x10");
    assert_eq!(weight(&[]).to_string(), "0x0");
}

#[test]
fn the_longest_weight_has_127_bytes_of_magnitude() {
    let longest = [vec![0], vec![0xff; 127]].concat();
    assert_eq!(weight(&longest).as_be_bytes(), &longest[1..]);
    assert!(Weight::from_wire(&[longest, vec![0]].concat()).is_none());
}
