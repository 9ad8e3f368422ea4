//! The macros: one named test per clause and adapter.
//!
//! Each takes the name of the module to make and an expression that makes the thing under test, fresh for each
//! clause. Names in scope where the macro stands can be used in it.

/// Tests of a hot store: `hot_store!(redb, || InFolder::new(RedbStore::open))`. The closure makes a
/// [`crate::Fixture`] whose store is a `HotStore`.
#[macro_export]
macro_rules! hot_store {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make;
            blocks: what_was_put_is_found_byte_for_byte, absence_is_an_answer_and_no_error,
                view_shows_a_block_once, version_and_codec_do_not_matter, putting_twice_changes_nothing,
                an_empty_batch_is_no_error, a_batch_may_hold_one_block_twice,
                has_and_size_agree_with_the_data, view_many_shows_each_index_once,
                a_batch_of_any_size_reads_as_single_blocks_do, an_empty_block_is_a_block,
                a_block_of_one_mebibyte_passes, a_long_multihash_is_a_key_like_others,
                a_callback_may_read_from_the_same_store;
            scan: a_scan_yields_each_key_once_in_byte_order, a_scan_knows_codec_and_size,
                the_codec_is_that_of_one_of_the_puts, batches_of_any_size_make_the_same_scan,
                an_empty_store_scans_to_nothing, a_scan_does_not_see_later_puts;
            block_scan: a_block_scan_shows_each_block_whole_and_in_order,
                ranges_of_a_block_scan_make_the_whole, a_range_includes_its_start_and_not_its_end,
                a_snapshot_is_of_one_moment, a_look_begins_where_it_is_told, a_block_scan_ends_when_told,
                one_snapshot_serves_many_threads;
            rewrite: a_rewrite_leaves_out_what_is_doomed_and_nothing_else, ranges_to_rewrite_make_the_whole,
                a_rewrite_of_a_range_touches_no_other, what_a_rewrite_left_out_can_be_put_again,
                what_is_put_again_beside_a_rewrite_stays, a_rewrite_takes_nothing_from_a_snapshot,
                views_and_scans_keep_their_data_beside_a_rewrite, an_interrupted_rewrite_loses_nothing;
            delete: what_was_deleted_is_not_found, deleting_what_is_absent_is_skipped,
                a_deleted_block_can_be_put_again, a_scan_does_not_see_later_deletes,
                a_view_keeps_its_data_while_it_is_deleted;
            notes: a_note_comes_with_its_blocks_or_alone, notes_are_shown_in_the_order_of_their_calls,
                notes_are_no_blocks, cleared_notes_are_gone, many_notes_are_cleared,
                synced_notes_are_there_after_reopening, a_crash_keeps_a_note_and_its_blocks_or_neither,
                notes_from_many_threads_are_all_kept, a_reader_of_notes_may_use_the_store;
            link_notes: a_note_of_links_comes_with_its_blocks, notes_of_links_are_numbered_upwards,
                notes_of_links_are_no_blocks_and_no_other_notes,
                notes_of_links_are_cleared_up_to_a_number, synced_notes_of_links_are_there_after_reopening,
                a_crash_keeps_all_of_a_linked_call_or_nothing,
                notes_of_links_from_many_threads_are_all_kept;
            durable: synced_puts_are_there_after_reopening, sync_may_be_called_at_any_time,
                synced_deletes_stay_after_reopening, a_second_handle_is_locked_out;
            threads: readers_beside_a_writer_see_whole_blocks, writers_on_many_threads_lose_nothing,
                readers_beside_deletes_see_whole_blocks;
            maintenance: size_on_disk_grows_with_content, a_full_reclaim_keeps_content_and_gives_space_back,
                an_online_reclaim_keeps_content, an_interrupted_reclaim_loses_nothing,
                a_reclaim_runs_beside_readers_and_writers;
        }
    };
}

/// Tests of a cold store: `cold_store!(segments, || InFolder::new(Segments::open))`. The closure makes a
/// [`crate::Fixture`] whose store is a `ColdStore`.
#[macro_export]
macro_rules! cold_store {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make;
            blocks: what_was_put_is_found_byte_for_byte, absence_is_an_answer_and_no_error,
                view_shows_a_block_once, version_and_codec_do_not_matter, putting_twice_changes_nothing,
                an_empty_batch_is_no_error, a_batch_may_hold_one_block_twice,
                has_and_size_agree_with_the_data, view_many_shows_each_index_once,
                a_batch_of_any_size_reads_as_single_blocks_do, an_empty_block_is_a_block,
                a_block_of_one_mebibyte_passes, a_long_multihash_is_a_key_like_others,
                a_callback_may_read_from_the_same_store;
            scan: a_scan_yields_each_key_once_in_byte_order, a_scan_knows_codec_and_size,
                the_codec_is_that_of_one_of_the_puts, batches_of_any_size_make_the_same_scan,
                an_empty_store_scans_to_nothing, a_scan_does_not_see_later_puts;
            durable: synced_puts_are_there_after_reopening, sync_may_be_called_at_any_time,
                a_second_handle_is_locked_out;
            threads: readers_beside_a_writer_see_whole_blocks, writers_on_many_threads_lose_nothing;
            cold: data_that_is_not_the_cids_is_never_shown, deletion_where_offered_deletes;
            maintenance: cold_size_on_disk_grows_with_content, a_cold_reclaim_keeps_content;
        }
    };
}

