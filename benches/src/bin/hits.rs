//! `hits`: what the split store adds to a hit in hot. `hits pairs [CHUNKS]` times, `hits count WHO` is for an
//! instruction counter: it reads with one of the three and nothing else.

use anyhow::{Context, Result, bail};
use splitstore_benches::{Ground, Hits, Reader, Size};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["pairs"] => pairs(3000),
        ["pairs", chunks] => pairs(chunks.parse().context("CHUNKS is a number")?),
        ["count", "engine"] => count(Reader::Engine),
        ["count", "store"] => count(Reader::Store),
        other => bail!("`{}`: say `pairs`, `pairs CHUNKS`, `count engine` or `count store`", other.join(" ")),
    }
}

fn pairs(chunks: usize) -> Result<()> {
    let ground = ground(Size::from_env()?)?;
    print!("{}", Hits::new(&ground)?.chunks(chunks)?);
    Ok(())
}

fn count(reader: Reader) -> Result<()> {
    let ground = ground(Size::Test)?;
    let hits = Hits::new(&ground)?;
    let (keys, bytes) = hits.count(reader)?;
    println!("{keys} hits, {bytes} bytes");
    Ok(())
}

fn ground(size: Size) -> Result<Ground> {
    Ground::new(&std::env::temp_dir(), size).context("make a folder for the stores")
}
