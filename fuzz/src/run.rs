//! One run of a target on one input: panics caught, memory counted.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use crate::targets::{Outcome, Target, allowance};

/// What became of an input.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed(Outcome),
    Failed(Failure),
}

/// Why an input fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// With its message.
    Panic(String),
    /// Bytes held at once, beyond the allowance.
    Memory(u64),
}

impl Failure {
    /// Whether it is the same thing that fails; a smaller input may take less memory.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory(_), Self::Memory(_)) => true,
            _ => self == other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic(message) => write!(f, "panic: {message}"),
            Self::Memory(bytes) => write!(f, "{bytes} bytes allocated at once"),
        }
    }
}

pub(crate) fn run(target: &Target, input: &[u8]) -> Verdict {
    let mut caught = None;
    let memory = allocation_counter::measure(|| {
        caught = Some(catch_unwind(AssertUnwindSafe(|| (target.run)(input))));
    });
    match caught {
        Some(Err(panic)) => Verdict::Failed(Failure::Panic(message(&*panic))),
        _ if memory.bytes_max > allowance(input.len()) => Verdict::Failed(Failure::Memory(memory.bytes_max)),
        Some(Ok(outcome)) => Verdict::Passed(outcome),
        None => Verdict::Failed(Failure::Panic("the target did not run".into())),
    }
}

/// They are told once, when they are smallest.
pub(crate) fn silence_panics() {
    set_hook(Box::new(|_| {}));
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
