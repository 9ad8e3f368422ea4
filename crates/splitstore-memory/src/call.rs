//! One call on a store, as decorators see it.

use splitstore_domain::BlockKey;

/// A call on a store with the keys it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `view`.
    View(BlockKey),
    /// `view_many`.
    ViewMany(Vec<BlockKey>),
    /// `has`.
    Has(BlockKey),
    /// `size`.
    Size(BlockKey),
    /// `keys`.
    Keys,
    /// `snapshot`.
    Snapshot,
    /// `put_many`.
    Put(Vec<BlockKey>),
    /// `delete_many`.
    Delete(Vec<BlockKey>),
    /// `put_many_noting`.
    Note(Vec<BlockKey>),
    /// `notes`.
    Notes,
    /// `clear_notes`.
    ClearNotes,
    /// `put_many_linked`.
    Linked(Vec<BlockKey>),
    /// `each_link_note`.
    LinkNotes,
    /// `clear_link_notes`.
    ClearLinkNotes,
    /// `rewrite` of a range.
    Rewrite,
    /// `sync`.
    Sync,
}

impl Call {
    /// Whether it changes the store or makes a change durable: the steps between which a process may die.
    pub const fn is_effect(&self) -> bool {
        let puts = matches!(self, Self::Put(_) | Self::Note(_) | Self::Linked(_));
        let clears = matches!(self, Self::Delete(_) | Self::ClearNotes | Self::ClearLinkNotes);
        puts || clears || matches!(self, Self::Rewrite | Self::Sync)
    }

    /// The keys it was about.
    pub fn keys(&self) -> &[BlockKey] {
        match self {
            Self::View(key) | Self::Has(key) | Self::Size(key) => std::slice::from_ref(key),
            Self::ViewMany(keys)
            | Self::Put(keys)
            | Self::Delete(keys)
            | Self::Note(keys)
            | Self::Linked(keys) => keys,
            Self::Keys
            | Self::Snapshot
            | Self::Notes
            | Self::ClearNotes
            | Self::LinkNotes
            | Self::ClearLinkNotes
            | Self::Rewrite
            | Self::Sync => &[],
        }
    }

    /// The name of the method.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::View(_) => "view",
            Self::ViewMany(_) => "view_many",
            Self::Has(_) => "has",
            Self::Size(_) => "size",
            Self::Keys => "keys",
            Self::Snapshot => "snapshot",
            Self::Put(_) => "put_many",
            Self::Delete(_) => "delete_many",
            Self::Note(_) => "put_many_noting",
            Self::Notes => "notes",
            Self::ClearNotes => "clear_notes",
            Self::Linked(_) => "put_many_linked",
            Self::LinkNotes => "each_link_note",
            Self::ClearLinkNotes => "clear_link_notes",
            Self::Rewrite => "rewrite",
            Self::Sync => "sync",
        }
    }
}
