//! An ordered subset of a capture's records: those that a filter selects, or those that a view has rows for.

/// The numbers of selected records, in ascending order: 4 bytes each. Records are added in order as the capture grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectedRecords {
    /// Record numbers minus one.
    numbers: Vec<u32>,
    /// The number of the last record that was evaluated.
    looked_at: u64,
}

impl SelectedRecords {
    /// The number of selected records.
    pub const fn len(&self) -> u64 {
        self.numbers.len() as u64
    }

    /// Whether no record is selected.
    pub const fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The number of the last record that was evaluated, selected or not. The next to evaluate is the one after it.
    pub const fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Adds the next record, selected or not. Records beyond number 2^32 are never selected.
    pub fn look(&mut self, selected: bool) {
        if selected && let Ok(number) = u32::try_from(self.looked_at) {
            self.numbers.push(number);
        }
        self.looked_at += 1;
    }

    /// Skips the records up to this number: they are not selected. Records that were evaluated keep their result.
    pub const fn pass(&mut self, number: u64) {
        if number > self.looked_at {
            self.looked_at = number;
        }
    }

    /// Removes the records before this number, which are evicted.
    pub fn evict_before(&mut self, number: u64) {
        let evicted = usize::try_from(self.row_from(number)).unwrap_or(usize::MAX);
        self.numbers.drain(..evicted);
        self.pass(number - 1);
    }

    /// The number, from 1, of the record in a row, from 0.
    pub fn number(&self, row: u64) -> Option<u64> {
        let number = self.numbers.get(usize::try_from(row).ok()?)?;
        Some(u64::from(*number) + 1)
    }

    /// The row of the first selected record with this number or a later one; [`Self::len`] if there is none.
    pub fn row_from(&self, number: u64) -> u64 {
        self.numbers.partition_point(|n| u64::from(*n) + 1 < number) as u64
    }

    /// The row of the record with this number, if it is selected.
    pub fn row(&self, number: u64) -> Option<u64> {
        let row = self.row_from(number);
        (self.number(row) == Some(number)).then_some(row)
    }

    /// The numbers of the selected records, in ascending order.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator {
        self.numbers.iter().map(|number| u64::from(*number) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_numbers_lead_to_each_other() {
        let mut selection = SelectedRecords::default();
        for number in 1..=10 {
            selection.look(number % 3 == 0);
        }
        let mut later = selection.clone();
        later.evict_before(6);
        assert_eq!((later.numbers().collect::<Vec<_>>(), later.looked_at()), (vec![6, 9], 10));
        later.evict_before(100);
        assert_eq!((later.len(), later.looked_at()), (0, 99));
        assert_eq!(selection.looked_at(), 10);
        assert_eq!(selection.numbers().collect::<Vec<_>>(), [3, 6, 9]);
        assert_eq!((selection.number(1), selection.number(3)), (Some(6), None));
        assert_eq!((selection.row(6), selection.row(7), selection.row(1)), (Some(1), None, None));
        assert_eq!((selection.row_from(1), selection.row_from(7), selection.row_from(10)), (0, 2, 3));
    }
}
