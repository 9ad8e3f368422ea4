//! The merge of decoded blocks that overlap in time: every time once, from the newest block that holds it.
//!
//! ```text
//!   rank 2 (newest)   . . 3 . . 6 7 8 . .          heads: the next time of each block
//!   rank 1            1 . 3 4 . . . . . 10         a run: what one block holds before any other has a point
//!   rank 0            . 2 3 . 5 . . . 9 .          copied whole, found by galloping
//!   out               1 2 3 4 5 6 7 8 9 10         time 3: rank 2 wins, the others step over it
//! ```
//! Blocks are never sorted against each other: whether one comes "before" another is no order once three of them
//! overlap, and `InfluxDB` lets old values win there. Here each point is decided by (time, rank) alone.
//!
//! No allocation per point. Memory: the decoded blocks that are open at one time.

use crate::{Column, TypedValues};

/// A decoded block that takes part.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Sorted points, each time once.
    pub(super) column: Column,
    /// The next point.
    pub(super) at: usize,
    /// Which writes are newer: the place of the file, then of the block in its file.
    pub(super) rank: (usize, usize),
}

/// Blocks that are open, oldest first.
#[derive(Debug, Default)]
pub(super) struct Fold {
    cursors: Vec<Cursor>,
    /// The next time of each cursor.
    heads: Vec<i64>,
}

/// The least next time, who has it, and what that leaves to do.
struct Next {
    time: i64,
    winner: usize,
    /// The least next time of all others.
    second: Option<i64>,
}

impl Fold {
    /// Whether no point is left.
    pub(super) fn is_empty(&self) -> bool {
        self.cursors.is_empty()
    }

    /// The least time that is left.
    pub(super) fn first(&self) -> Option<i64> {
        self.heads.iter().copied().min()
    }

    /// Opens a block of sorted points. One without points is handed back.
    pub(super) fn open(&mut self, cursor: Cursor) -> Option<Column> {
        let Some(head) = cursor.column.times().get(cursor.at).copied() else { return Some(cursor.column) };
        let place = self.cursors.partition_point(|other| other.rank < cursor.rank);
        self.cursors.insert(place, cursor);
        self.heads.insert(place, head);
        None
    }

    /// Moves points to `out` in order of time, until `out` holds `enough`, or the next time is not before `bound`,
    /// or none is left. Columns that are used up go to `spent`.
    ///
    /// All columns must have the type of `V`.
    pub(super) fn advance<V: TypedValues>(
        &mut self,
        out: &mut Column,
        enough: usize,
        bound: Option<i64>,
        spent: &mut Vec<Column>,
    ) {
        while out.len() < enough {
            let Some(next) = self.next() else { return };
            if bound.is_some_and(|bound| next.time >= bound) {
                return;
            }
            if next.second == Some(next.time) {
                self.resolve::<V>(out, next.time, next.winner, spent);
            } else {
                let limit = next.second.into_iter().chain(bound).min();
                self.copy_run::<V>(out, next.winner, limit, enough);
                self.close_if_done(next.winner, spent);
            }
        }
    }

    /// One pass over the heads; of equal ones the newest wins, which is the last.
    fn next(&self) -> Option<Next> {
        let mut heads = self.heads.iter().copied().enumerate();
        let (mut winner, mut time) = heads.next()?;
        let mut second = None;
        for (index, head) in heads {
            if head <= time {
                (second, winner, time) = (Some(time), index, head);
            } else if second.is_none_or(|second| head < second) {
                second = Some(head);
            }
        }
        Some(Next { time, winner, second })
    }

    /// Several blocks hold this time: the winner's point goes out, all step over it.
    fn resolve<V: TypedValues>(
        &mut self,
        out: &mut Column,
        time: i64,
        winner: usize,
        spent: &mut Vec<Column>,
    ) {
        let Cursor { column, at, .. } = &self.cursors[winner];
        append::<V>(out, column, *at, *at + 1);
        for index in (0..self.cursors.len()).rev() {
            if self.heads[index] == time {
                self.cursors[index].step(1, &mut self.heads[index]);
                self.close_if_done(index, spent);
            }
        }
    }

    /// What the winner holds before `limit`, as far as there is room.
    fn copy_run<V: TypedValues>(
        &mut self,
        out: &mut Column,
        winner: usize,
        limit: Option<i64>,
        enough: usize,
    ) {
        let cursor = &mut self.cursors[winner];
        let room = enough - out.len();
        let rest = &cursor.column.times()[cursor.at..];
        let rest = &rest[..rest.len().min(room)];
        let run = limit.map_or(rest.len(), |limit| gallop(rest, limit));
        append::<V>(out, &cursor.column, cursor.at, cursor.at + run);
        cursor.step(run, &mut self.heads[winner]);
    }

