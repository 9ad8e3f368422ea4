//! The points of one key in the order of their arrival, sorted when somebody reads them.

use crate::{Column, Points, Refusal, TimeRange, ValuesRef};

/// Points of a key.
#[derive(Debug)]
pub(super) struct Entry {
    column: Column,
    order: Order,
}

/// Whether points are as a file needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Sorted, each time once.
    Sorted,
    /// As they came.
    Arrival,
}

impl Entry {
    pub(super) fn new(points: Points<'_>) -> Self {
        let mut column = Column::empty(points.values.kind());
        column.append(points);
        let order = if column.is_sorted() { Order::Sorted } else { Order::Arrival };
        Self { column, order }
    }

    /// Appends points that are newer than those before; the bytes added.
    pub(super) fn append(&mut self, points: Points<'_>) -> Result<(), Refusal> {
        let (key, block) = (self.column.kind(), points.values.kind());
        if key != block {
            return Err(Refusal::MixedTypes { key, block });
        }
        let follows = self.column.times().last() < points.times.first();
        if !follows || !points.times.is_sorted_by(|a, b| a < b) {
            self.order = Order::Arrival;
        }
        self.column.append(points);
        Ok(())
    }

    /// Its points, sorted, each time once: of two with one time the newer stays.
    pub(super) fn sorted(&mut self) -> &Column {
        if self.order == Order::Arrival {
            self.column.sort_and_dedup();
            self.order = Order::Sorted;
        }
        &self.column
    }

    pub(super) fn delete(&mut self, times: TimeRange) {
        self.sorted();
        self.column.remove_times(times);
    }

    pub(super) fn column(&self) -> &Column {
        &self.column
    }

    pub(super) fn bytes(&self) -> u64 {
        bytes_of(self.column.points())
    }
}

/// Bytes that points take: 8 for each timestamp, and their values.
pub(super) fn bytes_of(points: Points<'_>) -> u64 {
    let values = match points.values {
        ValuesRef::Float(values) => size_of_val(values),
        ValuesRef::Integer(values) => size_of_val(values),
        ValuesRef::Unsigned(values) => size_of_val(values),
        ValuesRef::Boolean(values) => size_of_val(values),
        ValuesRef::String(values) => {
            values.iter().map(<[u8]>::len).sum::<usize>() + size_of::<usize>() * values.len()
        }
    };
    (size_of_val(points.times) + values) as u64
}
