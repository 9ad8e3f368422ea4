//! How far a long command got: a bar on a terminal, lines elsewhere, nothing for machines. On standard error.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use splitstore::domain::ByteCount;
use splitstore::import::Progress;

use crate::output::Output;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows the progress of an import.
pub(crate) struct ImportProgress {
    show: Show,
    last_line: Duration,
}

enum Show {
    Nothing,
    Lines,
    Bar(ProgressBar),
}

impl ImportProgress {
    pub(crate) fn new(output: Output, now: Duration) -> Self {
        let show = match output {
            Output::Json => Show::Nothing,
            Output::Text if std::io::stderr().is_terminal() => Show::Bar(bar()),
            Output::Text => Show::Lines,
        };
        Self { show, last_line: now }
    }

    /// Shows where the import stands.
    pub(crate) fn at(&mut self, progress: &Progress, now: Duration) {
        match &self.show {
            Show::Nothing => {}
            Show::Bar(bar) => {
                bar.set_length(progress.file_bytes_total);
                bar.set_position(progress.file_bytes);
                bar.set_message(format!("{:<9} {} blocks", progress.pass, progress.blocks));
            }
            Show::Lines if now.saturating_sub(self.last_line) < PAUSE => {}
            Show::Lines => {
                self.last_line = now;
                line(progress);
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Show::Bar(bar) = self.show {
            bar.finish_and_clear();
        }
    }
}

fn line(progress: &Progress) {
    let Progress { pass, blocks, file_bytes, file_bytes_total } = progress;
    let percent = file_bytes.saturating_mul(100).checked_div(*file_bytes_total).unwrap_or(100);
    let total = ByteCount(*file_bytes_total);
    Output::Text.note(format_args!("{pass:<9} {percent:>3} % of {total}, {blocks} blocks"));
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(0);
    // The template is ours and is tried by every import on a terminal; a plain bar would do as well.
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "))
}
