//! Reading a document strictly: every field is known, of the right type, and its place is said when it is not.

use std::time::Duration;

use flowpilot_crds::unknown_fields::nearest;
use flowpilot_engine::duration;
use jiff::SignedDuration;
use serde_json::{Map, Value};

/// What is wrong with a document, at a path of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) path: String,
    pub(crate) message: String,
}

pub(crate) type Read<T> = Result<T, Wrong>;

pub(crate) fn wrong<T>(path: impl Into<String>, message: impl Into<String>) -> Read<T> {
    Err(Wrong {
        path: path.into(),
        message: message.into(),
    })
}

/// The fields of a map, taken one by one.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    path: String,
    given: &'a Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value, path: &str) -> Read<Self> {
        match value.as_object() {
            Some(given) => Ok(Self {
                path: path.to_owned(),
                given,
                known: Vec::new(),
            }),
            None => wrong(path, format!("this is a map, not {}", kind(value))),
        }
    }

    /// The fields that were asked for so far.
    pub(crate) fn known(&self) -> &[&'static str] {
        &self.known
    }

    /// The path of a field.
    pub(crate) fn path(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// A field's value; null is not given.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.given.get(name).filter(|value| !value.is_null())
    }

    /// A field's value as it stands, null too.
    pub(crate) fn raw(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.given.get(name)
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Read<Option<&'a str>> {
        let path = self.path(name);
        self.take(name).map(|value| text(value, &path)).transpose()
    }

    pub(crate) fn required(&mut self, name: &'static str) -> Read<&'a Value> {
        let path = self.path.clone();
        match self.take(name) {
            Some(value) => Ok(value),
            None => match self.misspelt(name) {
                Some(given) => wrong(
                    join(&path, &given),
                    format!("there is no field `{given}` here; did you mean `{name}`?"),
                ),
                None => wrong(path, format!("`{name}` is missing")),
            },
        }
    }

    pub(crate) fn texts(&mut self, name: &'static str) -> Read<Vec<String>> {
        let path = self.path(name);
        let one = |item: &Value, path: &str| match item {
            // A number or a truth value among words is the word that it was written as.
            Value::Number(_) | Value::Bool(_) => Ok(item.to_string()),
            _ => Ok(text(item, path)?.to_owned()),
        };
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                let items = items.iter().enumerate();
                items
                    .map(|(number, item)| one(item, &format!("{path}[{number}]")))
                    .collect()
            }
            Some(word) => Ok(vec![one(word, &path)?]),
        }
    }

    pub(crate) fn list(&mut self, name: &'static str) -> Read<&'a [Value]> {
        let path = self.path(name);
        self.take(name).map_or(Ok(&[]), |value| list(value, &path))
    }

    pub(crate) fn map(&mut self, name: &'static str) -> Read<Option<&'a Map<String, Value>>> {
        let path = self.path(name);
        self.take(name).map(|value| map(value, &path)).transpose()
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Read<Option<bool>> {
        let path = self.path(name);
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match value.as_bool() {
            Some(flag) => Ok(Some(flag)),
            None => wrong(path, format!("this is true or false, not {}", kind(value))),
        }
    }

    pub(crate) fn span(&mut self, name: &'static str) -> Read<Option<SignedDuration>> {
        let path = self.path(name);
        self.take(name).map(|value| span(value, &path)).transpose()
    }

    /// One of some words.
    pub(crate) fn word(&mut self, name: &'static str, words: &[&'static str]) -> Read<Option<&'static str>> {
        let path = self.path(name);
        let Some(given) = self.text(name)? else {
            return Ok(None);
        };
        match words.iter().find(|word| **word == given) {
            Some(word) => Ok(Some(word)),
            None => wrong(path, format!("`{given}` is not one of {}", words.join(", "))),
        }
    }

    /// A field that was given and was probably meant to be this one.
    fn misspelt(&self, name: &str) -> Option<String> {
        nearest(name, self.given.keys().map(String::as_str))
    }

    /// Every field was known.
    pub(crate) fn end(self) -> Read<()> {
        let Some(name) = self
            .given
            .keys()
            .find(|name| !self.known.contains(&name.as_str()))
        else {
            return Ok(());
        };
        let hint = match nearest(name, self.known.iter().copied()) {
            Some(like) => format!("; did you mean `{like}`?"),
            None => format!(": there are {}", self.known.join(", ")),
        };
        wrong(
            join(&self.path, name),
            format!("there is no field `{name}` here{hint}"),
        )
    }
}

pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

pub(crate) fn text<'a>(value: &'a Value, path: &str) -> Read<&'a str> {
    match value.as_str() {
        Some(text) => Ok(text),
        None => wrong(path, format!("this is a text, not {}", kind(value))),
    }
}

pub(crate) fn list<'a>(value: &'a Value, path: &str) -> Read<&'a [Value]> {
    match value.as_array() {
        Some(items) => Ok(items),
        None => wrong(path, format!("this is a list, not {}", kind(value))),
    }
}

pub(crate) fn map<'a>(value: &'a Value, path: &str) -> Read<&'a Map<String, Value>> {
    match value.as_object() {
        Some(fields) => Ok(fields),
        None => wrong(path, format!("this is a map, not {}", kind(value))),
    }
}

/// A span of time such as `90s`; a bare zero is one, too.
pub(crate) fn span(value: &Value, path: &str) -> Read<SignedDuration> {
    if value.as_u64() == Some(0) {
        return Ok(SignedDuration::ZERO);
    }
    match duration::parse(text(value, path)?) {
        Ok(span) => Ok(span),
        Err(error) => wrong(path, error.to_string()),
    }
}

/// A span as people write it: `1h30m`.
pub(crate) fn written(span: SignedDuration) -> String {
    let total = Duration::try_from(span).unwrap_or_default();
    let (seconds, milliseconds) = (total.as_secs(), total.subsec_millis());
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(milliseconds), "ms"),
    ];
    let mut words = String::new();
    for (count, unit) in parts.iter().filter(|(count, _)| *count > 0) {
        words.push_str(&count.to_string());
        words.push_str(unit);
    }
    if words.is_empty() { "0s".to_owned() } else { words }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_field_is_said_with_its_path_and_what_was_meant() {
        let value = json!({"stauts": "Failed"});
        let mut fields = Fields::of(&value, "expect").unwrap();
        assert_eq!(fields.text("status"), Ok(None));
        let error = fields.end().unwrap_err();
        assert_eq!(error.path, "expect.stauts");
        assert!(
            error.message.contains("did you mean `status`?"),
            "{}",
            error.message
        );
    }

    #[test]
    fn spans_are_written_as_they_are_read() {
        for text in ["0s", "90s", "1h30m", "250ms", "24h"] {
            let read = duration::parse(text).unwrap();
            assert_eq!(duration::parse(&written(read)).unwrap(), read);
        }
        assert_eq!(written(SignedDuration::from_secs(5400)), "1h30m");
    }
}
