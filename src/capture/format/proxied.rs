//! What `proxy` did with a record that it did not forward unchanged.

/// What `proxy` did with a record. Of a message, its first record has the fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxied {
    /// Its receiver got a head with other lines.
    Rewritten,
    /// Nobody received it.
    Dropped,
    /// Neither side sent it: framescope did.
    Added,
    /// Another message was sent in its place: the one that begins with the record of this number.
    ReplacedBy(u64),
    /// It was sent in place of the message that begins with the record of this number.
    InPlaceOf(u64),
}

impl Proxied {
    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rewritten => "rewritten",
            Self::Dropped => "dropped",
            Self::Added => "added",
            Self::ReplacedBy(_) => "replaced",
            Self::InPlaceOf(_) => "replacement",
        }
    }

    /// Finds one that names no other record.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Rewritten, Self::Dropped, Self::Added].into_iter().find(|known| known.name() == name)
    }
}
