//! The guard before anything is written: the new text says the same.

use flowpilot_engine::manifest::{self, Document};
use serde_saphyr::granit_parser::{Event, Parser};

/// Nothing if both texts are the same objects and have the same comments; otherwise what would have been lost.
pub(super) fn check(old: &str, before: &[Document], new: &str) -> Result<(), &'static str> {
    let Ok(after) = manifest::parse(new.as_bytes()) else {
        return Err("it could not be read any more");
    };
    let objects = |documents: &[Document]| -> Vec<_> {
        documents.iter().map(|document| document.object.clone()).collect()
    };
    if objects(before) != objects(&after) {
        return Err("it would mean something else");
    }
    if comments(old) != comments(new) {
        return Err("a comment would be lost");
    }
    Ok(())
}

/// All comments, in the order of their texts.
fn comments(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::new_from_str(text);
    let mut comments = Vec::new();
    while let Some(Ok((event, _))) = parser.next_event() {
        if let Event::Comment(comment, _) = event {
            comments.push(comment.trim_end().to_owned());
        }
    }
    comments.sort_unstable();
    comments
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "kind: A # one\nmetadata: {name: b}\nspec: {x: 1}\n";

    fn check(new: &str) -> Result<(), &'static str> {
        super::check(OLD, &manifest::parse(OLD.as_bytes()).unwrap(), new)
    }

    #[test]
    fn another_meaning_and_a_lost_comment_are_found() {
        assert_eq!(
            check("# one\nspec: {x: 1}\nkind: A\nmetadata: {name: b}\n"),
            Ok(())
        );
        assert_eq!(
            check(&OLD.replace("x: 1", "x: '1'")),
            Err("it would mean something else")
        );
        assert_eq!(check(&OLD.replace("# one", "")), Err("a comment would be lost"));
        assert_eq!(check(&OLD.replace('}', "")), Err("it could not be read any more"));
    }
}
