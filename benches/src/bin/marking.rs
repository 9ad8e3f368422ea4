//! Prints how the ways of marking fare beside a naive walk, as a markdown table.
//!
//! `marking [EPOCHS] [ACTORS] [ROUNDS]`; about 1.1 million blocks and five rounds unless told otherwise.

use std::path::Path;

use anyhow::{Context, Result};
use splitstore_benches::Marking;
use splitstore_fixtures::ChainSpec;

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1);
    let mut number = |default: u64| {
        let text = numbers.next();
        text.map_or(Ok(default), |text| text.parse().with_context(|| format!("`{text}` is no number")))
    };
    let (epochs, actors, rounds) = (number(3_000)?, number(25_000)?, number(5)?);
    let spec = ChainSpec { epochs, actors, ..ChainSpec::default() };
    let marking = Marking::new(&std::env::temp_dir().join(Path::new("splitstore-marking")), &spec)?;
    let rows = marking.rows(usize::try_from(rounds)?)?;
    println!("{}", marking.markdown(&rows)?);
    Ok(())
}
