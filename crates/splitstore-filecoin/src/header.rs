//! A Filecoin block header and its encoding: a DAG-CBOR tuple of 16.
//!
//! ```text
//!    0 miner            bytes                     8 parent state root  link
//!    1 ticket           [bytes] or null           9 parent receipts    link
//!    2 election proof   [integer, bytes] or null  10 messages          link
//!    3 beacon entries   [[unsigned, bytes]..]     11 bls aggregate     bytes or null
//!    4 post proofs      [[integer, bytes]..]      12 timestamp         unsigned, s since the Unix epoch
//!    5 parents          [link..]                  13 block signature   bytes or null
//!    6 parent weight    bytes: sign, magnitude    14 fork signaling    unsigned
//!    7 height           unsigned, epochs          15 parent base fee   bytes: sign, magnitude
//! ```
//! All 16 are read and checked for their type; what chain and weight need is kept. Source: the Filecoin
//! specification, "Block", and the encoder of Lotus (cbor-gen), whose limits are ours.

use cid::Cid;
use splitstore_domain::{Epoch, HeaderView, TipsetKey};

use crate::cbor::Reader;
use crate::{HeaderError, HeaderFault, Weight};

const FIELDS: u64 = 16;

/// What is kept of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockHeader {
    /// VRF proof of its ticket; genesis may have none.
    pub ticket: Option<Vec<u8>>,
    /// The headers it names as parents, also at genesis, whose parents are no headers.
    pub parents: TipsetKey,
    /// Weight of the chain up to and with its parents.
    pub parent_weight: Weight,
    /// Its height.
    pub height: Epoch,
    /// Root of the state after its parents' messages.
    pub state: Cid,
    /// Root of the receipts of its parents' messages.
    pub receipts: Cid,
    /// Root of its messages.
    pub messages: Cid,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
}

impl BlockHeader {
    /// Reads the header that fills `data`.
    pub fn decode(data: &[u8]) -> Result<Self, HeaderError> {
        let mut reader = Reader::new(data);
        reader.tuple(FIELDS)?;
        reader.at("miner").bytes()?;
        let ticket = read_ticket(reader.at("ticket"))?;
        skip_proofs(&mut reader)?;
        let parents = TipsetKey::new(reader.at("parents").list(Reader::link)?);
        let parent_weight = read_weight(reader.at("parent weight"))?;
        let height = Epoch::new(reader.at("height").unsigned()?);
        let state = reader.at("parent state root").link()?;
        let receipts = reader.at("parent receipts").link()?;
        let messages = reader.at("messages").link()?;
        reader.at("bls aggregate").nullable(Reader::bytes)?;
        let timestamp = reader.at("timestamp").unsigned()?;
        reader.at("block signature").nullable(Reader::bytes)?;
        reader.at("fork signaling").unsigned()?;
        reader.at("parent base fee").bytes()?;
        reader.end()?;
        Ok(Self { ticket, parents, parent_weight, height, state, receipts, messages, timestamp })
    }

    /// The headers it builds on, as a tipset tells them: none at genesis, where the field links to an object
    /// that is no header (on mainnet and calibnet a map of how the tokens were shared out).
    pub fn built_on(&self) -> TipsetKey {
        if self.height == Epoch::GENESIS { TipsetKey::default() } else { self.parents.clone() }
    }

    /// What the walk reads of it, parents as they are named, also at genesis.
    pub fn view(&self) -> HeaderView {
        HeaderView {
            height: self.height,
            timestamp: self.timestamp,
            parents: self.parents.clone(),
            messages: self.messages,
            receipts: self.receipts,
            state: self.state,
        }
    }
}

fn read_ticket(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, HeaderError> {
    reader.nullable(|reader| {
        reader.tuple(1)?;
        Ok(reader.bytes()?.to_vec())
    })
}

fn skip_proofs(reader: &mut Reader<'_>) -> Result<(), HeaderError> {
    reader.at("election proof").nullable(skip_proof)?;
    reader.at("beacon entries").list(|reader| {
        reader.tuple(2)?;
        reader.unsigned()?;
        reader.bytes().map(drop)
    })?;
    reader.at("post proofs").list(skip_proof)?;
    Ok(())
}

/// A pair of an integer (a count or a kind of proof) and bytes.
fn skip_proof(reader: &mut Reader<'_>) -> Result<(), HeaderError> {
    reader.tuple(2)?;
    reader.skip_integer()?;
    reader.bytes().map(drop)
}

fn read_weight(reader: &mut Reader<'_>) -> Result<Weight, HeaderError> {
    let start = reader.offset();
    let bytes = reader.bytes()?;
    Weight::from_wire(bytes).ok_or_else(|| reader.error(start, HeaderFault::BadWeight))
}
