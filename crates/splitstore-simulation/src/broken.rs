//! A law that does not hold.

use std::fmt;

/// What was found.
#[derive(Debug, Clone)]
pub struct Broken {
    law: &'static str,
    what: String,
}

/// Nothing, or a finding.
pub(crate) type Verdict = Result<(), Broken>;

impl Broken {
    pub(crate) fn new(law: &'static str, what: impl Into<String>) -> Self {
        Self { law, what: what.into() }
    }

    /// The law.
    pub const fn law(&self) -> &'static str {
        self.law
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.what)
    }
}
