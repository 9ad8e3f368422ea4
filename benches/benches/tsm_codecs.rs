//! Encoding and decoding of TSM blocks: each type in bytes of column per second, beside `memcpy` of as much.
//!
//! Every work goes over many blocks of different values, so that no branch predictor knows them by heart. A column
//! counts with 8 bytes a timestamp and 8 a value (a boolean 1, a string its bytes).
//!
//! A sample is the best of some rounds of about a millisecond each: on a shared machine whatever disturbs a round makes
//! it slower, never faster, so the best one is nearest to what the code does.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use criterion::{Criterion, Throughput};
use tsm::{BlockType, Column, Decoder, Encoder, Encoding, Strings, Values};

const POINTS: usize = 1000;
const BLOCKS: usize = 64;
const ROUNDS: usize = 20;
const START: i64 = 1_600_000_000_000_000_000;

fn main() -> Result<()> {
    let criterion = Criterion::default().sample_size(10).without_plots();
    // A sample is a round, whatever criterion asks for; so it need not try out how many make up a second.
    let criterion =
        criterion.warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_millis(10));
    let mut criterion = criterion.configure_from_args();
    let copied = memcpy(&mut criterion);
    let mut dice = Dice(88_172_645_463_325_252);
    let mut rows = Vec::new();
    for shape in SHAPES {
        rows.push(codecs(&mut criterion, shape, &mut dice)?);
    }
    criterion.final_summary();
    println!("\nmemcpy of as much: {copied:.0} GB/s\n");
    println!(
        "| values | bytes a point, stored | encode GB/s | encode M points/s | decode GB/s | decode M points/s |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for row in rows {
        println!("{row}");
    }
    Ok(())
}

/// What values look like.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    /// Microseconds that timestamps are off their grid by.
    jitter: u64,
    values: fn(&mut Dice) -> Values,
}

const SHAPES: [Shape; 8] = [
    Shape { name: "float quarters", jitter: 0, values: quarters },
    Shape { name: "float random walk", jitter: 0, values: walk },
    Shape { name: "float quarters, jittered times", jitter: 5000, values: quarters },
    Shape { name: "integer counter", jitter: 0, values: counter },
    Shape { name: "integer random walk", jitter: 0, values: integers },
    Shape { name: "unsigned random walk", jitter: 0, values: unsigned },
    Shape { name: "boolean", jitter: 0, values: booleans },
    Shape { name: "string", jitter: 0, values: strings },
];

/// GB per second.
fn memcpy(criterion: &mut Criterion) -> f64 {
    let from = vec![1_u64; 2 * POINTS * BLOCKS];
    let mut to = vec![0_u64; from.len()];
    let (mut fastest, bytes) = (Duration::MAX, 8 * from.len() as u64);
    let mut group = criterion.benchmark_group("tsm memcpy");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("of as much", |bencher| {
        bencher.iter_custom(|count| {
            let mut copy = || {
                to.copy_from_slice(black_box(&from));
                black_box(&mut to);
            };
            noted(best(&mut copy), &mut fastest).mul_f64(count as f64)
        });
    });
    group.finish();
    bytes as f64 / fastest.as_secs_f64() / 1e9
}

/// A sample, the least of which is kept.
fn noted(sample: Duration, fastest: &mut Duration) -> Duration {
    *fastest = sample.min(*fastest);
    sample
}

/// A row of the table.
fn codecs(criterion: &mut Criterion, shape: Shape, dice: &mut Dice) -> Result<String> {
    let columns: Vec<Column> = (0..BLOCKS).map(|_| column(shape, dice)).collect::<Result<_>>()?;
    let mut encoder = Encoder::new(Encoding::COMPACTION);
    let mut blocks = vec![Vec::new(); BLOCKS];
    let mut encode_all = || {
        for (column, block) in columns.iter().zip(&mut blocks) {
            block.clear();
            encoder.encode(black_box(column).points(), block).expect("generated values fit");
        }
    };
    encode_all();
    let mut group = criterion.benchmark_group(format!("tsm {}", shape.name));
    let bytes: u64 = columns.iter().map(size).sum();
    let [mut encoding, mut decoding] = [Duration::MAX; 2];
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("encode", |bencher| {
        bencher.iter_custom(|count| noted(best(&mut encode_all), &mut encoding).mul_f64(count as f64));
    });
    let (mut decoder, mut back) = (Decoder::default(), Column::empty(BlockType::Float));
    let mut decode_all = || {
        for block in &blocks {
            decoder.decode_bytes(black_box(block), &mut back).expect("it was encoded just now");
        }
    };
    group.bench_function("decode", |bencher| {
        bencher.iter_custom(|count| noted(best(&mut decode_all), &mut decoding).mul_f64(count as f64));
    });
    group.finish();
    let points = (POINTS * BLOCKS) as f64;
    let stored = blocks.iter().map(Vec::len).sum::<usize>() as f64 / points;
    let rates = [encoding, decoding].map(|took| {
        let second = took.as_secs_f64();
        format!("{:.1} | {:.0}", bytes as f64 / second / 1e9, points / second / 1e6)
    });
    Ok(format!("| {} | {stored:.2} | {} | {} |", shape.name, rates[0], rates[1]))
}

/// The least time of some rounds.
fn best(work: &mut dyn FnMut()) -> Duration {
    let mut round = || {
        #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

fn size(column: &Column) -> u64 {
    let values = match column.values() {
        Values::Boolean(all) => all.len(),
        Values::String(all) => all.byte_len(),
        others => 8 * others.len(),
    };
    (8 * column.len() + values) as u64
}

fn column(shape: Shape, dice: &mut Dice) -> Result<Column> {
    let grid = (START..).step_by(10_000_000_000).take(POINTS);
    let off = |dice: &mut Dice| dice.below(shape.jitter.max(1)).cast_signed() * 1000;
    let times = grid.map(|time| time + off(dice)).collect();
    Ok(Column::new(times, (shape.values)(dice))?)
}

fn quarters(dice: &mut Dice) -> Values {
    Values::Float((0..POINTS).map(|_| 20.0 + dice.below(100) as f64 / 4.0).collect())
}

fn walk(dice: &mut Dice) -> Values {
    let step = |at: &mut f64, ()| {
        *at += (dice.below(1000) as f64 - 500.0) / 1000.0;
        Some(*at)
    };
    Values::Float(std::iter::repeat_n((), POINTS).scan(20.0, step).collect())
}

fn counter(dice: &mut Dice) -> Values {
    let (start, step) = (dice.below(1 << 40).cast_signed(), 1 + dice.below(9).cast_signed());
    Values::Integer((0_i64..).take(POINTS).map(|at| start + at * step).collect())
}

fn integers(dice: &mut Dice) -> Values {
    let step = |at: &mut i64, ()| {
        *at += dice.below(200).cast_signed() - 100;
        Some(*at)
    };
    Values::Integer(std::iter::repeat_n((), POINTS).scan(0, step).collect())
}

fn unsigned(dice: &mut Dice) -> Values {
    match integers(dice) {
        Values::Integer(all) => Values::Unsigned(all.into_iter().map(i64::cast_unsigned).collect()),
        other => other,
    }
}

fn booleans(dice: &mut Dice) -> Values {
    Values::Boolean((0..POINTS).map(|_| dice.below(2) == 0).collect())
}

fn strings(dice: &mut Dice) -> Values {
    let string = |at: usize| format!("request {at} took {} ms", dice.below(100));
    Values::String((0..POINTS).map(string).collect::<Strings>())
}

/// Xorshift: the same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
