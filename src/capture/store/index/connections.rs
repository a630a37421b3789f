//! The connections by their numbers. Nothing is kept of one that was removed.

use super::connection::ConnectionEntry;

/// All connections of a capture; numbers begin at 1.
#[derive(Debug, Default)]
pub struct Connections {
    /// Those that were not removed, in the order of their numbers.
    entries: Vec<ConnectionEntry>,
    /// Their numbers; `None` while no connection was removed.
    numbers: Option<Vec<u32>>,
    /// The number of the latest.
    last: u32,
}

impl Connections {
    /// Adds one; returns its number.
    pub fn push(&mut self, entry: ConnectionEntry) -> u32 {
        self.entries.push(entry);
        self.last += 1;
        if let Some(numbers) = &mut self.numbers {
            numbers.push(self.last);
        }
        self.last
    }

    #[inline]
    pub fn get(&self, number: u32) -> Option<&ConnectionEntry> {
        self.entries.get(self.place(number)?)
    }

    #[inline]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut ConnectionEntry> {
        let place = self.place(number)?;
        self.entries.get_mut(place)
    }

    #[inline]
    fn place(&self, number: u32) -> Option<usize> {
        match &self.numbers {
            None => (number as usize).checked_sub(1),
            Some(numbers) => numbers.binary_search(&number).ok(),
        }
    }

    /// How many were not removed.
    pub fn count(&self) -> u32 {
        rank(self.entries.len())
    }

    /// The number of the connection before which there are `rank` others.
    pub fn number(&self, rank: u32) -> Option<u32> {
        match &self.numbers {
            Some(numbers) => numbers.get(rank as usize).copied(),
            None => (rank < self.count()).then_some(rank + 1),
        }
    }

    /// How many of them have smaller numbers.
    pub fn rank(&self, number: u32) -> u32 {
        match &self.numbers {
            Some(numbers) => rank(numbers.partition_point(|n| *n < number)),
            None => number.saturating_sub(1).min(self.count()),
        }
    }

    /// Those that were not removed, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &ConnectionEntry> {
        self.entries.iter()
    }

    /// The same.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ConnectionEntry> {
        self.entries.iter_mut()
    }

    /// Removes those for which `is_removed` is true.
    pub fn remove_where(&mut self, is_removed: impl FnMut(&ConnectionEntry) -> bool) {
        let removed: Vec<bool> = self.entries.iter().map(is_removed).collect();
        if removed.contains(&true) {
            let mut numbers = self.numbers.take().unwrap_or_else(|| (1..=self.last).collect());
            let mut of_numbers = removed.iter();
            numbers.retain(|_| of_numbers.next() == Some(&false));
            let mut of_entries = removed.iter();
            self.entries.retain(|_| of_entries.next() == Some(&false));
            self.numbers = Some(numbers);
        }
    }
}

/// Numbers of connections are kept in 32 bits, and so are ranks.
fn rank(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::time::Time;

    #[test]
    fn ranks_skip_removed_connections() {
        let mut all = Connections::default();
        for port in 1..=5 {
            let address = ([127, 0, 0, 1], port).into();
            assert_eq!(all.push(ConnectionEntry::new(address, address, Time(0))), u32::from(port));
        }
        assert_eq!((all.number(4), all.rank(5), all.rank(9)), (Some(5), 4, 5));
        all.remove_where(|entry| [2, 3].contains(&entry.client.port()));
        let address = ([127, 0, 0, 1], 6).into();
        assert_eq!(all.push(ConnectionEntry::new(address, address, Time(0))), 6);
        let numbers: Vec<_> = (0..5).map(|rank| all.number(rank)).collect();
        assert_eq!(numbers, [Some(1), Some(4), Some(5), Some(6), None]);
        assert_eq!((all.rank(3), all.rank(4), all.count()), (1, 1, 4));
        assert!(all.get(2).is_none() && all.get(0).is_none() && all.get(4).is_some());
    }
}
