//! Clauses of `MetaStore`.

use splitstore_ports::{MetaCell, MetaStore};

use crate::probe::open;
use crate::{Fixture, Persistent};

/// "The value of a cell; `None` if never set."
pub fn a_cell_never_set_is_none(fixture: &impl Fixture<Store: MetaStore>) {
    let meta = open(fixture);
    for cell in MetaCell::ALL {
        assert_eq!(meta.get(cell).expect("get"), None, "{}", cell.name());
    }
    meta.set_many(&[]).expect("set nothing");
    meta.set_many(&[(MetaCell::Head, vec![1])]).expect("set");
    assert_eq!(meta.get(MetaCell::BaseEpoch).expect("get"), None, "setting one sets no other");
}

/// "Sets cells": the value is that of the last call, byte for byte, also an empty one.
pub fn a_cell_has_the_value_set_last(fixture: &impl Fixture<Store: MetaStore>) {
    let meta = open(fixture);
    for value in [vec![1, 2, 3], vec![0; 4096], Vec::new(), vec![9]] {
        meta.set_many(&[(MetaCell::Head, value.clone())]).expect("set");
        assert_eq!(meta.get(MetaCell::Head).expect("get"), Some(value));
    }
}

/// "`set_many` changes all its cells": each to its own value.
pub fn many_cells_are_set_as_one(fixture: &impl Fixture<Store: MetaStore>) {
    let meta = open(fixture);
    let values = all_cells(7);
    meta.set_many(&values).expect("set");
    for (cell, value) in values {
        assert_eq!(meta.get(cell).expect("get"), Some(value), "{}", cell.name());
    }
}

/// "As one atomic ... change": a failed call apart, readers beside a writer see whole values.
pub fn readers_beside_a_writer_see_whole_values(fixture: &impl Fixture<Store: MetaStore>) {
    let meta = open(fixture);
    meta.set_many(&all_cells(0)).expect("set");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..50).for_each(|round| meta.set_many(&all_cells(round)).expect("set")));
        for _ in 0..200 {
            let value = meta.get(MetaCell::Head).expect("get").expect("a value once set");
            assert!(value.len() == 40 && value.windows(2).all(|pair| pair[0] == pair[1]), "torn: {value:?}");
        }
    });
}

/// "Durable when `set_many` returns."
pub fn values_are_there_after_reopening(fixture: &impl Fixture<Store: MetaStore>) {
    let meta = open(fixture);
    meta.set_many(&all_cells(1)).expect("set");
    meta.set_many(&[(MetaCell::BaseEpoch, vec![2; 8])]).expect("set");
    let meta = if fixture.caps().persistent == Persistent::Yes {
        drop(meta);
        open(fixture)
    } else {
        meta
    };
    assert_eq!(meta.get(MetaCell::BaseEpoch).expect("get"), Some(vec![2; 8]));
    assert_eq!(meta.get(MetaCell::Head).expect("get"), Some(vec![1; 40]));
}

fn all_cells(byte: u8) -> Vec<(MetaCell, Vec<u8>)> {
    MetaCell::ALL.into_iter().map(|cell| (cell, vec![byte; 40])).collect()
}
