//! What the repository holds: every YAML file, and the texts in it that are expressions or templates.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

/// All YAML of the repository, a document each.
pub(crate) static MANIFESTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    for folder in ["config", "engine/tests", "charts", "e2e", "cli", "docs"] {
        read(&root.join(folder), &mut texts);
    }
    assert!(texts.len() > 100, "only {} documents found", texts.len());
    texts
});

fn read(path: &Path, texts: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, texts);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            texts.extend(text.split("\n---\n").map(str::to_owned));
        }
    }
}

/// Texts with expressions, and conditions, which are bare.
pub(crate) static EXPRESSIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = Vec::new();
    each(&mut |name, text| {
        if text.contains("$(") || ["when", "while", "until", "match"].contains(&name) {
            found.push(text.to_owned());
        }
    });
    found.extend(MORE.map(str::to_owned));
    found
});

const MORE: [&str; 12] = [
    "[1, 2, 3].map(x, x * 2).filter(x, x > 2).sum()",
    "{'a': 1, 'b': [2.5, null]}.all(k, v, k != '')",
    "'a,b'.split(',').join('-').replace('a', 'b', 1).matches('[a-z]+')",
    "timestamp('2026-01-31T08:00:00Z') + duration('1h30m')",
    "inputs.?a.?b.orValue(steps.x.output.y)",
    "has(inputs.a) && inputs.a > 1 ? 'x' : string(2u)",
    "lists.range(9).sortBy(x, -x).slice(1, 3).distinct().reverse()",
    "json.parse('{\"a\": [1]}').a[0] + hash.sha256('x').size()",
    "'%s %d %.2f'.format(['a', 1, 1.5])",
    "math.greatest(1, 2.0, 3u) in [1, 2] || type(1) == int",
    "a.exists_one(x, y, x > y) == regex.extract('a', 'b')",
    "base64.decode('aGk=') == b'hi' && -(-9223372036854775808) < 0",
];

/// Texts that are templates.
pub(crate) static TEMPLATES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = Vec::new();
    each(&mut |name, text| {
        if name == "template" || text.contains("{{") || text.contains("{%") {
            found.push(text.to_owned());
        }
    });
    found.push(
        "{% for x in a %}{{ loop.index }}: {{ x|upper|default('-') }}{% else %}none{% endfor %}".to_owned(),
    );
    found.push(
        "{% if b.a > 1 and s is defined %}{{ s[0]|tojson }}{% elif n %}{{ n ~ 'x' }}{% endif %}".to_owned(),
    );
    found.push(
        "{% set x = a|map('upper')|join(', ') %}{{ x|e }}{# no #}{% raw %}{{ }}{% endraw %}".to_owned(),
    );
    found
});

fn each(take: &mut dyn FnMut(&str, &str)) {
    for text in MANIFESTS.iter() {
        if let Ok(value) = serde_saphyr::from_str::<Value>(text) {
            walk("", &value, take);
        }
    }
}

fn walk(name: &str, value: &Value, take: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => take(name, text),
        Value::Array(values) => values.iter().for_each(|value| walk(name, value, take)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| walk(name, value, take)),
        _ => {}
    }
}
