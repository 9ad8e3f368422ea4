//! 200 000 damaged real blocks, the same ones each time.

use cid::Cid;
use ipld_core::ipld::Ipld;
use splitstore_domain::BlockKey;
use splitstore_domain::links::Link;

use crate::archive;
use crate::links_differential::reference;
use crate::sample::links_of;

const DAMAGED: usize = 200_000;
/// Damaged blocks that are held against the other decoder too: it is slower.
const COMPARED_EVERY: usize = 10;

/// `SplitMix64`: numbers that look random and never change.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// One to four wounds: a changed byte, a flipped bit, a hole, an insertion, a cut, a piece twice.
fn damage(block: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(block.len());
        let end = (at + 1 + numbers.below(8)).min(block.len());
        match numbers.below(6) {
            _ if block.is_empty() => block.push(numbers.byte()),
            0 => block[at] = numbers.byte(),
            1 => block[at] ^= 1 << numbers.below(8),
            2 => drop(block.drain(at..end)),
            3 => block.insert(at, numbers.byte()),
            4 => block.truncate(at),
            _ => {
                let piece = block[at..end].to_vec();
                block.splice(at..at, piece);
            }
        }
    }
}

fn lies_inside(link: &Link<'_>, block: &[u8]) -> bool {
    let (inner, outer) = (link.bytes().as_ptr_range(), block.as_ptr_range());
    outer.start <= inner.start && inner.end <= outer.end && link.bytes().ends_with(link.multihash())
}

/// The links that the other decoder finds in a block that it would write the same. It reads more than that, and
/// wrongly: integers as keys of maps for texts of that length, CIDs with bytes behind them.
fn undisputed(block: &[u8]) -> Option<Vec<Cid>> {
    let whole: Ipld = serde_ipld_dagcbor::from_slice(block).ok()?;
    let again = serde_ipld_dagcbor::to_vec(&whole).ok()?;
    if again == block { reference(block) } else { None }
}

#[test]
fn damaged_blocks_never_panic_and_their_links_are_slices_of_them() {
    let dags = archive::dags();
    if dags.is_empty() {
        return;
    }
    let (mut numbers, mut read, mut refused, mut agreed) = (Numbers(42), 0, 0, 0);
    for round in 0..DAMAGED {
        let mut block = dags[numbers.below(dags.len())].1.clone();
        damage(&mut block, &mut numbers);
        let ours = links_of(&block);
        match &ours {
            Ok(_) => read += 1,
            Err(error) => {
                refused += 1;
                assert!(error.offset <= block.len(), "round {round}: {error}");
            }
        }
        for link in ours.iter().flatten() {
            assert!(lies_inside(link, &block), "round {round}");
            let cid = link.cid();
            assert_eq!(cid.to_bytes(), link.bytes(), "round {round}");
            assert_eq!(BlockKey::from(&cid).as_bytes(), link.multihash(), "round {round}");
        }
        if round % COMPARED_EVERY == 0
            && let Some(theirs) = undisputed(&block)
        {
            let ours: Vec<_> = ours.unwrap().iter().map(Link::cid).collect();
            assert_eq!(ours, theirs, "round {round}");
            agreed += 1;
        }
    }
    println!("{read} read, {refused} refused; {agreed} compared");
    assert!(read > 1000 && refused > 1000 && agreed > 100);
}
