//! The contract of the format port as named tests, for formats here and downstream.
//!
//! A *clause* is a function whose doc quotes the sentence of the contract that it holds a format to;
//! [`segment_format!`](crate::segment_format) makes one `#[test]` of each:
//!
//! ```text
//!   segment_compaction::segment_format!(lines, || MySample::default());
//!
//!   test lines::the_newest_of_two_writes_wins ... ok
//!   test lines::a_flipped_bit_is_noticed_or_harmless ... ok
//! ```
//! The sample says how to put a numbered entry into a segment and how to read it back. Clauses panic with what was
//! expected and what was found: they are tests. All files lie in memory.

mod clauses;
mod ground;
pub use clauses::*;

use std::collections::BTreeMap;

use crate::error::FormatError;
use crate::format::SegmentFormat;
use crate::segment::Segment;

/// A format with numbered entries to test it by.
pub trait Sample {
    /// The format.
    type Format: SegmentFormat;

    /// The format under test.
    fn format(&self) -> Self::Format;

    /// Writes one entry as one block. Keys come ascending within a segment.
    fn write(
        &self,
        writer: &mut <Self::Format as SegmentFormat>::Writer,
        key: u16,
        value: u16,
    ) -> Result<(), FormatError>;

    /// What readers of these segments see, the newest last.
    fn content(&self, segments: &[Segment]) -> Result<BTreeMap<u16, u16>, FormatError>;

    /// Deletes an entry from one segment, durably.
    fn delete(&self, segment: &Segment, key: u16) -> Result<(), FormatError>;
}

/// Tests of a format: `segment_format!(lines, || LinesSample)`. The closure makes a
/// [`Sample`](crate::conformance::Sample).
#[macro_export]
macro_rules! segment_format {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__format_suite! { $name, $make;
            what_was_written_verifies_and_is_read, statistics_count_the_whole_index,
            a_writer_never_claims_more_bytes_than_the_file_has, the_newest_of_two_writes_wins,
            a_deletion_concerns_its_segment_alone, what_is_wholly_deleted_merges_to_nothing,
            any_subset_of_inputs_beside_the_output_has_its_content, a_merge_may_be_done_in_steps,
            outputs_roll_over_without_losing_a_block, an_estimate_covers_the_outputs,
            inputs_are_never_written_to, a_flipped_bit_is_noticed_or_harmless, a_cut_segment_is_noticed,
            a_missing_segment_is_an_error, a_merge_notices_its_cancel, a_failed_write_leaves_no_file;
        }
    };
}

/// One module of tests; not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __format_suite {
    ($name:ident, $make:expr; $($clause:ident),+ ;) => {
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "names that the expression may use")]
            use super::*;

            $(
                #[test]
                fn $clause() {
                    let make = $make;
                    $crate::conformance::$clause(&make());
                }
            )+
        }
    };
}
