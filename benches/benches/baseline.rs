//! The baseline: every rate of the split store beside that of the raw engine doing the same bytes.
//!
//! Rounds are run by the library, which takes turns between ours and raw; criterion is handed their durations,
//! keeps its statistics and compares them with the last run. One iteration stands for 1000 items.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use criterion::{Criterion, SamplingMode, Throughput};
use splitstore_benches::{Ground, ITEMS_PER_ITERATION, Rounds, Side, Size, Table, catalogue};

fn main() -> Result<()> {
    let ground = Ground::new(Path::new(env!("CARGO_TARGET_TMPDIR")), size()?)?;
    let mut catalogue = catalogue(&ground);
    let mut criterion = criterion();
    for rounds in &mut catalogue {
        bench(&mut criterion, ground.size(), rounds);
    }
    criterion.final_summary();
    publish(&Table::of(&ground, &catalogue))
}

/// `cargo test` runs benches too, and only wants to know that they work.
fn size() -> Result<Size> {
    if env::args().any(|arg| arg == "--bench") { Size::from_env() } else { Ok(Size::Test) }
}

fn criterion() -> Criterion {
    // A sample is a look into a list. Criterion's quick mode doubles iterations until this much time is over,
    // which for such samples must be soon.
    let quick = env::args().any(|arg| arg == "--quick");
    let patience = if quick { Duration::from_nanos(1) } else { Duration::from_millis(1) };
    let criterion = Criterion::default().sample_size(10).without_plots();
    criterion.warm_up_time(Duration::from_nanos(1)).measurement_time(patience).configure_from_args()
}

fn bench(criterion: &mut Criterion, size: Size, rounds: &mut Rounds<'_>) {
    for (index, work) in rounds.works().iter().enumerate() {
        // With its size in its name, so that no run is compared with one of another size.
        let mut group = criterion.benchmark_group(format!("{} {}", size.name(), work.name));
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(ITEMS_PER_ITERATION));
        for side in [Side::Ours, Side::Raw] {
            let mut sample = 0;
            group.bench_function(side.name(), |bencher| {
                // Nothing that a filter leaves out is prepared or run.
                let measured = rounds.sample(index, side, sample);
                let each = measured.unwrap_or_else(|error| panic!("{} failed: {error:?}", work.name));
                sample += 1;
                bencher.iter_custom(|iterations| each.mul_f64(iterations as f64));
            });
        }
        group.finish();
    }
}

fn publish(table: &Table) -> Result<()> {
    println!("\n{table}");
    let Some(path) = env::var_os("SPLITSTORE_BENCH_MARKDOWN") else { return Ok(()) };
    let path = Path::new(&path);
    std::fs::write(path, table.markdown()).with_context(|| format!("write {}", path.display()))
}
