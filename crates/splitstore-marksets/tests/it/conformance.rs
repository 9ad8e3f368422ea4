//! The contract, clause by clause.

use splitstore_conformance::{mark_set, visit_set};
use splitstore_marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};

mark_set!(exact_marks, || ExactSets);
visit_set!(exact_visits, || ExactSets);
mark_set!(roaring_marks, || RoaringSets);
mark_set!(bloom_marks, || BloomSets);
mark_set!(disk_marks, || DiskSets::default());
visit_set!(disk_visits, || DiskSets::default());
mark_set!(spilling_disk_marks, || DiskSets::with_buffer(100));
visit_set!(spilling_disk_visits, || DiskSets::with_buffer(100));
