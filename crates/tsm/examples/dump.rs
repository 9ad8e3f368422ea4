//! Prints what a TSM file holds: `cargo run -p tsm --example dump -- FILE.tsm`. Without a file it makes one.

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};

use tsm::verify::verify_file;
use tsm::{
    BlockType, Column, Decoder, Encoder, Encoding, Limits, TimeRange, Tombstone, Tombstones, TsmReader,
};
use tsm::{TsmWriter, Values, WriterOptions, shown, tombstone};

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(path) = std::env::args_os().nth(1) {
        return dump(Path::new(&path));
    }
    let folder = std::env::temp_dir().join(format!("tsm-dump-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = sample(&folder).and_then(|path| dump(&path));
    std::fs::remove_dir_all(&folder)?;
    outcome
}

/// A file of two keys, from one of which two points are deleted.
fn sample(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let path = folder.join("000000001-000000001.tsm");
    let mut writer = TsmWriter::new(File::create_new(&path)?, "sample", WriterOptions::default());
    let mut encoder = Encoder::new(Encoding::SNAPSHOT);
    let load = Column::new(vec![10, 20, 30, 40], Values::Float(vec![0.5, 0.75, 0.75, 1.0]))?;
    let users = Column::new(vec![10, 20], Values::Integer(vec![3, 4]))?;
    let _ = writer.write_points(b"cpu,host=a#!~#load", load.points(), &mut encoder)?;
    let _ = writer.write_points(b"cpu,host=a#!~#users", users.points(), &mut encoder)?;
    writer.finish()?;
    let delete = Tombstone::new(b"cpu,host=a#!~#load", TimeRange::new(20, 30));
    tombstone::add(&path, &[delete], Limits::default())?;
    Ok(path)
}

fn dump(path: &Path) -> Result<(), Box<dyn Error>> {
    for finding in verify_file(path)?.findings {
        println!("! {finding}");
    }
    let reader = TsmReader::open(path)?;
    let deleted = Tombstones::load(path, Limits::default())?;
    let summary = reader.summary();
    println!("{} keys, {} blocks, {}", summary.keys, summary.blocks, summary.times);
    let (mut cursor, mut buffer, mut decoder) = (reader.cursor(), Vec::new(), Decoder::default());
    let mut points = Column::empty(BlockType::Float);
    while cursor.advance()? {
        println!("{} ({})", shown(cursor.key()), cursor.kind()?);
        for entry in cursor.entries() {
            let block = reader.read_block(cursor.key(), cursor.kind()?, entry, &mut buffer)?;
            decoder.decode(&block.parse()?, &mut points)?;
            println!("  block at {}: {} points, {}", entry.offset, points.len(), entry.times);
            for range in deleted.ranges(cursor.key()) {
                points.remove_times(range);
            }
            println!("    {:?} {:?}", points.times(), points.values());
        }
    }
    Ok(())
}
