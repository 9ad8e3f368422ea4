//! What loops over values of one type need: write a merge once, generic over this, and match on the type once
//! per key instead of once per point.

use std::ops::Range;

use crate::strings::Strings;
use crate::{BlockType, Values};

/// A growable vector of values of one type.
pub trait TypedValues: Default + Sized {
    /// The type of block that holds them.
    const KIND: BlockType;

    /// Out of an untyped vector, if it has this type.
    fn of(values: &Values) -> Option<&Self>;
    /// Out of an untyped vector, if it has this type.
    fn of_mut(values: &mut Values) -> Option<&mut Self>;
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Removes all and keeps the memory.
    fn clear(&mut self);
    /// Appends one value of another vector.
    fn push_from(&mut self, other: &Self, index: usize);
    /// Appends some values of another vector.
    fn extend_from(&mut self, other: &Self, range: Range<usize>);
    /// Removes some; what follows moves up.
    fn remove_range(&mut self, range: Range<usize>);
    /// Keeps the first `len`.
    fn truncate(&mut self, len: usize);
}

macro_rules! plain {
    ($value:ty, $kind:ident) => {
        impl TypedValues for Vec<$value> {
            const KIND: BlockType = BlockType::$kind;

            fn of(values: &Values) -> Option<&Self> {
                if let Values::$kind(typed) = values { Some(typed) } else { None }
            }
            fn of_mut(values: &mut Values) -> Option<&mut Self> {
                if let Values::$kind(typed) = values { Some(typed) } else { None }
            }
            fn len(&self) -> usize {
                Vec::len(self)
            }
            fn clear(&mut self) {
                Vec::clear(self);
            }
            fn push_from(&mut self, other: &Self, index: usize) {
                self.push(other[index]);
            }
            fn extend_from(&mut self, other: &Self, range: Range<usize>) {
                self.extend_from_slice(&other[range]);
            }
            fn remove_range(&mut self, range: Range<usize>) {
                self.drain(range);
            }
            fn truncate(&mut self, len: usize) {
                Vec::truncate(self, len);
            }
        }
    };
}

plain!(f64, Float);
plain!(i64, Integer);
plain!(u64, Unsigned);
plain!(bool, Boolean);

impl TypedValues for Strings {
    const KIND: BlockType = BlockType::String;

    fn of(values: &Values) -> Option<&Self> {
        if let Values::String(typed) = values { Some(typed) } else { None }
    }
    fn of_mut(values: &mut Values) -> Option<&mut Self> {
        if let Values::String(typed) = values { Some(typed) } else { None }
    }
    fn len(&self) -> usize {
        Self::len(self)
    }
    fn clear(&mut self) {
        Self::clear(self);
    }
    fn push_from(&mut self, other: &Self, index: usize) {
        self.push(other.get(index));
    }
    fn extend_from(&mut self, other: &Self, range: Range<usize>) {
        Self::extend_from(self, other, range);
    }
    fn remove_range(&mut self, range: Range<usize>) {
        self.remove(range);
    }
    fn truncate(&mut self, len: usize) {
        Self::truncate(self, len);
    }
}
