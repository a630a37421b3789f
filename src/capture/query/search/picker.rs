//! Chooses one of the matches in a record.

use super::Toward;

/// Takes the matches of a record in ascending order, and chooses one: the first, the last, or the one next to a match that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picker {
    toward: Toward,
    shown: Option<u64>,
    /// The choice so far.
    pub found: Option<u64>,
}

impl Picker {
    /// Chooses the first match after `shown` (the last before it for [`Toward::Earlier`]); without `shown`, the first (the last).
    pub const fn new(toward: Toward, shown: Option<u64>) -> Self {
        Self { toward, shown, found: None }
    }

    /// The first position at which a match can be chosen.
    pub const fn start(&self) -> u64 {
        match (self.toward, self.shown) {
            (Toward::Later, Some(shown)) => shown.saturating_add(1),
            _ => 0,
        }
    }

    /// Takes a match. Returns true if no further one can be chosen.
    pub fn take(&mut self, at: u64) -> bool {
        let is_past = self.toward == Toward::Earlier && self.shown.is_some_and(|shown| at >= shown);
        if !is_past && at >= self.start() {
            self.found = Some(at);
        }
        is_past || self.toward == Toward::Later && self.found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_match_is_chosen() {
        let pick = |toward, shown| {
            let mut picker = Picker::new(toward, shown);
            let taken = [3, 7, 9].into_iter().take_while(|at| !picker.take(*at)).count();
            (picker.found, taken)
        };
        assert_eq!(pick(Toward::Later, None), (Some(3), 0));
        assert_eq!(pick(Toward::Later, Some(3)), (Some(7), 1));
        assert_eq!(pick(Toward::Later, Some(9)), (None, 3));
        assert_eq!(pick(Toward::Earlier, None), (Some(9), 3));
        assert_eq!(pick(Toward::Earlier, Some(9)), (Some(7), 2));
        assert_eq!(pick(Toward::Earlier, Some(3)), (None, 0));
    }
}
