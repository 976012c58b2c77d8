//! The memory of all children together.

use std::sync::{Mutex, PoisonError};

/// What children hold that are alive at once: of each the most that it ever did, as nobody knows when that was.
#[derive(Debug, Default)]
pub struct Held(Mutex<(u64, u64)>);

impl Held {
    /// The most bytes that they held together.
    pub fn peak(&self) -> u64 {
        self.change(|_| {})
    }

    /// Changes what they hold now; returns the most until now.
    fn change(&self, change: impl FnOnce(&mut u64)) -> u64 {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, most) = &mut *held;
        change(now);
        *most = (*now).max(*most);
        *most
    }
}

/// What one child holds, for as long as this lives.
#[derive(Debug)]
pub struct Share<'a> {
    of: &'a Held,
    bytes: u64,
}

impl<'a> Share<'a> {
    /// Nothing yet.
    pub fn new(of: &'a Held) -> Share<'a> {
        Share { of, bytes: 0 }
    }

    /// The child held so many bytes.
    pub fn grow_to(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.bytes);
        self.bytes += more;
        self.of.change(|now| *now += more);
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.of.change(|now| *now -= self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_is_replaced_does_not_count_beside_the_next_one() {
        let held = Held::default();
        let mut other = Share::new(&held);
        other.grow_to(10);
        for _ in 0..5 {
            let mut replaced = Share::new(&held);
            [3, 7, 5].into_iter().for_each(|bytes| replaced.grow_to(bytes));
        }
        assert_eq!(held.peak(), 17);
        other.grow_to(11);
        drop(other);
        assert_eq!(held.peak(), 17);
    }
}
