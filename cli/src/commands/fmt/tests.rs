use std::path::Path;

use super::*;

/// The canonical form, which is its own.
fn formatted(old: &str) -> String {
    let before = manifest::parse(old.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}\n{old}"));
    let new = text::formatted(old).unwrap_or_else(|refused| panic!("{refused:?}\n{old}"));
    assert_eq!(same::check(old, &before, &new), Ok(()), "{old}\n====\n{new}");
    assert_eq!(text::formatted(&new).unwrap(), new, "formatted twice:\n{old}");
    new
}

/// Texts of files below a folder, and yaml blocks of pages.
fn texts(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
        match extension.as_deref() {
            Some("yaml") => texts.push(std::fs::read_to_string(&path).unwrap()),
            Some("md") => {
                let page = std::fs::read_to_string(&path).unwrap();
                let blocks = page.split("```yaml\n").skip(1);
                texts.extend(blocks.map(|block| block.split("```").next().unwrap().to_owned()));
            }
            _ => {}
        }
    }
    texts
}

#[test]
fn every_manifest_of_the_repository_keeps_its_meaning_and_its_form() {
    let mut count = 0;
    for folder in ["config", "engine/tests/language", "docs", "e2e/manifests"] {
        for old in texts(folder) {
            // Parts of manifests, on pages.
            if manifest::parse(old.as_bytes()).is_ok() {
                formatted(&old);
                count += 1;
            }
        }
    }
    assert!(count > 50, "only {count} texts were found");
}
