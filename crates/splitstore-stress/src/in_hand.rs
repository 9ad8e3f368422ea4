//! What the node has put and no head names yet: its duty is to say so, as a protector.
//!
//! A block enters before it is put and leaves after the head names it. So a run that begins in between hears
//! of it from here, and one that began before has seen the put.

use parking_lot::Mutex;
use splitstore::Protector;
use splitstore::ports::Result;
use splitstore::ports::cid::Cid;

/// Blocks between their put and the head change that needs them.
#[derive(Debug, Default)]
pub(crate) struct InHand(Mutex<Vec<Cid>>);

impl InHand {
    pub(crate) fn take_up(&self, cids: impl IntoIterator<Item = Cid>) {
        self.0.lock().extend(cids);
    }

    pub(crate) fn put_down(&self) {
        self.0.lock().clear();
    }
}

impl Protector for InHand {
    fn protect(&self, keep: &mut dyn FnMut(&Cid)) -> Result<()> {
        let held = self.0.lock().clone();
        held.iter().for_each(keep);
        Ok(())
    }
}
