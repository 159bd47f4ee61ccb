//! JSON without ambiguity: no duplicate keys, bounded depth, valid UTF-8.
//!
//! Two readers of `{"a":1,"a":2}` may disagree about it, so nobody gets to read it.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Depth of nesting: what a person writes stays far below, and recursion stays far from the end of the stack.
pub const DEPTH: usize = 64;

/// Parses the text, or says what is wrong and where.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "the body is not UTF-8: byte {} does not belong there",
            error.valid_up_to()
        )
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict(DEPTH)
        .deserialize(&mut reader)
        .map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

struct Strict(usize);

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        let left = self
            .0
            .checked_sub(1)
            .ok_or_else(|| E::custom(format!("nested deeper than {DEPTH} levels")))?;
        Ok(Self(left))
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self(deeper.0))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self(deeper.0))?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn good_json_is_read_as_it_stands() {
        let text = br#" {"b": [1, -2, 3.5, true, null, "x"], "a": {"c": {}}} "#;
        assert_eq!(
            parse(text).unwrap(),
            json!({"b": [1, -2, 3.5, true, null, "x"], "a": {"c": {}}})
        );
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let deep = "[".repeat(DEPTH + 1) + &"]".repeat(DEPTH + 1);
        let wrong: [(&[u8], &str); 6] = [
            (br#"{"a":1,"a":2}"#, "stands twice"),
            (br#"{"a":{"b":1,"b":1}}"#, "stands twice"),
            (b"\"\xff\"", "not UTF-8"),
            (deep.as_bytes(), "deeper"),
            (b"{} {}", "trailing"),
            (b"{", "EOF"),
        ];
        for (text, words) in wrong {
            let error = parse(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let fits = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
        assert!(parse(fits.as_bytes()).is_ok());
    }
}
