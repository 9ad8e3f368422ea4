//! The exact set of a run, behind one of loom's locks: each call is one step.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::Arc;

use loom::sync::Mutex;
use splitstore_domain::BlockKey;
use splitstore_ports::{
    ErrorKind, MarkSet, MarkSetFactory, PortError, Reading, Result, SetHint, Visit, VisitSet, VisitSetFactory,
};

type Marks = BTreeMap<BlockKey, BTreeSet<Reading>>;

#[derive(Default)]
struct Set(Mutex<Marks>);

impl Set {
    fn with<T>(&self, work: impl FnOnce(&mut Marks) -> T) -> T {
        work(&mut self.0.lock().expect("loom poisons nothing"))
    }
}

impl MarkSet for Set {
    fn mark_many(&self, keys: &[BlockKey]) -> Result<()> {
        self.with(|marks| {
            for key in keys {
                marks.entry(key.clone()).or_default();
            }
        });
        Ok(())
    }

    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()> {
        self.with(|marks| answers.extend(keys.iter().map(|key| marks.contains_key(key))));
        Ok(())
    }

    fn len(&self) -> u64 {
        self.with(|marks| marks.len() as u64)
    }

    /// No interleaving reads it back: that is the simulator's part.
    fn seal(&self, out: &mut dyn Write) -> Result<()> {
        let sealed = out.write_all(&self.len().to_le_bytes());
        sealed.map_err(|source| PortError::io("seal the marks of a model", source))
    }
}

impl VisitSet for Set {
    fn visit_many(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        self.with(|marks| {
            let mut visit = |visit: &Visit| marks.entry(visit.key.clone()).or_default().insert(visit.reading);
            first.extend(visits.iter().map(&mut visit));
        });
        Ok(())
    }

    fn visited_many(&self, visits: &[Visit], before: &mut Vec<bool>) -> Result<()> {
        self.with(|marks| {
            let visited =
                |visit: &Visit| marks.get(&visit.key).is_some_and(|all| all.contains(&visit.reading));
            before.extend(visits.iter().map(visited));
        });
        Ok(())
    }
}

/// Makes them.
pub(crate) struct Sets;

impl VisitSetFactory for Sets {
    fn name(&self) -> &'static str {
        "model"
    }

    fn create(&self, _hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        Ok(Arc::new(Set::default()))
    }

    fn recover_visits(&self, _sealed: &mut dyn Read, _hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        Err(unsealed())
    }
}

impl MarkSetFactory for Sets {
    fn name(&self) -> &'static str {
        "model"
    }

    fn create(&self, _hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(Set::default()))
    }

    fn recover(&self, _sealed: &mut dyn Read, _hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Err(unsealed())
    }
}

fn unsealed() -> PortError {
    PortError::bare(ErrorKind::Unsupported, "recover the marks of a model")
}
