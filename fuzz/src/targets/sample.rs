//! Columns and sections to start from.

use tsm::{BlockType, Column, Encoder, Encoding, Strings, Values};

/// Columns of each type: short and long, regular and not.
pub(super) fn columns() -> Vec<Column> {
    let lengths = [1, 2, 3, 40, 250];
    let of = |len: usize| BlockType::ALL.map(move |kind| [regular(kind, len), irregular(kind, len)]);
    lengths.into_iter().flat_map(of).flatten().collect()
}

fn regular(kind: BlockType, len: usize) -> Column {
    let times = (0..).step_by(10_000_000_000).take(len).collect();
    column(times, kind, &|at| at)
}

fn irregular(kind: BlockType, len: usize) -> Column {
    let mixed = |at: i64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    let times = (0..).take(len).map(|at: i64| at * at * 1000 + at).collect();
    column(times, kind, &mixed)
}

fn column(times: Vec<i64>, kind: BlockType, number: &dyn Fn(i64) -> i64) -> Column {
    let numbers = (0..).take(times.len()).map(number);
    let values = match kind {
        BlockType::Float => Values::Float(numbers.map(|n| (n % 1000) as f64 / 8.0).collect()),
        BlockType::Integer => Values::Integer(numbers.collect()),
        BlockType::Unsigned => Values::Unsigned(numbers.map(i64::cast_unsigned).collect()),
        BlockType::Boolean => Values::Boolean(numbers.map(|n| n % 3 == 0).collect()),
        BlockType::String => Values::String(numbers.map(|n| format!("{}", n % 50)).collect::<Strings>()),
    };
    Column::new(times, values).expect("as many values as timestamps")
}

pub(super) fn encoded(column: &Column, encoding: Encoding) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new(encoding).encode(column.points(), &mut out).expect("samples fit");
    out
}
