//! Merging TSM files on one thread: points per second and compressed bytes per second, for blocks that pass through,
//! small blocks that follow each other, and small blocks that overlap point by point.
//!
//! Eight files of 250 keys in memory, checksums checked and computed; a merge makes blocks of 1000 points of what are
//! blocks of 125 (1000 where they pass). A sample is the best of some rounds, as in `tsm_codecs.rs`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use criterion::{Criterion, Throughput};
use tsm::{
    BlockType, Column, Encoder, Encoding, Limits, Merge, MergeInput, MergeOptions, Strings, Tombstones,
    TsmReader, TsmWriter, Values, WriterOptions,
};

const FILES: i64 = 8;
const KEYS: u64 = 250;
const ROUNDS: usize = 10;

fn main() -> Result<()> {
    let criterion = Criterion::default().sample_size(10).without_plots();
    let criterion =
        criterion.warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_millis(10));
    let mut criterion = criterion.configure_from_args();
    let mut rows = Vec::new();
    for kind in BlockType::ALL {
        let lies = [Lie::Passing, Lie::Disjoint, Lie::Overlapping];
        let rates =
            lies.into_iter().map(|lie| merge(&mut criterion, kind, lie)).collect::<Result<Vec<_>>>()?;
        let points: Vec<_> = rates.iter().map(|rates| format!("{:.1}", rates.points)).collect();
        let bytes: Vec<_> = rates.iter().map(|rates| format!("{:.0}", rates.bytes)).collect();
        rows.push(format!("| {kind} | {} | {} |", points.join(" | "), bytes.join(", ")));
    }
    criterion.final_summary();
    println!("\n| type | passing, M points/s | disjoint | overlapping | compressed MB/s in: each of them |");
    println!("|---|---:|---:|---:|---:|");
    for row in rows {
        println!("{row}");
    }
    Ok(())
}

/// Millions a second, of points and of compressed bytes read.
struct Rates {
    points: f64,
    bytes: f64,
}

/// How the blocks of a key lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Full, one after the other.
    Passing,
    /// Small, one after the other.
    Disjoint,
    /// Small, the points of all files in turns.
    Overlapping,
}

fn merge(criterion: &mut Criterion, kind: BlockType, lie: Lie) -> Result<Rates> {
    let inputs = (0..FILES).map(|file| input(kind, lie, file)).collect::<Result<Vec<_>>>()?;
    let points = run(&inputs)?;
    let bytes: u64 = inputs.iter().map(|input| input.reader.summary().file_bytes).sum();
    let name = format!("tsm merge {kind} {}", format!("{lie:?}").to_lowercase());
    let mut fastest = Duration::MAX;
    let mut group = criterion.benchmark_group(&name);
    group.throughput(Throughput::Elements(points));
    group.bench_function("points", |bencher| {
        bencher.iter_custom(|count| {
            let sample = best(&inputs);
            fastest = fastest.min(sample);
            sample.mul_f64(count as f64)
        });
    });
    group.finish();
    let rate = |amount: u64| amount as f64 / fastest.as_secs_f64() / 1e6;
    Ok(Rates { points: rate(points), bytes: rate(bytes) })
}

fn run(inputs: &[MergeInput]) -> Result<u64> {
    let mut merge = Merge::new(inputs.iter().cloned(), MergeOptions::default())?;
    while let Some(block) = merge.next_block()? {
        black_box(block.block.crc());
    }
    Ok(merge.tally().points)
}

fn best(inputs: &[MergeInput]) -> Duration {
    let round = || {
        #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
        let start = Instant::now();
        run(inputs).expect("it was merged before");
        start.elapsed()
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

fn input(kind: BlockType, lie: Lie, file: i64) -> Result<MergeInput> {
    let name = format!("{:09}-000000001.tsm", file + 1);
    let mut writer = TsmWriter::new(Vec::new(), &name, WriterOptions::default());
    let mut encoder = Encoder::new(Encoding::SNAPSHOT);
    for key in 0..KEYS {
        let times = times(lie, file);
        let values = values(kind, key * 31 + file.unsigned_abs() * 7, times.len());
        let column = Column::new(times, values)?;
        let _ = writer.write_points(
            format!("cpu,host={key:05}#!~#f").as_bytes(),
            column.points(),
            &mut encoder,
        )?;
    }
    let bytes = writer.finish()?.map(|finished| finished.sink).unwrap_or_default();
    Ok(MergeInput {
        reader: TsmReader::new(Arc::new(bytes), &name, Limits::default())?,
        deletions: Tombstones::default(),
    })
}

fn times(lie: Lie, file: i64) -> Vec<i64> {
    const SECOND: i64 = 1_000_000_000;
    match lie {
        Lie::Passing => (0..1000).map(|n| (file * 1000 + n) * 10 * SECOND).collect(),
        Lie::Disjoint => (0..125).map(|n| (file * 125 + n) * 10 * SECOND).collect(),
        Lie::Overlapping => (0..125).map(|n| (n * FILES + file) * SECOND).collect(),
    }
}

fn values(kind: BlockType, seed: u64, count: usize) -> Values {
    let mixed = |n: usize| (n as u64 * 37 + seed) % 100;
    let numbers = (0..count).map(mixed);
    match kind {
        BlockType::Float => Values::Float(numbers.map(|n| 50.0 + n as f64 / 4.0).collect()),
        BlockType::Integer => Values::Integer(numbers.map(|n| n.cast_signed() * 10).collect()),
        BlockType::Boolean => Values::Boolean(numbers.map(|n| n % 3 == 0).collect()),
        BlockType::String => Values::String(numbers.map(|n| format!("value {n}")).collect::<Strings>()),
        BlockType::Unsigned => Values::Unsigned(numbers.map(|n| n * 10).collect()),
    }
}
