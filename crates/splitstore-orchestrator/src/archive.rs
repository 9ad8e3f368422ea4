//! What cold may lack below blocks that it has, and what a run copies so that nothing is dropped there.
//!
//! ```text
//!             cell before            while it copies         when cold is synced
//!   universal  any                   anything                anything            what is live stays out of cold
//!   messages   nothing               below these headers     nothing
//!              below these headers   the same, if the chain has them still; else as the next line
//!              anything              anything                nothing             all of hot is copied, once
//!   discard    nothing               nothing                 nothing             copies nothing
//!              anything else         anything                nothing             all of hot is copied, once
//! ```
//! A run that drops blocks must not make a hole below what cold shows. Cold is *closed* if it has what is below its
//! blocks: nothing that leaves hot is then missed there. A transfer under `messages` takes blocks in key order, and is
//! not closed until its end; if it breaks off, the next one ends it, as long as the chain leads to the same old
//! messages. The headers by which they are found are noted before the first copy: the highest with old messages, below
//! which are all the others.
//!
//! Format of the cell `cold-lacks`: tag u8, 0 nothing, 2 anything, 1 what is below the old messages of these headers
//! and of those below them: (length u8, CID in binary)*. A store without the cell has an empty cold tier, or one of
//! which nothing is known.

use cid::Cid;
use splitstore_domain::{ColdPolicy, Epoch};
use splitstore_ports::{ErrorKind, MetaCell, PortError};

use crate::error::Result;
use crate::store::Inner;

const NOTHING: u8 = 0;
const BELOW: u8 = 1;
const ANYTHING: u8 = 2;

/// What cold may lack.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lacks {
    Nothing,
    /// What is below old messages of these headers, and of all headers below them.
    Below(Vec<Cid>),
    Anything,
}

/// What a run copies to cold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColdGets {
    /// What is dead.
    Dead,
    /// What hangs from old messages and receipts, dead or live.
    Old,
    /// All that hot has, once.
    Everything,
    Nothing,
}

/// What a run knows, while it marks, of headers with old messages.
pub(crate) struct OldHeaders {
    before: Lacks,
    /// How many of the headers that were noted before are still on the chain, with old messages.
    met: usize,
    height: Epoch,
    /// The highest.
    highest: Vec<Cid>,
}

/// What a run is to copy, and what it notes meanwhile.
pub(crate) struct Archive {
    pub(crate) gets: ColdGets,
    before: Lacks,
    meanwhile: Lacks,
    after: Lacks,
}

impl OldHeaders {
    pub(crate) fn read(cx: &Inner) -> Result<Self> {
        let before = read(cx)?;
        Ok(Self { before, met: 0, height: Epoch::GENESIS, highest: Vec::new() })
    }

    /// The chain has a header with old messages.
    pub(crate) fn meet(&mut self, header: &Cid, height: Epoch) {
        if let Lacks::Below(noted) = &self.before {
            self.met += usize::from(noted.contains(header));
        }
        if height > self.height {
            self.height = height;
            self.highest.clear();
        }
        if height == self.height {
            self.highest.push(*header);
        }
    }

    /// The chain has been walked: what a run under this policy is to do.
    pub(crate) fn archive(self, policy: ColdPolicy) -> Archive {
        let Self { before, met, highest, .. } = self;
        let is_known = match &before {
            Lacks::Nothing => true,
            Lacks::Below(noted) => policy == ColdPolicy::Messages && met == noted.len(),
            Lacks::Anything => false,
        };
        let (gets, meanwhile, after) = match (policy, is_known) {
            (ColdPolicy::Universal, _) => (ColdGets::Dead, Lacks::Anything, Lacks::Anything),
            (ColdPolicy::Messages, true) if highest.is_empty() => {
                (ColdGets::Old, before.clone(), Lacks::Nothing)
            }
            (ColdPolicy::Messages, true) => (ColdGets::Old, Lacks::Below(highest), Lacks::Nothing),
            (ColdPolicy::Discard, true) => (ColdGets::Nothing, Lacks::Nothing, Lacks::Nothing),
            (ColdPolicy::Messages | ColdPolicy::Discard, false) => {
                (ColdGets::Everything, Lacks::Anything, Lacks::Nothing)
            }
        };
        Archive { gets, before, meanwhile, after }
    }
}

impl Archive {
    /// There is nothing to copy: cold lacks what it lacked.
    pub(crate) fn copies_nothing(&mut self) {
        self.meanwhile = self.before.clone();
        if self.gets == ColdGets::Dead {
            self.after = self.before.clone();
        }
    }

    /// Before the first copy, or the end without one.
    pub(crate) fn begin(&self, cx: &Inner) -> Result<()> {
        write(cx, &self.before, &self.meanwhile)
    }

    /// All is copied, and cold is synced.
    pub(crate) fn end(&self, cx: &Inner) -> Result<()> {
        write(cx, &self.meanwhile, &self.after)
    }
}

