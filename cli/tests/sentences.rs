//! Each sentence of `engine/tests/language/SENTENCES.md` is shown by a WorkflowTest that names it, or by a test of the code
//! that it names; nothing names a sentence that is not there; and no part of the language is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a pattern")
}

/// The sentences by id.
fn sentences() -> BTreeMap<String, String> {
    let page = read("engine/tests/language/SENTENCES.md");
    let entry = pattern("(?m)^- `([a-z]+-[0-9]+)` (.+)$");
    let mut found = BTreeMap::new();
    for entry in entry.captures_iter(&page) {
        let (id, text) = (entry[1].to_owned(), entry[2].to_owned());
        assert!(found.insert(id.clone(), text).is_none(), "{id} stands twice");
    }
    let items = page.lines().filter(|line| line.starts_with("- ")).count();
    assert_eq!(items, found.len(), "an entry has no id");
    found
}

/// Names of tests by the sentences that their `why` names.
fn named() -> BTreeMap<String, Vec<String>> {
    let document = pattern(r"(?m)^metadata: \{name: ([^}]+)\}\nwhy: (.+)$");
    let tag = pattern(r#"\[([a-z]+-[0-9]+(?:, [a-z]+-[0-9]+)*)\]["']?$"#);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(root().join("engine/tests/language")).expect("the tests") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let content = std::fs::read_to_string(&path).expect("a file of tests");
        let tests: Vec<_> = document.captures_iter(&content).collect();
        assert_eq!(
            tests.len(),
            content.matches("kind: WorkflowTest\n").count(),
            "{}",
            path.display()
        );
        for test in tests {
            assert!(names.insert(test[1].to_owned()), "{} stands twice", &test[1]);
            let Some(tag) = tag.captures(&test[2]) else {
                continue;
            };
            for id in tag[1].split(", ") {
                found.entry(id.to_owned()).or_default().push(test[1].to_owned());
            }
        }
    }
    found
}

#[test]
fn each_sentence_is_shown_by_a_test_that_names_it() {
    let (sentences, named) = (sentences(), named());
    let code = pattern("`([a-z_/0-9]+\\.rs)::([a-z0-9_]+)`");
    for (id, text) in &sentences {
        let mut shown = named.contains_key(id);
        for test in code.captures_iter(text) {
            let is_there = read(&test[1]).contains(&format!("fn {}(", &test[2]));
            assert!(is_there, "{id}: {} has no test {}", &test[1], &test[2]);
            shown = true;
        }
        assert!(shown, "nothing shows {id}: {text}");
    }
    for (id, tests) in &named {
        assert!(
            sentences.contains_key(id),
            "{tests:?} name {id}, which is no sentence"
        );
    }
    assert!(sentences.len() > 200, "{}", sentences.len());
}

#[test]
fn every_part_of_the_language_has_its_sentences() {
    let headings = |page: &str| -> Vec<String> {
        let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        headings.map(str::to_owned).collect()
    };
    let has = headings(&read("engine/tests/language/SENTENCES.md"));
    for heading in headings(&read("docs/language.md")) {
        assert!(has.contains(&heading), "no sentences about {heading}");
    }
}
