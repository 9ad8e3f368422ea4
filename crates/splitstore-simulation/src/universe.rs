//! Every block that was ever made in one seed, by number, and what hangs below what.

use std::collections::BTreeMap;

use cid::Cid;
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_domain::{BlockKey, Epoch, HeaderView, Tipset, TipsetKey, digest};

/// A block's number.
pub(crate) type Id = usize;

/// One block.
pub(crate) struct Made {
    pub(crate) cid: Cid,
    pub(crate) data: Vec<u8>,
    /// What it links to; empty for headers, whose parts are in `header`.
    pub(crate) links: Vec<Id>,
    pub(crate) header: Option<HeaderParts>,
}

impl Made {
    /// Its height, if it is a header.
    pub(crate) fn height(&self) -> Option<u64> {
        self.header.as_ref().map(|parts| parts.height)
    }
}

/// What a header names.
#[derive(Clone)]
pub(crate) struct HeaderParts {
    pub(crate) height: u64,
    pub(crate) parents: Vec<Id>,
    pub(crate) state: Id,
    pub(crate) receipts: Id,
    pub(crate) messages: Id,
}

/// All blocks.
#[derive(Default)]
pub(crate) struct Universe {
    pub(crate) blocks: Vec<Made>,
    by_cid: BTreeMap<Cid, Id>,
    by_key: BTreeMap<BlockKey, Id>,
}

impl Universe {
    pub(crate) fn cid(&self, id: Id) -> Cid {
        self.blocks[id].cid
    }

    pub(crate) fn of_key(&self, key: &BlockKey) -> Option<Id> {
        self.by_key.get(key).copied()
    }

    /// A block without links.
    pub(crate) fn raw(&mut self, data: Vec<u8>) -> Id {
        self.add(RAW, data, Vec::new(), None)
    }

    /// A DAG-CBOR list of a number and links.
    pub(crate) fn list(&mut self, number: u64, links: Vec<Id>) -> Id {
        let mut data = array(links.len() + 1);
        unsigned(number, &mut data);
        for link in &links {
            self.link(*link, &mut data);
        }
        self.add(DAG_CBOR, data, links, None)
    }

    /// The object that a tipset's key is stored as.
    pub(crate) fn key_object(&mut self, headers: &[Id]) -> Id {
        let cids: Vec<u8> = headers.iter().flat_map(|id| self.cid(*id).to_bytes()).collect();
        let mut data = vec![0x58, u8::try_from(cids.len()).unwrap_or(u8::MAX)];
        data.extend(cids);
        self.add(DAG_CBOR, data, Vec::new(), None)
    }

    /// A header: `[height, ticket, [parents], state, receipts, messages]`.
    pub(crate) fn header(&mut self, ticket: u64, parts: HeaderParts) -> Id {
        let mut data = array(6);
        unsigned(parts.height, &mut data);
        unsigned(ticket, &mut data);
        data.extend(array(parts.parents.len()));
        for parent in &parts.parents {
            self.link(*parent, &mut data);
        }
        for part in [parts.state, parts.receipts, parts.messages] {
            self.link(part, &mut data);
        }
        self.add(DAG_CBOR, data, Vec::new(), Some(parts))
    }

    pub(crate) fn header_view(&self, id: Id) -> Option<HeaderView> {
        let parts = self.blocks[id].header.as_ref()?;
        Some(HeaderView {
            height: Epoch::new(parts.height),
            timestamp: parts.height * 30,
            parents: self.key(&parts.parents),
            messages: self.cid(parts.messages),
            receipts: self.cid(parts.receipts),
            state: self.cid(parts.state),
        })
    }

    pub(crate) fn tipset(&self, headers: &[Id]) -> Option<Tipset> {
        let first = self.blocks[*headers.first()?].header.as_ref()?;
        Some(Tipset {
            key: self.key(headers),
            height: Epoch::new(first.height),
            timestamp: first.height * 30,
            parents: self.key(&first.parents),
        })
    }

    fn key(&self, headers: &[Id]) -> TipsetKey {
        TipsetKey::new(headers.iter().map(|id| self.cid(*id)).collect())
    }

    fn link(&self, to: Id, data: &mut Vec<u8>) {
        let cid = self.cid(to).to_bytes();
        data.extend([0xd8, 0x2a, 0x58, u8::try_from(cid.len() + 1).unwrap_or(u8::MAX), 0]);
        data.extend(cid);
    }

    /// A block and what it names, for people.
    pub(crate) fn told(&self, id: Id) -> String {
        let Made { links, header, .. } = &self.blocks[id];
        match header {
            None => format!("b{id} -> {links:?}"),
            Some(HeaderParts { height, parents, state, receipts, messages }) => {
                format!("b{id} @{height} on {parents:?}: {state} {receipts} {messages}")
            }
        }
    }

    fn add(&mut self, codec: u64, data: Vec<u8>, links: Vec<Id>, header: Option<HeaderParts>) -> Id {
        let mut multihash = vec![0xa0, 0xe4, 0x02, 0x20];
        multihash.extend(digest::blake2b_256(&data));
        let key = BlockKey::from_bytes(&multihash).expect("blake2b-256 in its frame is a multihash");
        let cid = key.to_cid(codec);
        *self.by_cid.entry(cid).or_insert_with(|| {
            self.by_key.insert(key, self.blocks.len());
            self.blocks.push(Made { cid, data, links, header });
            self.blocks.len() - 1
        })
    }
}

fn array(len: usize) -> Vec<u8> {
    debug_assert!(len < 24, "one byte of head");
    vec![0x80 | u8::try_from(len).unwrap_or(0)]
}

fn unsigned(number: u64, data: &mut Vec<u8>) {
    match u8::try_from(number) {
        Ok(small) if small < 24 => data.push(small),
        Ok(byte) => data.extend([0x18, byte]),
        Err(_) => {
            let [.., a, b, c, d] = number.to_be_bytes();
            if let Ok(short) = u16::try_from(number) {
                data.push(0x19);
                data.extend(short.to_be_bytes());
            } else {
                data.push(0x1a);
                data.extend([a, b, c, d]);
            }
        }
    }
}
