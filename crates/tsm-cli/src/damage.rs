//! Damaged files among others: told as they are met, and gone on after, unless told to stop.

use anyhow::Result;

use crate::exit::{Outcome, told};

/// What to do at damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    Stop,
}

/// What was wrong so far.
#[derive(Debug)]
pub(crate) struct Damage {
    then: Then,
    said: Vec<String>,
}

impl Damage {
    pub(crate) fn new(then: Then) -> Self {
        Self { then, said: Vec::new() }
    }

    /// What came of a file: `None`, told, if it is damaged. Any other failure ends the command.
    pub(crate) fn pass<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(done) => Ok(Some(done)),
            Err(error) if self.then == Then::GoOn && is_damage(&error) => {
                self.note(&told(&error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells at once, on standard error: the result may be long in coming.
    pub(crate) fn note(&mut self, said: &str) {
        eprintln!("damaged: {said}");
        self.said.push(said.into());
    }

    /// All that was told.
    pub(crate) fn said(&self) -> &[String] {
        &self.said
    }

    pub(crate) fn outcome(&self) -> Outcome {
        if self.said.is_empty() { Outcome::Done } else { Outcome::Wrong }
    }
}

/// Whether bytes of a file are at fault.
pub(crate) fn is_damage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(tsm::Error::Damaged { .. })) || cause.is::<tsm::Fault>()
    })
}
