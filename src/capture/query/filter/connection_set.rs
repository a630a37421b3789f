//! A set of connections.

/// A set of connections: a bit for each connection number.
#[derive(Clone, Debug, Default)]
pub struct ConnectionSet {
    bits: Vec<u64>,
    count: usize,
    /// The connection added last: consecutive records often have the same one.
    latest: u32,
}

impl ConnectionSet {
    /// The number of connections.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The numbers of the connections, in ascending order.
    pub fn numbers(&self) -> Vec<u32> {
        let words = (0u32..).zip(&self.bits);
        words
            .flat_map(|(word, bits)| (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit))
            .collect()
    }

    #[inline]
    pub(super) fn add(&mut self, number: u32) {
        if std::mem::replace(&mut self.latest, number) == number {
            return;
        }
        let (word, bit) = (number as usize / 64, number % 64);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.count += usize::from(self.bits[word] >> bit & 1 == 0);
        self.bits[word] |= 1 << bit;
    }
}
