//! The mark sets of a seed; those on disk get a folder of the real one.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use splitstore_marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};
use splitstore_orchestrator::{ExactFactory, MarkSets};
use splitstore_ports::{MarkSet, MarkSetFactory, Result, SetHint, VisitSet, VisitSetFactory};
use tempfile::TempDir;

use crate::dice::Dice;

/// Which mark sets a seed uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sets {
    Exact,
    Disk,
    ExactBehindBloom,
    ExactBehindRoaring,
    DiskBehindBloom,
}

impl Sets {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        match dice.below(8) {
            0..3 => Self::Exact,
            3 => Self::Disk,
            4 | 5 => Self::ExactBehindBloom,
            6 => Self::ExactBehindRoaring,
            _ => Self::DiskBehindBloom,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Disk => "disk",
            Self::ExactBehindBloom => "bloom, exact",
            Self::ExactBehindRoaring => "roaring, exact",
            Self::DiskBehindBloom => "bloom, disk",
        }
    }

    fn is_on_disk(self) -> bool {
        matches!(self, Self::Disk | Self::DiskBehindBloom)
    }
}

/// The sets, and what must outlive them.
pub(crate) struct SetsOfSeed {
    sets: Sets,
    scratch: Option<TempDir>,
}

impl SetsOfSeed {
    pub(crate) fn new(sets: Sets) -> Self {
        let scratch = sets.is_on_disk().then(|| TempDir::new().expect("a folder for what is temporary"));
        Self { sets, scratch }
    }

    pub(crate) fn factories(&self) -> MarkSets {
        let visits: Arc<dyn ExactFactory> = match &self.scratch {
            Some(scratch) => Arc::new(Scratch { folder: scratch.path().into() }),
            None => Arc::new(ExactSets),
        };
        let marks: Arc<dyn MarkSetFactory> = match self.sets {
            Sets::Exact | Sets::Disk => return MarkSets::Exact(visits),
            Sets::ExactBehindBloom | Sets::DiskBehindBloom => Arc::new(BloomSets),
            Sets::ExactBehindRoaring => Arc::new(RoaringSets),
        };
        MarkSets::Split { visits, marks }
    }
}

/// Sets on disk beside a file system that is none. Their buffer is so small that they spill.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn hint<'a>(&'a self, hint: &SetHint<'a>) -> SetHint<'a> {
        SetHint { folder: &self.folder, ..*hint }
    }
}

const SETS: fn() -> DiskSets = || DiskSets::with_buffer(48);

impl MarkSetFactory for Scratch {
    fn name(&self) -> &'static str {
        MarkSetFactory::name(&SETS())
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        MarkSetFactory::create(&SETS(), &self.hint(hint))
    }

    fn recover(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        SETS().recover(sealed, &self.hint(hint))
    }
}

impl VisitSetFactory for Scratch {
    fn name(&self) -> &'static str {
        VisitSetFactory::name(&SETS())
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        VisitSetFactory::create(&SETS(), &self.hint(hint))
    }

    fn recover_visits(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        SETS().recover_visits(sealed, &self.hint(hint))
    }
}
