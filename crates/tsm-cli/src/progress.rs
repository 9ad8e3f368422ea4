//! How far a long command got: a bar on a terminal, a line at times elsewhere, nothing for machines.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use segment_compaction::{Event, Observer};

use crate::output::{Output, bytes};

/// A bar of bytes.
pub(crate) fn bar(output: Output, total: u64) -> ProgressBar {
    if output == Output::Json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    // The template is ours; a plain bar would do as well.
    ProgressBar::new(total)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "))
}

/// Bytes of which nobody knows how many there are.
pub(crate) fn spinner(output: Output) -> ProgressBar {
    let bar = bar(output, 0);
    let style = ProgressStyle::with_template("{msg} {bytes} {bytes_per_sec}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// Shows compactions.
pub(crate) struct Shown {
    output: Output,
    bar: ProgressBar,
}

impl Shown {
    pub(crate) fn new(output: Output) -> Self {
        let bar = bar(output, 0);
        bar.set_message("compact");
        Self { output, bar }
    }
}

impl Observer for Shown {
    fn on_event(&self, event: &Event) {
        match event {
            Event::Progress { bytes, of_bytes, .. } => {
                self.bar.set_length(*of_bytes);
                self.bar.set_position(*bytes);
            }
            Event::Finished(report) => {
                self.bar.reset();
                let (from, to) = (report.inputs.len(), report.outputs.len());
                let (before, after) = (bytes(report.bytes_in), bytes(report.bytes_out));
                let took = report.took.as_secs_f64();
                self.output
                    .note(format_args!("{from} files, {before} -> {to} files, {after} in {took:.1} s"));
            }
            Event::Damaged { segment, reason } => {
                self.output.note(format_args!("segment {segment}: {reason}"));
            }
            _ => {}
        }
    }
}
