//! Maps: in the order they were written, found by binary search once they are large.
//!
//! Why no hash map: most maps are a handful of JSON fields, where a look along the list is the fastest; large ones
//! get a sorted index, which no choice of keys can slow down. Walks inside expressions go by sorted key, so that
//! a result never depends on how the map was stored.

use super::Value;
use serde_json::Value as Json;
use std::{cmp::Ordering, fmt, sync::Arc};

/// Up to this size a look along the entries is faster than an index.
const LINEAR: usize = 8;

/// The key of a map entry.
#[derive(Clone, Debug)]
pub enum Key {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is never negative. The same key as the `Int` of that value.
    Uint(u64),
    /// A text, as all keys from JSON are.
    String(Arc<str>),
}

/// A key seen without its storage: what is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen<'a> {
    Bool(bool),
    Number(i128),
    Text(&'a str),
}

impl Key {
    fn seen(&self) -> Seen<'_> {
        match self {
            Self::Bool(value) => Seen::Bool(*value),
            Self::Int(value) => Seen::Number(i128::from(*value)),
            Self::Uint(value) => Seen::Number(i128::from(*value)),
            Self::String(text) => Seen::Text(text),
        }
    }

    /// The key that a value can be; nothing if maps have no such keys.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) => Some(Self::Int(*value)),
            Value::Uint(value) => Some(Self::Uint(*value)),
            Value::String(text) => Some(Self::String(text.clone())),
            _ => None,
        }
    }

    /// The key as a value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Uint(value) => Value::Uint(*value),
            Self::String(text) => Value::String(text.clone()),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.seen() == other.seen()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.seen().cmp(&other.seen())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Int(value) => write!(formatter, "{value}"),
            Self::Uint(value) => write!(formatter, "{value}"),
            Self::String(text) => formatter.write_str(text),
        }
    }
}

/// A map of values. Never changed once it is built.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Key, Value)>,
    /// Positions in `entries` by sorted key; empty for small maps.
    order: Box<[usize]>,
}

impl Map {
    /// Builds a map; a key that stands twice is handed back as the error.
    pub fn new(entries: Vec<(Key, Value)>) -> Result<Self, Key> {
        let order = sorted(&entries);
        for pair in order.windows(2) {
            if let [first, second] = pair
                && entries[*first].0 == entries[*second].0
            {
                return Err(entries[*first].0.clone());
            }
        }
        Ok(Self::indexed(entries, order))
    }

    pub(super) fn from_json(fields: &serde_json::Map<String, Json>) -> Self {
        let entries: Vec<_> = fields
            .iter()
            .map(|(name, value)| (Key::String(Arc::from(name.as_str())), Value::from_json(value)))
            .collect();
        let order = if entries.len() > LINEAR {
            sorted(&entries)
        } else {
            Vec::new()
        };
        Self::indexed(entries, order)
    }

    fn indexed(entries: Vec<(Key, Value)>, order: Vec<usize>) -> Self {
        let order = if entries.len() > LINEAR {
            order.into_boxed_slice()
        } else {
            Box::default()
        };
        Self { entries, order }
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in the order they were written.
    #[must_use = "an iterator does nothing by itself"]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The entries by sorted key.
    pub fn iter_sorted(&self) -> impl Iterator<Item = (&Key, &Value)> {
        let order = if self.order.is_empty() {
            sorted(&self.entries)
        } else {
            self.order.to_vec()
        };
        order.into_iter().map(|position| {
            let (key, value) = &self.entries[position];
            (key, value)
        })
    }

    /// The value of a text key.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        if self.order.is_empty() {
            return self.entries.iter().find_map(|(name, value)| match name {
                Key::String(name) if name.as_ref() == key => Some(value),
                _ => None,
            });
        }
        self.find(Seen::Text(key))
    }

    /// The value of a key. A double finds the whole number it is equal to.
    #[must_use]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        match key {
            Value::String(text) => self.get_str(text),
            Value::Bool(value) => self.find(Seen::Bool(*value)),
            Value::Int(value) => self.find(Seen::Number(i128::from(*value))),
            Value::Uint(value) => self.find(Seen::Number(i128::from(*value))),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "only whole numbers come here, the cast saturates"
            )]
            Value::Double(value) if value.fract() == 0.0 => self.find(Seen::Number(*value as i128)),
            _ => None,
        }
    }

    fn find(&self, key: Seen<'_>) -> Option<&Value> {
        if self.order.is_empty() {
            return self
                .entries
                .iter()
                .find(|(name, _)| name.seen() == key)
                .map(|(_, value)| value);
        }
        let found = self
            .order
            .binary_search_by(|position| self.entries[*position].0.seen().cmp(&key))
            .ok()?;
        Some(&self.entries[self.order[found]].1)
    }
}

fn sorted(entries: &[(Key, Value)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|first, second| entries[*first].0.seen().cmp(&entries[*second].0.seen()));
    order
}
