//! What files hold together, as a reader of all of them sees it: the newest value of each time.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tsm::{
    BlockType, Column, Decoder, Limits, Merge, MergeInput, MergeMode, MergeOptions, Points, Tombstones,
    TsmReader, ValuesRef,
};
use xxhash_rust::xxh3::Xxh3;

use crate::damage::Damage;

/// A digest of all points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) keys: u64,
    pub(crate) points: u64,
    digest: u128,
}

/// Opens a file with its tombstones.
pub(crate) fn input(file: &Path) -> Result<MergeInput> {
    let reader = TsmReader::open(file)?;
    Ok(MergeInput { reader, deletions: Tombstones::load(file, Limits::default())? })
}

/// Shows all points of all files in order, key by key.
fn for_each(files: &[PathBuf], show: &mut Show<'_>) -> Result<()> {
    let inputs = files.iter().map(|file| input(file)).collect::<Result<Vec<_>>>()?;
    blocks(merge(&inputs)?, show)
}

/// What is done with the points of a block, which has so many bytes.
pub(crate) type Show<'s> = dyn FnMut(&[u8], Points<'_>, u64) -> Result<()> + 's;

/// As [`for_each`], of what is whole: of a key with a damaged block what comes after that is left out, and told.
pub(crate) fn for_each_whole(inputs: &[MergeInput], damage: &mut Damage, show: &mut Show<'_>) -> Result<()> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let merge = merge(inputs)?;
        let merge = match &after {
            Some(key) => merge.after(key)?,
            None => merge,
        };
        let outcome = blocks(merge, show);
        let key = outcome.as_ref().err().and_then(|error| match error.downcast_ref::<tsm::Error>() {
            Some(damaged) => damaged.at().key.clone(),
            None => None,
        });
        if damage.pass(outcome)?.is_some() {
            return Ok(());
        }
        let Some(key) = key.filter(|key| after.as_deref().is_none_or(|after| after < key)) else {
            return Ok(());
        };
        after = Some(key.into());
    }
}

fn merge(inputs: &[MergeInput]) -> Result<Merge> {
    let options = MergeOptions { mode: MergeMode::Fast, ..MergeOptions::default() };
    Ok(Merge::new(inputs.iter().cloned(), options)?)
}

fn blocks(mut merge: Merge, show: &mut Show<'_>) -> Result<()> {
    let (mut decoder, mut column) = (Decoder::default(), Column::empty(BlockType::Float));
    while let Some(block) = merge.next_block()? {
        let decoded = block.block.parse().and_then(|parsed| decoder.decode(&parsed, &mut column));
        decoded.map_err(anyhow::Error::from)?;
        show(block.key, column.points(), block.block.bytes().len() as u64)?;
    }
    Ok(())
}

impl Content {
    /// Reads everything. Where blocks begin and end does not count.
    pub(crate) fn of(files: &[PathBuf]) -> Result<Self> {
        let (mut hash, mut keys, mut points) = (Xxh3::new(), 0, 0);
        let mut last: Option<Vec<u8>> = None;
        for_each(files, &mut |key, block, _| {
            if last.as_deref() != Some(key) {
                hash.update(&key.len().to_le_bytes());
                hash.update(key);
                hash.update(&[block.values.kind().byte()]);
                last = Some(key.to_vec());
                keys += 1;
            }
            points += block.times.len() as u64;
            add(&mut hash, block);
            Ok(())
        })?;
        Ok(Self { keys, points, digest: hash.digest128() })
    }
}

fn add(hash: &mut Xxh3, points: Points<'_>) {
    let mut strings = match points.values {
        ValuesRef::String(values) => Some(values.iter()),
        _ => None,
    };
    for (index, time) in points.times.iter().enumerate() {
        hash.update(&time.to_le_bytes());
        match points.values {
            ValuesRef::Float(values) => hash.update(&values[index].to_bits().to_le_bytes()),
            ValuesRef::Integer(values) => hash.update(&values[index].to_le_bytes()),
            ValuesRef::Unsigned(values) => hash.update(&values[index].to_le_bytes()),
            ValuesRef::Boolean(values) => hash.update(&[u8::from(values[index])]),
            ValuesRef::String(_) => {
                let value = strings.as_mut().and_then(Iterator::next).unwrap_or_default();
                hash.update(&value.len().to_le_bytes());
                hash.update(value);
            }
        }
    }
}
