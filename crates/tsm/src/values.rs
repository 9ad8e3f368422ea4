//! Values of one type: what a column holds beside its timestamps.

use std::ops::Range;

use crate::strings::{Strings, StringsRef};
use crate::{BlockType, TypedValues};

/// A vector of values of one of the five types.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// `float64`. Compare bits, not values: a file from elsewhere may hold NaN.
    Float(Vec<f64>),
    /// `int64`.
    Integer(Vec<i64>),
    /// `bool`.
    Boolean(Vec<bool>),
    /// Byte strings.
    String(Strings),
    /// `uint64`.
    Unsigned(Vec<u64>),
}

/// Some consecutive values, borrowed.
#[derive(Debug, Clone, Copy)]
pub enum ValuesRef<'a> {
    /// `float64`.
    Float(&'a [f64]),
    /// `int64`.
    Integer(&'a [i64]),
    /// `bool`.
    Boolean(&'a [bool]),
    /// Byte strings.
    String(StringsRef<'a>),
    /// `uint64`.
    Unsigned(&'a [u64]),
}

/// Does the same with whatever type it is, of [`Values`] or [`ValuesRef`].
macro_rules! each {
    ($values:expr, $typed:ident => $what:expr) => {
        each!(Values, $values, $typed => $what)
    };
    ($all:ident, $values:expr, $typed:ident => $what:expr) => {
        match $values {
            $all::Float($typed) => $what,
            $all::Integer($typed) => $what,
            $all::Boolean($typed) => $what,
            $all::String($typed) => $what,
            $all::Unsigned($typed) => $what,
        }
    };
}

impl Values {
    /// No values, of a type.
    pub fn empty(kind: BlockType) -> Self {
        match kind {
            BlockType::Float => Self::Float(Vec::new()),
            BlockType::Integer => Self::Integer(Vec::new()),
            BlockType::Boolean => Self::Boolean(Vec::new()),
            BlockType::String => Self::String(Strings::default()),
            BlockType::Unsigned => Self::Unsigned(Vec::new()),
        }
    }

    /// Their type.
    pub fn kind(&self) -> BlockType {
        match self {
            Self::Float(_) => BlockType::Float,
            Self::Integer(_) => BlockType::Integer,
            Self::Boolean(_) => BlockType::Boolean,
            Self::String(_) => BlockType::String,
            Self::Unsigned(_) => BlockType::Unsigned,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        each!(self, typed => typed.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all and takes a type; memory is kept if the type stays.
    pub fn reset(&mut self, kind: BlockType) {
        if self.kind() == kind {
            each!(self, typed => typed.clear());
        } else {
            *self = Self::empty(kind);
        }
    }

    /// Appends some of another vector. Panics if the types differ.
    pub fn extend_from(&mut self, other: &Self, range: Range<usize>) {
        match (self, other) {
            (Self::Float(to), Self::Float(from)) => to.extend_from(from, range),
            (Self::Integer(to), Self::Integer(from)) => to.extend_from(from, range),
            (Self::Boolean(to), Self::Boolean(from)) => to.extend_from(from, range),
            (Self::String(to), Self::String(from)) => to.extend_from(from, range),
            (Self::Unsigned(to), Self::Unsigned(from)) => to.extend_from(from, range),
            (to, from) => panic!("values of type {} under type {}", from.kind(), to.kind()),
        }
    }

    /// Appends borrowed values. Panics if the types differ.
    pub fn append(&mut self, other: ValuesRef<'_>) {
        match (self, other) {
            (Self::Float(to), ValuesRef::Float(from)) => to.extend_from_slice(from),
            (Self::Integer(to), ValuesRef::Integer(from)) => to.extend_from_slice(from),
            (Self::Boolean(to), ValuesRef::Boolean(from)) => to.extend_from_slice(from),
            (Self::String(to), ValuesRef::String(from)) => from.iter().for_each(|string| to.push(string)),
            (Self::Unsigned(to), ValuesRef::Unsigned(from)) => to.extend_from_slice(from),
            (to, from) => panic!("values of type {} under type {}", from.kind(), to.kind()),
        }
    }

    /// Removes some; what follows moves up.
    pub fn remove(&mut self, range: Range<usize>) {
        each!(self, typed => typed.remove_range(range));
    }

    /// Keeps the first `len`.
    pub fn truncate(&mut self, len: usize) {
        each!(self, typed => typed.truncate(len));
    }

    /// Some of them, borrowed.
    pub fn slice(&self, range: Range<usize>) -> ValuesRef<'_> {
        match self {
            Self::Float(all) => ValuesRef::Float(&all[range]),
            Self::Integer(all) => ValuesRef::Integer(&all[range]),
            Self::Boolean(all) => ValuesRef::Boolean(&all[range]),
            Self::String(all) => ValuesRef::String(all.slice(range)),
            Self::Unsigned(all) => ValuesRef::Unsigned(&all[range]),
        }
    }

    /// Whether both hold the same bits: NaN equals itself, 0 does not equal -0.
    pub fn same_bits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => {
                a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()))
            }
            _ => self == other,
        }
    }
}

impl<'a> ValuesRef<'a> {
    /// Some of them.
    pub fn slice(self, range: Range<usize>) -> ValuesRef<'a> {
        match self {
            Self::Float(all) => ValuesRef::Float(&all[range]),
            Self::Integer(all) => ValuesRef::Integer(&all[range]),
            Self::Boolean(all) => ValuesRef::Boolean(&all[range]),
            Self::String(all) => ValuesRef::String(all.slice(range)),
            Self::Unsigned(all) => ValuesRef::Unsigned(&all[range]),
        }
    }

    /// Their type.
    pub fn kind(&self) -> BlockType {
        match self {
            Self::Float(_) => BlockType::Float,
            Self::Integer(_) => BlockType::Integer,
            Self::Boolean(_) => BlockType::Boolean,
            Self::String(_) => BlockType::String,
            Self::Unsigned(_) => BlockType::Unsigned,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        each!(ValuesRef, self, all => all.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
