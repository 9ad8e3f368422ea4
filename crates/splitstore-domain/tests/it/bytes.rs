//! Bytes for people.

use splitstore_domain::ByteCount;

#[test]
fn bytes_print_in_powers_of_1024_with_one_decimal() {
    let cases = [
        (0, "0 B"),
        (17, "17 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (4096, "4.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        (1_288_490_189, "1.2 GiB"),
        (1 << 40, "1.0 TiB"),
        (1 << 50, "1.0 PiB"),
        (u64::MAX, "16384.0 PiB"),
    ];
    for (bytes, printed) in cases {
        assert_eq!(ByteCount(bytes).to_string(), printed);
    }
}

#[test]
fn a_number_that_would_round_up_to_1024_takes_the_next_unit() {
    assert_eq!(ByteCount((1 << 20) - 1).to_string(), "1.0 MiB");
    assert_eq!(ByteCount((1 << 30) - 1).to_string(), "1.0 GiB");
    assert_eq!(ByteCount(1024 * 1023).to_string(), "1023.0 KiB");
    assert_eq!(ByteCount(1024 * 1023 + 972).to_string(), "1023.9 KiB");
}

#[test]
fn bytes_pad_like_any_word() {
    assert_eq!(format!("{:>9}|{:<9}|", ByteCount(4096), ByteCount(1)), "  4.0 KiB|1 B      |");
}

#[test]
fn sums_stop_at_the_largest_number() {
    let sum: ByteCount = [1, 2, 3].map(ByteCount).into_iter().sum();
    assert_eq!(sum, ByteCount(6));
    assert_eq!(ByteCount(u64::MAX) + ByteCount(1), ByteCount(u64::MAX));
    let mut count = ByteCount::of(b"abc");
    count += ByteCount(1);
    assert_eq!(count, ByteCount(4));
}
