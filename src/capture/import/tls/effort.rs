//! Bounds how much is decrypted in vain.

/// How many bytes are decrypted in vain in one direction until nothing is tried any more. A record that opens restores the budget.
const OF_DIRECTION: u64 = 64 << 20;

/// How many bytes are decrypted in vain in a file of any length,
const OF_FILE: u64 = 256 << 20;

/// and how many more for each byte that was captured. Each lost record costs an attempt for the next one.
const PER_BYTE: u64 = 4;

/// What an attempt costs besides the bytes of the record.
const ATTEMPT: u64 = 256;

/// How much may be decrypted in vain in all connections of a file.
#[derive(Debug)]
pub struct Effort {
    left: u64,
}

/// How much may be decrypted in vain in one direction.
#[derive(Debug)]
pub struct Budget {
    left: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { left: OF_FILE }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: OF_DIRECTION }
    }
}

impl Effort {
    /// So many bytes of encrypted connections were captured.
    pub fn add(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(PER_BYTE * bytes as u64);
    }

    /// Returns true if nothing is left: a record is tried only with the next sequence number of each key.
    pub const fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// A payload of this length was decrypted in vain.
    pub const fn spend(&mut self, payload: usize) {
        self.left = self.left.saturating_sub(payload as u64 + ATTEMPT);
    }
}

impl Budget {
    /// Returns true if nothing is left: nothing is tried any more.
    pub const fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// A payload of this length was decrypted in vain.
    pub const fn spend(&mut self, payload: usize) {
        self.left = self.left.saturating_sub(payload as u64 + ATTEMPT);
    }
}
