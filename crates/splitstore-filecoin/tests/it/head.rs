//! The head and those who hear of it.

use std::sync::Arc;

use parking_lot::Mutex;
use splitstore_domain::{HeadChange, Tipset};
use splitstore_filecoin::FilecoinChain;
use splitstore_ports::{ChainAccessor, ErrorKind, HeadListener, PortError, Result};

use crate::drawing::Drawing;

type Heard = Arc<Mutex<Vec<(&'static str, HeadChange)>>>;

struct Listener {
    name: &'static str,
    heard: Heard,
}

impl HeadListener for Listener {
    fn head_changed(&self, change: &HeadChange) -> Result<()> {
        self.heard.lock().push((self.name, change.clone()));
        if self.name == "failing" {
            return Err(PortError::bare(ErrorKind::Closed, "hear of a head change"));
        }
        Ok(())
    }
}

fn listen(chain: &FilecoinChain, names: &[&'static str]) -> Heard {
    let heard = Heard::default();
    for name in names {
        chain.subscribe(Arc::new(Listener { name, heard: heard.clone() })).unwrap();
    }
    heard
}

fn apply(tipset: &Tipset) -> HeadChange {
    HeadChange { revert: vec![], apply: vec![tipset.clone()] }
}

fn revert(tipset: &Tipset) -> HeadChange {
    HeadChange { revert: vec![tipset.clone()], apply: vec![] }
}

#[test]
fn a_chain_has_no_head_before_the_first_change() {
    assert_eq!(Drawing::of("ga").chain.heaviest().unwrap(), None);
}

#[test]
fn the_head_is_the_last_tipset_applied() {
    let drawn = Drawing::of("gab");
    let (a, b) = (drawn.tipset('a'), drawn.tipset('b'));
    drawn.chain.set_head(&HeadChange { revert: vec![], apply: vec![a.clone(), b.clone()] }).unwrap();
    assert_eq!(drawn.chain.heaviest().unwrap().as_ref(), Some(b));
}

#[test]
fn listeners_hear_every_change_in_the_order_they_subscribed() {
    let drawn = Drawing::of("gab");
    let heard = listen(&drawn.chain, &["one", "two"]);
    let changes = [apply(drawn.tipset('a')), apply(drawn.tipset('b'))];
    for change in &changes {
        drawn.chain.set_head(change).unwrap();
    }
    let expected = changes.iter().flat_map(|change| [("one", change.clone()), ("two", change.clone())]);
    assert_eq!(*heard.lock(), expected.collect::<Vec<_>>());
}

#[test]
fn a_late_listener_hears_from_the_next_change_on() {
    let drawn = Drawing::of("gab");
    drawn.chain.set_head(&apply(drawn.tipset('a'))).unwrap();
    let heard = listen(&drawn.chain, &["late"]);
    assert!(heard.lock().is_empty());
    drawn.chain.set_head(&apply(drawn.tipset('b'))).unwrap();
    assert_eq!(*heard.lock(), [("late", apply(drawn.tipset('b')))]);
}

#[test]
fn a_pure_revert_leads_back_to_what_the_lowest_was_built_on() {
    let drawn = Drawing::of("ga-b2c");
    drawn.chain.set_head(&apply(drawn.tipset('c'))).unwrap();
    let change =
        HeadChange { revert: ['c', 'b'].map(|name| drawn.tipset(name).clone()).to_vec(), apply: vec![] };
    drawn.chain.set_head(&change).unwrap();
    assert_eq!(drawn.chain.heaviest().unwrap().as_ref(), Some(drawn.tipset('a')));
    drawn.chain.set_head(&revert(drawn.tipset('g'))).unwrap();
    assert_eq!(drawn.chain.heaviest().unwrap(), None);
}

#[test]
fn a_revert_to_what_is_not_there_fails_and_leaves_head_and_listeners_alone() {
    let drawn = Drawing::of("gab");
    drawn.chain.set_head(&apply(drawn.tipset('b'))).unwrap();
    let heard = listen(&drawn.chain, &["one"]);
    drawn.store.remove(&drawn.tipset('a').key.cids()[0]);
    let error = drawn.chain.set_head(&revert(drawn.tipset('b'))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(drawn.chain.heaviest().unwrap().as_ref(), Some(drawn.tipset('b')));
    assert!(heard.lock().is_empty());
}

#[test]
fn an_empty_change_is_not_told() {
    let drawn = Drawing::of("ga");
    drawn.chain.set_head(&apply(drawn.tipset('a'))).unwrap();
    let heard = listen(&drawn.chain, &["one"]);
    drawn.chain.set_head(&HeadChange::default()).unwrap();
    assert!(heard.lock().is_empty());
    assert_eq!(drawn.chain.heaviest().unwrap().as_ref(), Some(drawn.tipset('a')));
}

#[test]
fn a_failing_listener_neither_keeps_the_head_back_nor_the_others_uninformed() {
    let drawn = Drawing::of("ga");
    let heard = listen(&drawn.chain, &["failing", "next"]);
    let error = drawn.chain.set_head(&apply(drawn.tipset('a'))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(heard.lock().len(), 2);
    assert_eq!(drawn.chain.heaviest().unwrap().as_ref(), Some(drawn.tipset('a')));
}

#[test]
fn a_chain_can_listen_to_another() {
    let drawn = Drawing::of("ga");
    let follower = Arc::new(FilecoinChain::new(drawn.store.clone()));
    drawn.chain.subscribe(follower.clone()).unwrap();
    drawn.chain.set_head(&apply(drawn.tipset('a'))).unwrap();
    assert_eq!(follower.heaviest().unwrap(), drawn.chain.heaviest().unwrap());
}

struct Reader {
    chain: Arc<FilecoinChain>,
    seen: Mutex<Vec<Option<Tipset>>>,
}

impl HeadListener for Reader {
    fn head_changed(&self, _: &HeadChange) -> Result<()> {
        let head = self.chain.heaviest()?;
        self.seen.lock().push(head);
        Ok(())
    }
}

#[test]
fn a_listener_reads_the_new_head() {
    let drawn = Drawing::of("ga");
    let (chain, tipset) = (Arc::new(FilecoinChain::new(drawn.store.clone())), drawn.tipset('a'));
    let reader = Arc::new(Reader { chain: chain.clone(), seen: Mutex::default() });
    chain.subscribe(reader.clone()).unwrap();
    chain.set_head(&apply(tipset)).unwrap();
    assert_eq!(*reader.seen.lock(), [Some(tipset.clone())]);
}
