//! Some of a capture's records, in order: what a filter lets through, or what a view has rows for.

/// The numbers of some records, in order. It grows with the capture: 4 bytes a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Record numbers minus one.
    numbers: Vec<u32>,
    /// How many records of the capture were looked at.
    looked_at: u64,
}

impl Selection {
    /// How many records are selected.
    pub const fn len(&self) -> u64 {
        self.numbers.len() as u64
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How many records of the capture were looked at: the next to look at is the one with this number plus one.
    pub const fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// The next record, whether it is selected or not. What has no room in 32 bits is not selected.
    pub fn look(&mut self, selected: bool) {
        if selected && let Ok(number) = u32::try_from(self.looked_at) {
            self.numbers.push(number);
        }
        self.looked_at += 1;
    }

    /// The records up to that number are not selected; those that were looked at stay as they are.
    pub const fn pass(&mut self, number: u64) {
        if number > self.looked_at {
            self.looked_at = number;
        }
    }

    /// Drops the records before that number, which are evicted.
    pub fn evict_before(&mut self, number: u64) {
        self.numbers.drain(..self.row_from(number) as usize);
        self.pass(number - 1);
    }

    /// The number, from 1, of the record in that row, from 0.
    pub fn number(&self, row: u64) -> Option<u64> {
        let number = self.numbers.get(usize::try_from(row).ok()?)?;
        Some(u64::from(*number) + 1)
    }

    /// The row of the first selected record with that number or a later one; [`Self::len`] when there is none.
    pub fn row_from(&self, number: u64) -> u64 {
        self.numbers.partition_point(|n| u64::from(*n) + 1 < number) as u64
    }

    /// The row of the record with that number, if it is selected.
    pub fn row(&self, number: u64) -> Option<u64> {
        let row = self.row_from(number);
        (self.number(row) == Some(number)).then_some(row)
    }

    /// The numbers of the selected records, in order.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator {
        self.numbers.iter().map(|number| u64::from(*number) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_numbers_lead_to_each_other() {
        let mut selection = Selection::default();
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