/// Tests of a mark set: `mark_set!(bloom, || BloomFactory::new())`. The closure makes a `MarkSetFactory`.
#[macro_export]
macro_rules! mark_set {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make;
            marks: a_marked_key_is_always_found, keys_outside_the_hint_are_marked_too,
                answers_are_appended_in_order, most_absent_keys_are_not_marked,
                marking_from_many_threads_loses_nothing, a_sealed_set_recovers_all_marks,
                a_sealed_set_recovers_over_another_universe, a_recovered_set_can_be_marked,
                a_cut_seal_is_corrupt, a_flipped_bit_does_no_harm, two_sets_of_one_factory_are_apart;
        }
    };
}

/// Tests of a visit set: `visit_set!(exact, || ExactFactory::new())`. The closure makes a `VisitSetFactory`.
/// A bloom filter cannot stand here: it has no implementation.
#[macro_export]
macro_rules! visit_set {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make;
            visits: a_visit_is_first_once, a_visit_twice_in_a_batch_is_first_once,
                each_reading_is_a_visit_of_its_own, marking_is_not_visiting, a_visited_key_is_marked,
                first_answers_are_appended_in_order, asking_whether_a_visit_was_made_changes_nothing,
                one_thread_alone_is_first, an_absent_key_is_never_found, a_recovered_set_knows_its_visits,
                keys_of_any_length_are_told_apart, two_visit_sets_of_one_factory_are_apart;
        }
    };
}

/// Tests of a meta store: `meta_store!(redb, || InFolder::new(RedbMeta::open))`. The closure makes a
/// [`crate::Fixture`] whose store is a `MetaStore`.
#[macro_export]
macro_rules! meta_store {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make;
            meta: a_cell_never_set_is_none, a_cell_has_the_value_set_last, many_cells_are_set_as_one,
                readers_beside_a_writer_see_whole_values, values_are_there_after_reopening;
        }
    };
}

/// Tests of a file system: `file_system!(os, || OsFiles::new())`. The closure makes a `FileSystem`; all its
/// files lie in a temporary folder.
#[macro_export]
macro_rules! file_system {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make;
            files: what_was_written_is_read, a_file_that_is_not_there_is_none, create_replaces_what_was_there,
                a_file_needs_its_folder, append_goes_on_at_the_end, truncate_cuts_the_tail,
                rename_replaces_its_target, rename_moves_a_folder_with_its_files,
                removing_what_is_not_there_is_no_error, remove_dir_removes_all_it_holds,
                create_dir_makes_those_above_it, names_are_listed_sorted, free_space_is_told_or_none;
        }
    };
}

/// Tests of a chain: `chain_accessor!(filecoin, drawn)`. The closure draws a [`crate::chain::DrawnChain`].
#[macro_export]
macro_rules! chain_accessor {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make;
            chain: there_is_no_head_before_the_first, the_head_is_what_was_applied_last,
                a_null_round_is_answered_by_the_tipset_before, above_where_one_looks_from_there_is_none,
                a_key_of_headers_that_are_not_there_is_none, a_header_is_read_from_its_bytes,
                bytes_that_are_no_header_are_corrupt_and_named, listeners_hear_each_change_in_order;
        }
    };
}

/// Tests of a clock: `clock!(system, SystemClock::new)`.
#[macro_export]
macro_rules! clock {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__suite! { $name, $make; chain: elapsed_never_goes_back; }
    };
}

/// Tests of where a hot store on disk may be opened, and by whom: `hot_place!(rocksdb, || InFolder::new(open))`. The
/// closure makes an [`crate::InFolder`]. Not in a module of the same name as the [`hot_store`] suite.
#[macro_export]
macro_rules! hot_place {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__place_suite! { $name, $make;
            another_process_is_locked_out_and_told_where, another_handle_is_locked_out_and_told_where,
            a_file_where_the_folder_should_be_is_named, folders_on_the_way_are_made,
            a_process_that_dies_unsynced_loses_no_returned_write
        }
    };
}

/// One module of tests that know their own names; not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __place_suite {
    ($name:ident, $make:expr; $($clause:ident),+) => {
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "names that the expression may use")]
            use super::*;

            $(
                #[test]
                fn $clause() {
                    let make = $make;
                    $crate::places::$clause(&make(), concat!(module_path!(), "::", stringify!($clause)));
                }
            )+
        }
    };
}

/// One module of tests; not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __suite {
    ($name:ident, $make:expr; $($part:ident : $($clause:ident),+ ;)+) => {
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "names that the expression may use")]
            use super::*;

            $($(
                #[test]
                fn $clause() {
                    let make = $make;
                    $crate::$part::$clause(&make());
                }
            )+)+
        }
    };
}
