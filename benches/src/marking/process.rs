//! Memory and time of this process as Linux counts them; zero elsewhere.

use std::time::Duration;

use anyhow::{Context, Result};

const STATUS: &str = "/proc/self/status";
const STAT: &str = "/proc/self/stat";
/// Linux counts in hundredths of a second for whoever asks, on every machine that matters here.
const TICK: Duration = Duration::from_millis(10);
/// User time, then system time, counted from the end of the name of the process.
const TIMES: std::ops::Range<usize> = 11..13;

/// Time that all threads have computed.
pub(super) fn cpu() -> Result<Duration> {
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
pub(super) fn now() -> Result<u64> {
    field("VmRSS:")
}

/// The most that was resident since [`forget_peak`].
pub(super) fn peak() -> Result<u64> {
    field("VmHWM:")
}

/// The peak begins anew.
pub(super) fn forget_peak() -> Result<()> {
    if cfg!(target_os = "linux") {
        std::fs::write("/proc/self/clear_refs", "5")?;
    }
    Ok(())
}

fn field(name: &str) -> Result<u64> {
    if !cfg!(target_os = "linux") {
        return Ok(0);
    }
    let status = std::fs::read_to_string(STATUS)?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.with_context(|| format!("{STATUS} has no {name}"))?.trim().parse()?;
    Ok(kib << 10)
}