    fn close_if_done(&mut self, index: usize, spent: &mut Vec<Column>) {
        if self.cursors[index].at == self.cursors[index].column.len() {
            self.heads.remove(index);
            spent.push(self.cursors.remove(index).column);
        }
    }
}

impl Cursor {
    fn step(&mut self, points: usize, head: &mut i64) {
        self.at += points;
        if let Some(time) = self.column.times().get(self.at) {
            *head = *time;
        }
    }
}

/// How many times come before `limit`; the first does. Doubling steps, then bisection: short runs stay cheap.
fn gallop(times: &[i64], limit: i64) -> usize {
    let mut step = 1;
    while step < times.len() && times[step] < limit {
        step *= 2;
    }
    let from = step / 2;
    from + times[from..times.len().min(step)].partition_point(|time| *time < limit)
}

fn append<V: TypedValues>(out: &mut Column, from: &Column, start: usize, end: usize) {
    let values = V::of(from.values()).expect("all blocks of a key have one type");
    let (times_out, values_out) = out.parts_mut();
    let values_out = V::of_mut(values_out).expect("the output has the type of the key");
    if end - start == 1 {
        times_out.push(from.times()[start]);
        values_out.push_from(values, start);
    } else {
        times_out.extend_from_slice(&from.times()[start..end]);
        values_out.extend_from(values, start..end);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{BlockType, Values};

    fn cursor(rank: usize, points: &[(i64, i64)]) -> Cursor {
        let (times, values) = points.iter().copied().unzip();
        Cursor { column: Column::new(times, Values::Integer(values)).unwrap(), at: 0, rank: (rank, 0) }
    }

    /// Everything, in steps of at most `enough` points.
    fn merged(blocks: Vec<Cursor>, enough: usize) -> Vec<(i64, i64)> {
        let (mut fold, mut spent) = (Fold::default(), Vec::new());
        let opened = blocks.len();
        spent.extend(blocks.into_iter().filter_map(|block| fold.open(block)));
        let mut all = Vec::new();
        while !fold.is_empty() {
            let mut out = Column::empty(BlockType::Integer);
            fold.advance::<Vec<i64>>(&mut out, enough, None, &mut spent);
            let values = Vec::<i64>::of(out.values()).unwrap();
            all.extend(out.times().iter().copied().zip(values.iter().copied()));
        }
        assert_eq!(spent.len(), opened);
        all
    }

    #[test]
    fn of_one_time_the_newest_value_stays_whatever_the_order_of_opening() {
        let drawn = || {
            [
                cursor(1, &[(1, 11), (3, 13), (4, 14), (10, 20)]),
                cursor(2, &[(3, 23), (6, 26), (7, 27)]),
                cursor(0, &[(2, 2), (3, 3), (5, 5), (9, 9)]),
            ]
        };
        let expected = [(1, 11), (2, 2), (3, 23), (4, 14), (5, 5), (6, 26), (7, 27), (9, 9), (10, 20)];
        for enough in 1..12 {
            assert_eq!(merged(drawn().into(), enough), expected, "{enough}");
        }
    }

    #[test]
    fn nothing_at_or_after_the_bound_moves() {
        let (mut fold, mut out) = (Fold::default(), Column::empty(BlockType::Integer));
        fold.open(cursor(0, &[(1, 1), (4, 4), (5, 5)]));
        fold.open(cursor(1, &[(2, 2), (5, 6)]));
        fold.advance::<Vec<i64>>(&mut out, 100, Some(5), &mut Vec::new());
        assert_eq!(out.times(), [1, 2, 4]);
        assert_eq!(fold.first(), Some(5));
    }

    #[test]
    fn it_equals_writing_all_points_into_a_map_in_order_of_rank() {
        let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
        let mut roll = |below: u32| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(dice >> 33).unwrap() % below
        };
        for _ in 0..300 {
            let mut model = BTreeMap::new();
            let mut blocks = Vec::new();
            for rank in 0..=roll(70) {
                let points = (0..roll(30)).map(|_| (i64::from(roll(60)), i64::from(roll(1 << 30))));
                let points: BTreeMap<_, _> = points.collect();
                model.extend(points.clone());
                blocks.push(cursor(rank as usize, &points.into_iter().collect::<Vec<_>>()));
            }
            let middle = blocks.len() / 2;
            blocks.rotate_left(middle);
            let enough = 1 + roll(20) as usize;
            assert_eq!(merged(blocks, enough), model.into_iter().collect::<Vec<_>>());
        }
    }
}
