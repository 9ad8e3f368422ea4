//! TSM as a format of `segment-compaction`: its contract, and long random lives of a folder.

mod contract;
mod crashes;
mod folder;
mod life;
mod limits;
