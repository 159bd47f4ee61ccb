//! From bytes to documents.

use std::sync::Arc;

use serde_json::Value;
use serde_saphyr::options::AliasLimits;
use serde_saphyr::{DuplicateKeyPolicy, Error, Options};

use super::outline::{LostNumber, Outlines};
use super::{Document, MANIFEST_BYTES, ManifestProblem};

/// Documents of one text: a folder's worth in one file.
const DOCUMENTS: usize = 500;
/// How deep values may nest. More than any manifest; the reader recurses, with large frames in debug builds.
const DEPTH: usize = 50;
/// Values, keys, lists and maps in one text of the largest size.
const NODES: usize = 200_000;
/// What aliases may add: an alias saves typing, not kilobytes.
const ALIASED: usize = 20_000;

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Document>, Vec<ManifestProblem>> {
    let text = text(bytes).map_err(|problem| vec![problem])?;
    let values: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options())
        .map_err(|error| vec![unreadable(text, &error)])?;
    let outlines = Arc::new(Outlines::of(text));
    let lost = outlines.lost();
    if !lost.is_empty() {
        return Err(lost.iter().map(unkept).collect());
    }
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    let objects = values.into_iter().filter(|value| !value.is_null());
    for (number, object) in objects.enumerate() {
        let word = |value: Option<&Value>| {
            value
                .and_then(Value::as_str)
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
        };
        let metadata = object.get("metadata");
        let (kind, name) = (
            word(object.get("kind")),
            word(metadata.and_then(|metadata| metadata.get("name"))),
        );
        // `kubectl create` makes a name from a prefix; until then the object has none.
        let prefixed = metadata.is_some_and(|metadata| metadata["generateName"].is_string());
        let name = name.or_else(|| prefixed.then(String::new));
        let namespace = word(metadata.and_then(|metadata| metadata.get("namespace")));
        let missing = |path: &str, message: &str| {
            let (line, column) = outlines.document(number).position(path);
            ManifestProblem {
                line,
                column,
                code: "NoManifest".to_owned(),
                message: message.to_owned(),
            }
        };
        if !object.is_object() {
            problems.push(missing(
                "",
                "a manifest is a map with apiVersion, kind, metadata and spec",
            ));
            continue;
        }
        match (kind, name) {
            (Some(kind), Some(name)) => documents.push(Document {
                kind,
                name,
                namespace,
                object,
                outlines: outlines.clone(),
                number,
            }),
            (None, _) => problems.push(missing(
                "kind",
                "`kind` is missing: a manifest says what it is, such as kind: Workflow",
            )),
            (_, None) => problems.push(missing(
                "metadata",
                "`metadata.name` is missing: every object has a name, or a generateName",
            )),
        }
    }
    if problems.is_empty() {
        Ok(documents)
    } else {
        Err(problems)
    }
}

/// The text, if it is one that can be read at all.
fn text(bytes: &[u8]) -> Result<&str, ManifestProblem> {
    if bytes.len() > MANIFEST_BYTES {
        let message = format!(
            "the text has {} bytes; at most {MANIFEST_BYTES} are read: split it",
            bytes.len()
        );
        return Err(ManifestProblem {
            line: 1,
            column: 1,
            code: "LimitExceeded".to_owned(),
            message,
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.split('\n').count();
        let column = good.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let message = "the text is not UTF-8: save it in that encoding".to_owned();
        ManifestProblem {
            line: number(line),
            column: number(column),
            code: "InvalidUtf8".to_owned(),
            message,
        }
    })
}

fn unkept(number: &LostNumber) -> ManifestProblem {
    let message = format!(
        "{} does not fit into 64 bits, so its digits would be lost: write it as a text in quotes",
        number.written
    );
    ManifestProblem {
        line: number.line,
        column: number.column,
        code: "InvalidNumber".to_owned(),
        message,
    }
}

fn options() -> Options {
    let mut options = Options::default();
    let mut budget = options.budget.take().unwrap_or_default();
    budget.max_depth = DEPTH;
    budget.max_documents = DOCUMENTS;
    budget.max_nodes = NODES;
    budget.max_events = 3 * NODES;
    options.budget = Some(budget);
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = ALIASED;
    options.alias_limits = aliases;
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    // `on: …` and `country: no` mean what they say, as in YAML 1.2.
    options.strict_booleans = true;
    // Our messages show no extract of the text, and comments are nothing that is read.
    options.with_snippet = false;
    options.emit_comments = false;
    options
}

fn unreadable(text: &str, error: &Error) -> ManifestProblem {
    let error = error.without_snippet();
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    let (line, column) = error
        .location()
        .map_or((1, 1), |at| (number(at.line()), number(at.column())));
    let written = text.lines().nth(line as usize - 1).unwrap_or_default();
    let indent: String = written
        .chars()
        .take_while(|letter| letter.is_whitespace())
        .collect();
    let (code, message) = match error {
        Error::DuplicateMappingKey { key, .. } => {
            let name = key.as_deref().unwrap_or("a key");
            (
                "DuplicateKey",
                format!("{name} stands twice in one map: remove or rename one"),
            )
        }
        Error::Budget { .. } => (
            "LimitExceeded",
            format!("the text holds more than is read: {error}"),
        ),
        // The reader wraps limits of aliases and of nesting in messages.
        _ if error.to_string().contains("limit exceeded") => (
            "LimitExceeded",
            format!("the text holds more than is read: {error}"),
        ),
        _ if indent.contains('\t') => (
            "InvalidYaml",
            "a tab indents this line: YAML is indented with spaces".to_owned(),
        ),
        _ if written.contains("$(") => (
            "InvalidYaml",
            format!("{error}: a text with `: `, `, `, ` #`, brackets or quotes in it stands in quotes"),
        ),
        _ => ("InvalidYaml", format!("{error}")),
    };
    ManifestProblem {
        line,
        column,
        code: code.to_owned(),
        message,
    }
}
