//! What pass 1 notes of an archive: the keys of its blocks, and its headers.

use std::path::Path;

use splitstore_car::CarBlock;
use splitstore_domain::BlockKey;
use splitstore_domain::object::DAG_CBOR;
use splitstore_filecoin::BlockHeader;
use splitstore_ports::PortError;

use super::Show;
use super::check::{self, Checked};
use super::error::ImportError;
use super::headers::{Header, HeaderList, Headers};
use super::keys::Keys;
use super::scratch::Scratch;
use crate::folder::StoreFolder;

/// A header is a CBOR array of 16 items, which this byte begins.
const TUPLE_OF_16: u8 = 0x90;

/// An archive of which is known what it holds. Fields are dropped in this order: sets before their folder.
pub(super) struct Survey {
    pub(super) checked: Checked,
    pub(super) keys: Keys,
    pub(super) headers: Headers,
    _scratch: Scratch,
}

/// Reads all of the archive and notes what it holds.
pub(super) fn run(folder: &StoreFolder, path: &Path, show: &mut Show<'_>) -> Result<Survey, ImportError> {
    let spilled = |source| {
        let attempt = format!("note the headers of the archive in {}", folder.path().display());
        ImportError::port(path)(PortError::io(attempt, source))
    };
    let scratch = Scratch::new(folder.path()).map_err(spilled)?;
    let mut keys = Keys::new(&scratch, folder.hot()).map_err(ImportError::port(path))?;
    let mut headers = HeaderList::new(scratch.path());
    let mut note = |block: &CarBlock| {
        let key = BlockKey::from(&block.cid);
        if let Some(header) = header(block) {
            keys.note_header(key.clone()).map_err(ImportError::port(path))?;
            headers.push(header).map_err(spilled)?;
        }
        keys.note(key).map_err(ImportError::port(path))
    };
    let checked = check::run(folder, path, &mut note, show)?;
    keys.noted().map_err(ImportError::port(path))?;
    Ok(Survey { checked, keys, headers: headers.finish(), _scratch: scratch })
}

/// The block as a header. Under any other codec the same bytes are data, and no chain leads through them.
fn header(block: &CarBlock) -> Option<Header> {
    if block.cid.codec() != DAG_CBOR || block.data.first() != Some(&TUPLE_OF_16) {
        return None;
    }
    let header = BlockHeader::decode(&block.data).ok()?;
    let (height, parents) = (header.height, header.built_on());
    Some(Header { cid: block.cid, height, parents, offset: Some(block.offset) })
}
