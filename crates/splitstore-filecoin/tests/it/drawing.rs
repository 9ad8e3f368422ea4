//! Chains as drawings: a character is an epoch, a letter a tipset, `-` a null round, `2` to `9` repeat the
//! tipset before as that many headers. `ga-b3-c` is genesis, a, nothing, b of three headers, nothing, c.

use std::sync::Arc;

use splitstore_domain::{Tipset, TipsetKey};
use splitstore_filecoin::FilecoinChain;
use splitstore_ports::ChainAccessor;

use crate::draft::Draft;
use crate::store::Store;

pub(crate) struct Drawing {
    pub(crate) store: Arc<Store>,
    pub(crate) chain: FilecoinChain,
    /// Tipsets by letter, oldest first.
    tipsets: Vec<(char, Tipset)>,
}

impl Drawing {
    pub(crate) fn of(drawing: &str) -> Self {
        let store = Arc::new(Store::default());
        let chain = FilecoinChain::new(store.clone());
        let mut drawn = Self { store, chain, tipsets: Vec::new() };
        drawn.draw(drawing, 0, TipsetKey::default());
        drawn
    }

    /// Draws a fork whose first character stands one epoch above the tipset `at`.
    pub(crate) fn fork(&mut self, at: char, drawing: &str) {
        let Tipset { key, height, .. } = self.tipset(at).clone();
        self.draw(drawing, height.height() + 1, key);
    }

    pub(crate) fn tipset(&self, letter: char) -> &Tipset {
        let found = self.tipsets.iter().rev().find(|(name, _)| *name == letter);
        &found.unwrap_or_else(|| panic!("{letter} is not drawn")).1
    }

    fn draw(&mut self, drawing: &str, mut height: u64, mut parents: TipsetKey) {
        let mut characters = drawing.chars().peekable();
        while let Some(letter) = characters.next() {
            if letter.is_ascii_lowercase() {
                let count = characters.next_if(char::is_ascii_digit).and_then(|digit| digit.to_digit(10));
                let tipset = self.put(letter, height, &parents, count.unwrap_or(1));
                parents = tipset.key.clone();
                self.tipsets.push((letter, tipset));
            }
            height += 1;
        }
    }

    fn put(&self, letter: char, height: u64, parents: &TipsetKey, count: u32) -> Tipset {
        let headers = (0..count).map(|index| {
            let draft = Draft::new(&format!("{letter}{index}"), height, parents.cids());
            self.store.put(&draft.cid(), &draft.encode());
            draft.cid()
        });
        let key = TipsetKey::new(headers.collect());
        self.chain.tipset(&key).unwrap().expect("was just put")
    }
}
