//! What our own files say in comments that has to be known to read them: where bytes are missing, came again, or are not known.

/// The comment on the packet where what is known of a direction ends, while the file goes on.
pub const END_OF_CAPTURE: &str = "framescope: end: capture";

/// How the comment on an empty packet begins before which bytes of its direction are missing; [`Gap`] follows.
const GAP: &str = "framescope: gap";

/// How the comment on an empty packet begins before which bytes of its direction came again with another content; how many
/// follows.
const OVERLAP: &str = "framescope: overlap: ";

/// How the comment on a SYN begins whose sequence number is not the one that the connection began with; that one follows.
const BEGUN_AT: &str = "framescope: sequence numbers begin at ";

/// How the comment on a file begins whose bytes never crossed a wire; what it was made from follows.
pub const RECONSTRUCTED: &str = "framescope: reconstructed ";

/// Bytes of a direction that the file lacks. Sequence numbers tell a gap of less than 2 GiB; this tells any, and what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// The stream offset of the first byte behind it; what the sequence number says where it is not told.
    pub to: Option<u64>,
    /// The stream offset of the next frame or head, where that is known.
    pub begins: Option<u64>,
}

impl Gap {
    /// Reads what a comment says.
    pub(in crate::capture) fn read(comment: &str) -> Option<Self> {
        let said = comment.strip_prefix(GAP)?;
        let numbers = said.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
        let mut numbers = numbers.map(|digits| digits.parse().ok());
        Some(Self { to: numbers.next().flatten(), begins: numbers.next().flatten() })
    }

    pub(in crate::capture) fn comment(self) -> String {
        let to = self.to.map(|to| format!(": bytes up to {to} are missing")).unwrap_or_default();
        let begins = self.begins.map(|begins| format!(", a record begins at {begins}")).unwrap_or_default();
        format!("{GAP}{to}{begins}")
    }
}

/// Reads from a comment how many bytes came again with another content.
pub(in crate::capture) fn overlap(comment: &str) -> Option<u64> {
    comment.strip_prefix(OVERLAP)?.split(' ').next()?.parse().ok()
}

pub(in crate::capture) fn overlap_comment(differing: u64) -> String {
    format!("{OVERLAP}{differing} bytes differ")
}

/// Reads from the comment on a SYN with which sequence number its direction began: see [`begun_at_comment`].
pub(in crate::capture) fn begun_at(comment: &str) -> Option<u32> {
    comment.strip_prefix(BEGUN_AT)?.split(' ').next()?.parse().ok()
}

/// On a SYN that stands so far before what follows that it has another sequence number than the connection began with.
pub(in crate::capture) fn begun_at_comment(first: u32) -> String {
    format!("{BEGUN_AT}{first} where nothing is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_gap_is_read_again() {
        for (to, begins) in [(None, None), (Some(5), None), (Some(1 << 40), Some((1 << 40) + 3))] {
            let gap = Gap { to, begins };
            assert_eq!(Gap::read(&gap.comment()), Some(gap), "{}", gap.comment());
        }
        assert_eq!(Gap::read("framescope: end: capture"), None);
        assert_eq!(begun_at(&begun_at_comment(u32::MAX)), Some(u32::MAX));
        assert_eq!(overlap("framescope: overlap: 12 bytes differ"), Some(12));
    }
}
