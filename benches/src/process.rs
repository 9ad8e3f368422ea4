//! Memory, time and disk of this process as Linux counts them; zero elsewhere.

use std::time::Duration;

use anyhow::{Context, Result};

const STATUS: &str = "/proc/self/status";
const STAT: &str = "/proc/self/stat";
const IO: &str = "/proc/self/io";
/// Linux counts in hundredths of a second for whoever asks, on every machine that matters here.
const TICK: Duration = Duration::from_millis(10);
/// User time, then system time, counted from the end of the name of the process.
const TIMES: std::ops::Range<usize> = 11..13;

/// Time that all threads have computed.
pub(crate) fn cpu() -> Result<Duration> {
    if !cfg!(target_os = "linux") {
        return Ok(Duration::ZERO);
    }
    let stat = std::fs::read_to_string(STAT)?;
    let (_, fields) = stat.rsplit_once(')').with_context(|| format!("{STAT} names no process"))?;
    let ticks = fields.split_whitespace().skip(TIMES.start).take(TIMES.len());
    let ticks = ticks.map(|field| Ok(field.parse::<u32>()?)).sum::<Result<u32>>()?;
    Ok(TICK * ticks)
}

/// Resident now.
pub(crate) fn now() -> Result<u64> {
    field("VmRSS:")
}

/// The most that was resident since [`forget_peak`].
pub(crate) fn peak() -> Result<u64> {
    field("VmHWM:")
}

/// The peak begins anew.
pub(crate) fn forget_peak() -> Result<()> {
    if cfg!(target_os = "linux") {
        std::fs::write("/proc/self/clear_refs", "5")?;
    }
    Ok(())
}

/// Bytes that came from a disk so far, for all threads: what the page cache held is not among them.
pub(crate) fn disk_read() -> Result<u64> {
    if !cfg!(target_os = "linux") {
        return Ok(0);
    }
    Ok(line(IO, "read_bytes:")?.parse()?)
}

fn field(name: &str) -> Result<u64> {
    if !cfg!(target_os = "linux") {
        return Ok(0);
    }
    let line = line(STATUS, name)?;
    let kib: u64 = line.strip_suffix(" kB").unwrap_or(&line).trim().parse()?;
    Ok(kib << 10)
}

/// What follows `name` in a file of such lines.
fn line(file: &str, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {file}"))?;
    let found = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(found.with_context(|| format!("{file} has no {name}"))?.trim().into())
}
