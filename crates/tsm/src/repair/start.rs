//! Where the index starts, when the footer does not say so.
//!
//! ```text
//!   the blocks are found one after the other from the header on; the index comes behind the last of them, or behind
//!   a seal: there must be a record, and the file's first block among its entries
//! ```

use std::sync::Arc;

use super::records::Records;
use super::scan::Scan;
use crate::cursor::Source;
use crate::error::{At, Error};
use crate::layout::{FOOTER_LEN, HEADER_LEN};
use crate::reader::footed;
use crate::seal::SEAL_LEN;
use crate::{Fault, Limits, ReadAt, Result};

/// The file with the place of its index, and what is wrong with the footer.
pub(super) fn find(bytes: Arc<dyn ReadAt>, file: &str, limits: Limits) -> Result<(Source, Option<Error>)> {
    match footed(Arc::clone(&bytes), file) {
        Ok(source) => {
            let whole = Arc::new(source.at_index(source.index_at));
            if Records::new(whole, limits).is_start(source.index_at)? {
                return Ok((source, None));
            }
            let Some(at) = search(&source, limits)?.filter(|at| *at != source.index_at) else {
                return Ok((source, None));
            };
            let fault = Fault::IndexStart { found: source.index_at };
            Ok((source.at_index(at), Some(source.at().offset(source.index_end()).damaged(fault))))
        }
        Err(error @ Error::Damaged { fault: Fault::TooShort { .. }, .. }) => Err(error),
        Err(error @ Error::Damaged { .. }) => {
            let file: Arc<str> = file.into();
            let len = bytes.len().map_err(|error| At::file(&file).io("measure", error))?;
            // Until it is found: no byte but the footer is the index's.
            let source = Source { bytes, file, index_at: len - FOOTER_LEN, len };
            let at = search(&source, limits)?.unwrap_or(source.index_at);
            Ok((source.at_index(at), Some(error)))
        }
        Err(error) => Err(error),
    }
}

fn search(source: &Source, limits: Limits) -> Result<Option<u64>> {
    let end = source.index_end();
    let whole = Arc::new(source.at_index(end));
    let (mut scan, mut records) = (Scan::new(Arc::clone(&whole), limits), Records::new(whole, limits));
    let mut at = HEADER_LEN;
    while let Some((start, size)) = scan.next(at, end)? {
        at = start + size;
        for candidate in [at, at + SEAL_LEN] {
            if records.is_start(candidate)? {
                return Ok(Some(candidate));
            }
        }
    }
    Ok(None)
}
