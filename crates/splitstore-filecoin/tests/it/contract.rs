//! The contract of a chain, clause by clause.

use std::sync::Arc;

use splitstore_conformance::chain::DrawnChain;
use splitstore_conformance::chain_accessor;

use crate::drawing::Drawing;

fn drawn() -> DrawnChain {
    let drawing = Drawing::of("ga-bc");
    let tipsets = ['g', 'a', 'b', 'c'].map(|letter| drawing.tipset(letter).clone());
    let header = tipsets[3].key.cids()[0];
    let header = (header, drawing.store.get(&header).unwrap());
    let chain = Arc::new(drawing.chain);
    let moved = chain.clone();
    DrawnChain { chain, tipsets, header, set_head: Box::new(move |change| moved.set_head(change).unwrap()) }
}

chain_accessor!(filecoin, drawn);