fn read(cx: &Inner) -> Result<Lacks> {
    let Some(value) = cx.ledger.get(MetaCell::ColdLacks)? else {
        let mut first = Vec::new();
        cx.tiers.cold.keys()?.next_batch(&mut first, 1)?;
        return Ok(if first.is_empty() { Lacks::Nothing } else { Lacks::Anything });
    };
    let damaged = || PortError::bare(ErrorKind::Corrupt, format!("read {}", MetaCell::ColdLacks.name()));
    Ok(decode(&value).ok_or_else(damaged)?)
}

fn write(cx: &Inner, before: &Lacks, now: &Lacks) -> Result<()> {
    if before == now {
        return Ok(());
    }
    Ok(cx.ledger.set(MetaCell::ColdLacks, encode(now))?)
}

fn encode(lacks: &Lacks) -> Vec<u8> {
    let Lacks::Below(headers) = lacks else {
        return vec![if *lacks == Lacks::Nothing { NOTHING } else { ANYTHING }];
    };
    let mut bytes = vec![BELOW];
    for header in headers {
        let header = header.to_bytes();
        bytes.push(u8::try_from(header.len()).expect("CIDs are at most 100 bytes"));
        bytes.extend(header);
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<Lacks> {
    match bytes.split_first()? {
        (&NOTHING, []) => Some(Lacks::Nothing),
        (&ANYTHING, []) => Some(Lacks::Anything),
        (&BELOW, mut rest) => {
            let mut headers = Vec::new();
            while let Some((len, tail)) = rest.split_first() {
                let (header, tail) = tail.split_at_checked(usize::from(*len))?;
                headers.push(Cid::try_from(header).ok()?);
                rest = tail;
            }
            (!headers.is_empty()).then_some(Lacks::Below(headers))
        }
        _ => None,
    }
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    use splitstore_domain::BlockKey;
    use splitstore_domain::object::DAG_CBOR;

    use super::*;

    fn header(number: u8) -> Cid {
        let key = BlockKey::from_bytes(&[&[0x12, 0x20][..], &[number; 32]].concat()).expect("a multihash");
        key.to_cid(DAG_CBOR)
    }

    fn old(before: Lacks, met: &[(u8, u64)]) -> OldHeaders {
        let mut old = OldHeaders { before, met: 0, height: Epoch::GENESIS, highest: Vec::new() };
        for (number, height) in met {
            old.meet(&header(*number), Epoch::new(*height));
        }
        old
    }

    fn messages(before: Lacks, met: &[(u8, u64)]) -> (ColdGets, Lacks, Lacks) {
        let Archive { gets, meanwhile, after, .. } = old(before, met).archive(ColdPolicy::Messages);
        (gets, meanwhile, after)
    }

    #[test]
    fn a_cell_comes_back_and_a_cut_one_is_damage() {
        for lacks in [Lacks::Nothing, Lacks::Anything, Lacks::Below(vec![header(1), header(2)])] {
            assert_eq!(decode(&encode(&lacks)), Some(lacks));
        }
        let bytes = encode(&Lacks::Below(vec![header(1)]));
        assert!((0..bytes.len()).all(|len| decode(&bytes[..len]).is_none()));
        assert!(decode(&[3]).is_none() && decode(&[0, 0]).is_none());
    }

    #[test]
    fn what_was_broken_off_is_ended_by_the_headers_that_lead_to_it_or_by_copying_everything() {
        let below = |numbers: &[u8]| Lacks::Below(numbers.iter().map(|number| header(*number)).collect());
        let chain = [(9, 7), (8, 7), (3, 5), (4, 5), (1, 2)];
        let goes_on = (ColdGets::Old, below(&[9, 8]), Lacks::Nothing);
        assert_eq!(messages(Lacks::Nothing, &chain), goes_on);
        assert_eq!(messages(below(&[3, 4]), &chain), goes_on);
        let all = (ColdGets::Everything, Lacks::Anything, Lacks::Nothing);
        // The chain has left one of them; a longer retention has made the other young again.
        assert_eq!(messages(below(&[3, 5]), &chain), all);
        assert_eq!(messages(Lacks::Anything, &chain), all);
        assert_eq!(messages(Lacks::Nothing, &[]), (ColdGets::Old, Lacks::Nothing, Lacks::Nothing));
    }

    #[test]
    fn a_policy_that_copies_less_ends_what_the_other_left_open() {
        for (before, gets) in [
            (Lacks::Nothing, ColdGets::Nothing),
            (Lacks::Below(vec![header(1)]), ColdGets::Everything),
            (Lacks::Anything, ColdGets::Everything),
        ] {
            let archive = old(before, &[(1, 2)]).archive(ColdPolicy::Discard);
            assert_eq!((archive.gets, archive.after), (gets, Lacks::Nothing));
        }
        let universal = old(Lacks::Nothing, &[]).archive(ColdPolicy::Universal);
        assert_eq!(
            (universal.gets, universal.meanwhile, universal.after),
            (ColdGets::Dead, Lacks::Anything, Lacks::Anything)
        );
    }
}
