//! The connections by their numbers. Of those that are gone with the ring nothing stays.

use super::connection::ConnectionEntry;

/// All connections of a capture; numbers begin at 1.
#[derive(Debug, Default)]
pub struct Connections {
    slots: Vec<Option<Box<ConnectionEntry>>>,
    /// The numbers of those that are there, in order; `None` while no connection is gone.
    present: Option<Vec<u32>>,
}

impl Connections {
    /// Adds one; returns its number.
    pub fn push(&mut self, entry: ConnectionEntry) -> u32 {
        self.slots.push(Some(Box::new(entry)));
        let number = self.slots.len() as u32;
        if let Some(present) = &mut self.present {
            present.push(number);
        }
        number
    }

    pub fn get(&self, number: u32) -> Option<&ConnectionEntry> {
        self.slots.get((number as usize).checked_sub(1)?)?.as_deref()
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut ConnectionEntry> {
        self.slots.get_mut((number as usize).checked_sub(1)?)?.as_deref_mut()
    }

    /// How many are there.
    pub fn count(&self) -> u32 {
        self.present.as_ref().map_or(self.slots.len(), Vec::len) as u32
    }

    /// The number of the connection before which so many others are there.
    pub fn number(&self, rank: u32) -> Option<u32> {
        match &self.present {
            Some(present) => present.get(rank as usize).copied(),
            None => (rank < self.count()).then_some(rank + 1),
        }
    }

    /// How many connections with smaller numbers are there.
    pub fn rank(&self, number: u32) -> u32 {
        match &self.present {
            Some(present) => present.partition_point(|n| *n < number) as u32,
            None => number.saturating_sub(1).min(self.count()),
        }
    }

    /// Those that are there, with their numbers.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut ConnectionEntry)> {
        (1..).zip(&mut self.slots).filter_map(|(number, slot)| Some((number, slot.as_deref_mut()?)))
    }

    /// Lets those go that `goes` says.
    pub fn drop_where(&mut self, mut goes: impl FnMut(&ConnectionEntry) -> bool) {
        let mut any = false;
        for slot in &mut self.slots {
            any |= slot.take_if(|entry| goes(entry)).is_some();
        }
        if any {
            let there = (1..).zip(&self.slots).filter(|(_, slot)| slot.is_some());
            self.present = Some(there.map(|(number, _)| number).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::time::Time;

    #[test]
    fn ranks_pass_over_what_is_gone() {
        let mut all = Connections::default();
        for port in 1..=5 {
            let address = ([127, 0, 0, 1], port).into();
            assert_eq!(all.push(ConnectionEntry::new(address, address, Time(0))), u32::from(port));
        }
        assert_eq!((all.number(4), all.rank(5), all.rank(9)), (Some(5), 4, 5));
        all.drop_where(|entry| [2, 3].contains(&entry.client.port()));
        let address = ([127, 0, 0, 1], 6).into();
        assert_eq!(all.push(ConnectionEntry::new(address, address, Time(0))), 6);
        let numbers: Vec<_> = (0..5).map(|rank| all.number(rank)).collect();
        assert_eq!(numbers, [Some(1), Some(4), Some(5), Some(6), None]);
        assert_eq!((all.rank(3), all.rank(4), all.count()), (1, 1, 4));
        assert!(all.get(2).is_none() && all.get(0).is_none() && all.get(4).is_some());
    }
}
