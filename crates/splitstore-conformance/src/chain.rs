//! Clauses of `ChainAccessor` and `Clock`.

use std::sync::{Arc, Mutex};

use splitstore_ports::cid::Cid;
use splitstore_ports::domain::{Epoch, HeadChange, Tipset, TipsetKey};
use splitstore_ports::{ChainAccessor, Clock, ErrorKind, HeadListener, Result};

/// A chain of four tipsets without a head yet: genesis at height 0, then 1, a null round, 3 and 4.
pub struct DrawnChain {
    /// The chain.
    pub chain: Arc<dyn ChainAccessor>,
    /// Its tipsets, oldest first.
    pub tipsets: [Tipset; 4],
    /// A header of the last tipset, with its data.
    pub header: (Cid, Vec<u8>),
    /// Moves the head, as a node would.
    pub set_head: Box<dyn Fn(&HeadChange)>,
}

impl DrawnChain {
    fn apply(&self, index: usize) -> HeadChange {
        let change = HeadChange { revert: Vec::new(), apply: vec![self.tipsets[index].clone()] };
        (self.set_head)(&change);
        change
    }

    fn at(&self, height: u64, from: usize) -> Option<Tipset> {
        self.chain.tipset_at(Epoch::new(height), &self.tipsets[from]).expect("tipset at a height")
    }
}

/// "The head; `None` before the first."
pub fn there_is_no_head_before_the_first(drawn: &DrawnChain) {
    assert_eq!(drawn.chain.heaviest().expect("heaviest"), None);
    drawn.apply(0);
    assert_eq!(drawn.chain.heaviest().expect("heaviest").as_ref(), Some(&drawn.tipsets[0]));
}

/// "Answers come from the chain that `heaviest` heads": the tipset applied last.
pub fn the_head_is_what_was_applied_last(drawn: &DrawnChain) {
    for index in 0..4 {
        drawn.apply(index);
        assert_eq!(drawn.chain.heaviest().expect("heaviest").as_ref(), Some(&drawn.tipsets[index]));
    }
}

/// "A null round has no tipset: `tipset_at` answers with ... the closest one below."
pub fn a_null_round_is_answered_by_the_tipset_before(drawn: &DrawnChain) {
    for (height, index) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3)] {
        assert_eq!(drawn.at(height, 3).as_ref(), Some(&drawn.tipsets[index]), "height {height}");
    }
}

/// "`None` if `from` is lower."
pub fn above_where_one_looks_from_there_is_none(drawn: &DrawnChain) {
    assert_eq!(drawn.at(3, 1), None);
    assert_eq!(drawn.at(5, 3), None);
}

/// "A header that is not there is `Ok(None)` from `tipset`."
pub fn a_key_of_headers_that_are_not_there_is_none(drawn: &DrawnChain) {
    for tipset in &drawn.tipsets {
        assert_eq!(drawn.chain.tipset(&tipset.key).expect("tipset").as_ref(), Some(tipset));
    }
    let (unknown, _) = crate::sample::block(9);
    assert_eq!(drawn.chain.tipset(&TipsetKey::new(vec![unknown])).expect("tipset"), None);
}

/// "Reads the header that these bytes are": the same as the tipset says.
pub fn a_header_is_read_from_its_bytes(drawn: &DrawnChain) {
    let (cid, data) = &drawn.header;
    let view = drawn.chain.header(cid, data).expect("a header");
    assert_eq!((view.height, &view.parents), (drawn.tipsets[3].height, &drawn.tipsets[2].key));
}

/// "`Corrupt` for a header that cannot be decoded, with its CID."
pub fn bytes_that_are_no_header_are_corrupt_and_named(drawn: &DrawnChain) {
    let (cid, data) = &drawn.header;
    for bytes in [&[][..], &[0xff; 40], &data[..data.len() / 2]] {
        let error = drawn.chain.header(cid, bytes).expect_err("not a header");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(&cid.to_string()), "{error}");
    }
}

/// "Calls `listener` on each head change from now on, in order."
pub fn listeners_hear_each_change_in_order(drawn: &DrawnChain) {
    drawn.apply(0);
    let heard = Arc::new(Heard::default());
    drawn.chain.subscribe(heard.clone()).expect("subscribe");
    let told: Vec<HeadChange> = (1..4).map(|index| drawn.apply(index)).collect();
    assert_eq!(*heard.0.lock().expect("no listener panicked"), told);
}

#[derive(Default)]
struct Heard(Mutex<Vec<HeadChange>>);

impl HeadListener for Heard {
    fn head_changed(&self, change: &HeadChange) -> Result<()> {
        self.0.lock().expect("no listener panicked").push(change.clone());
        Ok(())
    }
}

/// "`elapsed` never goes back", also between threads.
pub fn elapsed_never_goes_back(clock: &impl Clock) {
    let mut last = clock.elapsed();
    for _ in 0..1000 {
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| clock.elapsed()).join());
        let now = clock.elapsed();
        let between = elsewhere.expect("the other thread reads a clock");
        assert!(last <= between && between <= now, "{last:?}, {between:?}, {now:?}");
        last = now;
    }
}
