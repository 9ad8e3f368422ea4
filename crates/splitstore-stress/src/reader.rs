//! A reader: live blocks at random, at full speed, compared byte for byte.

use anyhow::{Result, bail};
use splitstore::domain::digest;
use splitstore::ports::BlockRead;

use crate::load::Shared;
use crate::{Dice, Latencies, Op};

/// Reads until told to stop.
pub(crate) fn run(shared: &Shared<'_>, number: u64) -> Result<Latencies> {
    let mut dice = Dice::new(shared.life.seed, number);
    let mut latencies = Latencies::default();
    while shared.goes_on() {
        let tipset = shared.live.pick(&mut dice);
        let block = tipset.as_ref().and_then(|tipset| Some((tipset, dice.pick(&tipset.blocks)?)));
        let Some((tipset, (cid, expected))) = block else {
            std::thread::yield_now();
            continue;
        };
        let store = shared.folder.store();
        let mut same = true;
        let mut compare = |data: &[u8]| same = data == expected.as_slice();
        // Two ways to read, with different protection: a view pins what it looks at.
        let there = if dice.below(8) == 0 {
            shared.timed(&mut latencies, Op::View, || store.view(cid, &mut compare)).0?
        } else {
            let found = shared.timed(&mut latencies, Op::Get, || store.get(cid)).0?;
            found.as_deref().map(compare).is_some()
        };
        let _ = shared.timed(&mut latencies, Op::Control, || digest::verify(cid, expected).is_ok());
        // It was live all the time if it still is: the window only moves on.
        if !same || (!there && shared.live.is_live(tipset)) {
            let how = if same { "is missing" } else { "differs" };
            let (height, now) = (tipset.height, shared.watch.now());
            bail!("block {cid} of height {height} is live and {how}, run {} in {}", now.run, now.stage);
        }
    }
    Ok(latencies)
}
