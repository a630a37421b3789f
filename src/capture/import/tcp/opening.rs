//! What a file of a ring begins with, of a connection.

/// The packets with which a connection began.
#[derive(Debug, Default)]
pub(super) enum Opening {
    /// It is not copied.
    #[default]
    None,
    /// It is not upgraded yet: the file positions where each of its packets so far begins and ends.
    Pending(Vec<(u64, u64)>),
    Copied(Box<[u8]>),
}
