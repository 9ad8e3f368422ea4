//! Points of one key: timestamps and values side by side.
//!
//! Invariant: as many values as timestamps. Columns are reused: decoding into one allocates only while it grows.

use std::ops::Range;

use crate::{BlockType, Refusal, TimeRange, Values, ValuesRef};

/// Timestamps and as many values of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    times: Vec<i64>,
    values: Values,
}

/// Some consecutive points, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    /// Their times.
    pub times: &'a [i64],
    /// Their values, as many.
    pub values: ValuesRef<'a>,
}

impl Column {
    /// No points, of a type.
    pub fn empty(kind: BlockType) -> Self {
        Self { times: Vec::new(), values: Values::empty(kind) }
    }

    /// Refuses unequal lengths.
    pub fn new(times: Vec<i64>, values: Values) -> Result<Self, Refusal> {
        if times.len() == values.len() {
            return Ok(Self { times, values });
        }
        Err(Refusal::CountMismatch { times: times.len(), values: values.len() })
    }

    /// The type of the values.
    pub fn kind(&self) -> BlockType {
        self.values.kind()
    }

    /// How many points.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The timestamps.
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// The values.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Both, to be changed in step: leave as many values as timestamps.
    pub fn parts_mut(&mut self) -> (&mut Vec<i64>, &mut Values) {
        (&mut self.times, &mut self.values)
    }

    /// Both, taken apart.
    pub fn into_parts(self) -> (Vec<i64>, Values) {
        (self.times, self.values)
    }

    /// First and last timestamp of sorted points.
    pub fn time_range(&self) -> Option<TimeRange> {
        Some(TimeRange { min: *self.times.first()?, max: *self.times.last()? })
    }

    /// Removes all points and takes a type; memory is kept if the type stays.
    pub fn reset(&mut self, kind: BlockType) {
        self.times.clear();
        self.values.reset(kind);
    }

    /// Appends some points of another column. Panics if the types differ.
    pub fn extend_from(&mut self, other: &Self, range: Range<usize>) {
        self.values.extend_from(&other.values, range.clone());
        self.times.extend_from_slice(&other.times[range]);
    }

    /// Appends points. Panics if the types differ.
    pub fn append(&mut self, points: Points<'_>) {
        self.values.append(points.values);
        self.times.extend_from_slice(points.times);
    }

    /// Removes some points; what follows moves up.
    pub fn remove(&mut self, range: Range<usize>) {
        self.times.drain(range.clone());
        self.values.remove(range);
    }

    /// Where the points of a range of times are. The points must be sorted.
    pub fn find(&self, range: TimeRange) -> Range<usize> {
        let start = self.times.partition_point(|time| *time < range.min);
        let end = self.times.partition_point(|time| *time <= range.max);
        start..end.max(start)
    }

    /// Removes the points of a range of times. The points must be sorted.
    pub fn remove_times(&mut self, range: TimeRange) {
        self.remove(self.find(range));
    }

    /// Keeps only the points of a range of times. The points must be sorted.
    pub fn keep_times(&mut self, range: TimeRange) {
        let kept = self.find(range);
        self.times.truncate(kept.end);
        self.values.truncate(kept.end);
        self.remove(0..kept.start.min(kept.end));
    }

    /// Whether every timestamp is greater than the one before.
    pub fn is_sorted(&self) -> bool {
        self.times.is_sorted_by(|a, b| a < b)
    }

    /// Sorts by time; of points with one time the last stays. Does nothing to what is sorted.
    pub fn sort_and_dedup(&mut self) {
        if self.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|index| self.times[*index]);
        let mut sorted = Self::empty(self.kind());
        for (at, index) in order.iter().enumerate() {
            let superseded = order.get(at + 1).is_some_and(|next| self.times[*next] == self.times[*index]);
            if !superseded {
                sorted.extend_from(self, *index..*index + 1);
            }
        }
        *self = sorted;
    }

    /// Some points, borrowed.
    pub fn slice(&self, range: Range<usize>) -> Points<'_> {
        Points { times: &self.times[range.clone()], values: self.values.slice(range) }
    }

    /// All points, borrowed.
    pub fn points(&self) -> Points<'_> {
        self.slice(0..self.len())
    }

    /// Whether both hold the same points, values compared by their bits.
    pub fn same_bits(&self, other: &Self) -> bool {
        self.times == other.times && self.values.same_bits(&other.values)
    }
}

impl<'a> Points<'a> {
    /// Some of them.
    pub fn slice(self, range: Range<usize>) -> Points<'a> {
        Points { times: &self.times[range.clone()], values: self.values.slice(range) }
    }

    /// First and last timestamp of sorted points.
    pub fn time_range(&self) -> Option<TimeRange> {
        Some(TimeRange { min: *self.times.first()?, max: *self.times.last()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(points: &[(i64, i64)]) -> Column {
        let (times, values) = points.iter().copied().unzip();
        Column::new(times, Values::Integer(values)).unwrap()
    }

    #[test]
    fn the_last_of_two_points_with_one_time_stays() {
        let mut points = column(&[(5, 1), (3, 2), (5, 3), (4, 4), (3, 5)]);
        points.sort_and_dedup();
        assert_eq!(points, column(&[(3, 5), (4, 4), (5, 3)]));
    }

    #[test]
    fn both_ends_of_a_removed_range_go() {
        let mut points = column(&[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
        points.remove_times(TimeRange::new(2, 4));
        assert_eq!(points, column(&[(1, 1), (5, 5)]));
        points.remove_times(TimeRange::new(2, 4));
        points.remove_times(TimeRange::new(9, 2));
        assert_eq!(points.len(), 2);
        points.remove_times(TimeRange::ALL);
        assert!(points.is_empty());
    }

    #[test]
    fn unequal_lengths_are_refused() {
        let error = Column::new(vec![1], Values::Boolean(vec![])).unwrap_err();
        assert_eq!(error, Refusal::CountMismatch { times: 1, values: 0 });
    }
}
