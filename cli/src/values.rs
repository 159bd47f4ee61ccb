//! Values that people give on the command line or in a file.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

/// The largest file with values: sixteen times what a run may be given.
pub(crate) const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// `name=value`: the value is JSON, or text if it is none.
pub(crate) fn pair(text: &str, option: &str) -> anyhow::Result<(String, Value)> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .with_context(|| format!("{option} {text}: write name=value"))?;
    Ok((name.to_owned(), json_or_text(value)))
}

/// JSON, or text if it is none.
pub(crate) fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A map in a JSON or YAML file; `-` is standard input. `what` it is a map of is said if it is none.
pub(crate) fn map(file: &Path, what: &str) -> anyhow::Result<Map<String, Value>> {
    let text = text(file, FILE_BYTES)?;
    serde_saphyr::from_str(&text).with_context(|| format!("{} is not a map of {what}", file.display()))
}

/// The text of a file, at most so many bytes; `-` is standard input.
pub(crate) fn text(file: &Path, limit: u64) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(limit + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("failed to read {}", file.display()))?;
    ensure!(
        bytes.len() as u64 <= limit,
        "{} has more than {limit} bytes: that is more than is read",
        file.display()
    );
    String::from_utf8(bytes)
        .with_context(|| format!("{} is not UTF-8: save it in that encoding", file.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_json_or_text() {
        let value = |text| pair(text, "--input").unwrap();
        assert_eq!(value("n=1"), ("n".to_owned(), json!(1)));
        assert_eq!(value("n=one=two"), ("n".to_owned(), json!("one=two")));
        assert_eq!(value("n={\"a\": [true]}"), ("n".to_owned(), json!({"a": [true]})));
        for wrong in ["n", "=1"] {
            let message = pair(wrong, "--input").unwrap_err().to_string();
            assert_eq!(message, format!("--input {wrong}: write name=value"));
        }
    }

    #[test]
    fn no_more_of_a_file_is_read_than_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large.json");
        std::fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
        let message = map(&file, "inputs").unwrap_err().to_string();
        assert!(message.contains("more than 16777216 bytes"), "{message}");
    }
}
