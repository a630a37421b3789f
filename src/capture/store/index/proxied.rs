//! What `proxy` did with records.

use super::Index;
use crate::capture::format::proxied::Proxied;

impl Index {
    /// Sets what was done with a record, and with the one that was sent in its place. The first fact about a record stays: one with a wrong
    /// length may contain bytes of several kinds.
    pub fn set_proxied(&mut self, no: u64, how: Proxied) {
        let other = match how {
            Proxied::ReplacedBy(went) => Some((went, Proxied::InPlaceOf(no))),
            Proxied::InPlaceOf(came) => Some((came, Proxied::ReplacedBy(no))),
            Proxied::Rewritten | Proxied::Dropped | Proxied::Added => None,
        };
        for (no, how) in other.into_iter().chain([(no, how)]) {
            self.proxied.entry(no).or_insert(how);
        }
    }
}
