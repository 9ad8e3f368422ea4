//! How long this thread has waited for a processor, as Linux counts it.
//!
//! ```text
//!   /proc/thread-self/schedstat     "<ns on a processor> <ns in the run queue> <turns>"
//! ```

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The count of the thread that opened it.
pub(crate) struct Queue(Option<File>);

impl Queue {
    /// The count of this thread; always zero where the system has none.
    pub(crate) fn of_this_thread() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    /// Time in the run queue so far.
    pub(crate) fn waited(&self) -> Duration {
        let mut text = [0; 80];
        let read = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok());
        let words = text.get(..read.unwrap_or(0)).and_then(|text| std::str::from_utf8(text).ok());
        let waited = words.and_then(|words| words.split(' ').nth(1)).and_then(|word| word.parse().ok());
        Duration::from_nanos(waited.unwrap_or(0))
    }
}
