//! Strings: lengths and bytes, compressed together by snappy.
//!
//! ```text
//!   10 | snappy block (not framed) of { uvarint length | bytes } * n
//! ```
//! Any valid snappy is fine: its bytes depend on the compressor, so compare what it decodes to.

mod decode;
mod encode;

pub use decode::StringDecoder;
pub use encode::{SECTION_MAX, StringEncoder};
