//! Line protocol: the text in which points come in and go out.
//!
//! ```text
//!   cpu\ load,host=a,zone=eu\,1 user=1.5,n=3i,up=t,note="a \"b\"" 1590585404546128000
//!   <measurement>,<tags>        <fields>                          <nanoseconds since 1970>
//!
//!   key in a file:  cpu\ load,host=a,zone=eu\,1 #!~# user        one for each field; tags sorted, escapes kept
//!   of 2.0 alpha:   <16 bytes org, bucket>,\x00=cpu\ load,host=a,\xff=user #!~# user
//! ```
//! One line is parsed without regard to others; an error names the column, so that a caller can name the line.

mod key;
pub use key::KeyParts;
pub(crate) use key::{find_unescaped, split_unescaped, unescaped};
mod parse;
pub use parse::{FieldValue, LineError, ParsedLine, parse};
mod write;
pub use write::{KeyLines, write_points};
