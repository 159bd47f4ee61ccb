//! Where ids and random values of a simulation come from.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A number, and what it is used for: two purposes of one seed have nothing in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    number: u64,
    purpose: String,
}

impl Seed {
    /// A seed for one purpose, such as the name of a test.
    #[must_use]
    pub fn new(number: u64, purpose: &str) -> Self {
        Self {
            number,
            purpose: purpose.to_owned(),
        }
    }

    /// The id that belongs to a name.
    #[must_use]
    pub fn id(&self, name: &str) -> Uuid {
        let mut hash = Sha256::new();
        hash.update(self.number.to_be_bytes());
        hash.update(self.purpose.as_bytes());
        hash.update([0]);
        hash.update(name.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_number_purpose_and_name() {
        let id = |number, purpose, name: &str| Seed::new(number, purpose).id(name);
        assert_eq!(id(1, "a", "run"), id(1, "a", "run"));
        assert_ne!(id(1, "a", "run"), id(2, "a", "run"));
        assert_ne!(id(1, "a", "run"), id(1, "b", "run"));
        assert_ne!(id(1, "a", "run"), id(1, "a", "other"));
    }
}
