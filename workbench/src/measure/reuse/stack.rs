//! The LRU stack: items in the order of their last access, with the bytes above each of them.
//!
//! R. L. Mattson, J. Gecsei, D. R. Slutz, I. L. Traiger, "Evaluation techniques for storage hierarchies", IBM Systems
//! Journal 9(2), 1970, defines the distance; F. Olken, "Efficient methods for calculating the success function of fixed
//! space replacement policies", LBL-12370, 1981, finds it in a tree. The tree here is a Fenwick tree (P. M. Fenwick, "A new
//! data structure for cumulative frequency tables", Software: Practice and Experience 24(3), 1994) over the times of the
//! last accesses: two arrays instead of nodes with pointers. Times are renumbered when the array is full.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Slots of the first array.
const FEWEST_SLOTS: usize = 1024;

/// Items by the time of their last access. An access costs O(log n) on average.
#[derive(Debug)]
pub(super) struct LruStack {
    items: HashMap<u64, Place, BuildHasherDefault<SpreadBits>>,
    /// The item that was accessed at each time. An item that moved on or was removed has another slot, or none.
    slots: Vec<u64>,
    /// Bytes by time, as partial sums.
    sums: Fenwick,
    bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    slot: u32,
    bytes: u32,
}

impl LruStack {
    pub(super) fn new() -> Self {
        Self {
            items: HashMap::default(),
            slots: Vec::with_capacity(FEWEST_SLOTS),
            sums: Fenwick::new(FEWEST_SLOTS),
            bytes: 0,
        }
    }

    /// Items in the stack.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of all items.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Moves an item to the top, where it has so many bytes. Returns the bytes of the items that were above it; `None` if it
    /// is new.
    pub(super) fn access(&mut self, item: u64, bytes: u32) -> Option<u64> {
        if self.slots.len() == self.sums.len() {
            self.renumber();
        }
        let slot = self.slots.len();
        let place = Place { slot: u32::try_from(slot).expect("fewer than 2^32 items"), bytes };
        let above = self.items.insert(item, place).map(|before| self.take(before));
        self.slots.push(item);
        self.sums.add(slot, bytes.into());
        self.bytes += u64::from(bytes);
        above
    }

    pub(super) fn remove(&mut self, item: u64) {
        if let Some(place) = self.items.remove(&item) {
            self.take(place);
        }
    }

    /// Takes an item out of its slot and returns the bytes above it.
    fn take(&mut self, place: Place) -> u64 {
        let above = self.bytes - self.sums.up_to(place.slot as usize);
        self.sums.subtract(place.slot as usize, place.bytes.into());
        self.bytes -= u64::from(place.bytes);
        above
    }

    /// Gives the items the first slots, in their order, and leaves at least as many free.
    fn renumber(&mut self) {
        let items = &self.items;
        let mut slot = 0;
        self.slots.retain(|item| {
            let is_current = items.get(item).is_some_and(|place| place.slot == slot);
            slot += 1;
            is_current
        });
        self.sums = Fenwick::new((2 * self.slots.len()).next_power_of_two().max(FEWEST_SLOTS));
        for (slot, item) in self.slots.iter().enumerate() {
            let place = self.items.get_mut(item).expect("it has a slot");
            place.slot = u32::try_from(slot).expect("fewer than 2^32 items");
            self.sums.add(slot, place.bytes.into());
        }
    }

    #[cfg(test)]
    pub(super) fn allocated_bytes(&self) -> usize {
        // The table of the standard library keeps an eighth free, a control byte per slot, and powers of two.
        let table = (self.items.capacity() * 8 / 7).next_power_of_two() * (size_of::<(u64, Place)>() + 1);
        table + (self.slots.capacity() + self.sums.sums.capacity()) * size_of::<u64>()
    }
}

/// Sums over the beginning of an array of numbers, each in O(log n).
#[derive(Debug)]
struct Fenwick {
    /// At `n - 1` the sum of the numbers from `n - lowest_bit(n)` to `n - 1`.
    sums: Vec<u64>,
}

impl Fenwick {
    fn new(len: usize) -> Self {
        Self { sums: vec![0; len] }
    }

    const fn len(&self) -> usize {
        self.sums.len()
    }

    fn add(&mut self, at: usize, number: u64) {
        self.change(at, |sum| *sum += number);
    }

    fn subtract(&mut self, at: usize, number: u64) {
        self.change(at, |sum| *sum -= number);
    }

    fn change(&mut self, at: usize, change: impl Fn(&mut u64)) {
        let mut n = at + 1;
        while n <= self.sums.len() {
            change(&mut self.sums[n - 1]);
            n += lowest_bit(n);
        }
    }

    /// Sum of the numbers from the first to the one at `at`.
    fn up_to(&self, at: usize) -> u64 {
        let (mut n, mut sum) = (at + 1, 0);
        while n > 0 {
            sum += self.sums[n - 1];
            n -= lowest_bit(n);
        }
        sum
    }
}

const fn lowest_bit(n: usize) -> usize {
    n & n.wrapping_neg()
}

/// Items are hashes already. The upper half of a sampled one is small, and the table takes the upper bits of a hash.
#[derive(Debug, Default)]
struct SpreadBits(u64);

impl Hasher for SpreadBits {
    fn write(&mut self, _: &[u8]) {
        unreachable!("items are numbers");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash.rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_stack_is_a_list_with_the_last_accessed_item_first(
            // Few items and many accesses: the slots are renumbered several times.
            steps in prop::collection::vec((0u64..300, 1u32..100, 0u8..10), 1..6_000),
        ) {
            let (mut stack, mut list) = (LruStack::new(), Vec::<(u64, u32)>::new());
            for (item, bytes, action) in steps {
                let place = list.iter().position(|&(known, _)| known == item);
                if action == 0 {
                    stack.remove(item);
                    place.map(|place| list.remove(place));
                } else {
                    let above = place.map(|place| list[..place].iter().map(|&(_, bytes)| u64::from(bytes)).sum());
                    prop_assert_eq!(stack.access(item, bytes), above);
                    place.map(|place| list.remove(place));
                    list.insert(0, (item, bytes));
                }
                prop_assert_eq!(stack.len(), list.len());
            }
            prop_assert_eq!(stack.bytes(), list.iter().map(|&(_, bytes)| u64::from(bytes)).sum::<u64>());
        }
    }
}
