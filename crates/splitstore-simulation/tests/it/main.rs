//! The simulator itself: it replays, it passes, and its oracle notices what is planted.

mod oracle;
mod replay;
