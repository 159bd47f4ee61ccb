//! Steps that may start at the same moment start in the order of the list.
//!
//! Across blocks that is the list, too: a group adds nothing. Only the steps of one item or turn stay together: items
//! stand where the first step of their block does, in their own order.

use serde::{Deserialize, Serialize};

/// Blocks in blocks are at most five deep, and an item or a turn adds two numbers.
const PARTS: usize = 12;

/// Where a step stands among those of the same moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Order {
    parts: [u32; PARTS],
    used: usize,
}

impl Order {
    pub(super) fn then(mut self, part: usize) -> Self {
        if let Some(place) = self.parts.get_mut(self.used) {
            *place = u32::try_from(part).unwrap_or(u32::MAX);
            self.used += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stay_together_and_stand_where_their_block_does() {
        let items = |index| Order::default().then(3).then(index);
        let mut steps = [
            Order::default().then(6),
            items(1).then(3),
            items(0).then(4),
            items(0).then(3),
            Order::default().then(1),
        ];
        steps.sort_unstable();
        let expected = [
            Order::default().then(1),
            items(0).then(3),
            items(0).then(4),
            items(1).then(3),
            Order::default().then(6),
        ];
        assert_eq!(steps, expected);
    }
}
