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
            open.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().into_owned());
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

/// A workflow with these lines below `spec`.
fn workflow(spec: &str) -> String {
    format!("apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {{name: a}}\nspec:\n{spec}")
}

#[track_caller]
fn becomes(old: &str, new: &str) {
    assert_eq!(formatted(&workflow(old)), workflow(new));
}

#[test]
fn entries_move_with_their_comments() {
    becomes(
        "  # what it does\n  steps:\n    # first\n    - set: {x: 1} # inline\n      # its name\n      id: a\n      # below \
         the name\n\n    # - id: b\n    #   set: {}\n\n  # for people\n  title: T # here\n  # below the title\n\n  # free\n\n  \
         timeout: 1h\n",
        "  # for people\n  title: T # here\n  # below the title\n\n  # free\n\n  timeout: 1h\n  # what it does\n  steps:\n  # \
         first\n  # its name\n  - id: a\n    # below the name\n\n    set: {x: 1} # inline\n\n  # - id: b\n  #   set: {}\n",
    );
}

#[test]
fn comments_at_the_end_stay_where_their_column_says() {
    let old = "apiVersion: flowpilot.io/v1alpha1\nspec:\n  outputs: {}\n  steps:\n  - id: a\n    set: {}\n    # in a\n  # - id: \
               b\n\n# at the end\nmetadata: {name: a}\nkind: Workflow\n  # of the kind\n# the last\n";
    let new = "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\n# of the kind\n\n# at the end\nmetadata: {name: a}\nspec:\n  \
               steps:\n  - id: a\n    set: {}\n    # in a\n  # - id: b\n\n  outputs: {}\n# the last\n";
    assert_eq!(formatted(old), new);
}

#[test]
fn scalars_are_kept_as_they_are_written() {
    becomes(
        "    steps:\n      -   id: a\n          when: >-\n            inputs.a # no comment\n\n             && true\n          \
         title: \"two\n            lines\"\n          script:\n              source: |2\n                 return 'x' # JavaScript\n\n \
         \n              input: {b: 1,\n                a: '#'}\n",
        "  steps:\n  - id: a\n    title: \"two\n      lines\"\n    when: >-\n      inputs.a # no comment\n\n       && true\n    script:\n      \
         source: |2\n         return 'x' # JavaScript\n\n      input: {b: 1,\n        a: '#'}\n",
    );
}

#[test]
fn blank_lines_that_a_scalar_keeps_move_with_it() {
    becomes(
        "  description: |+\n    text\n\n\n  title: T\n  steps: [{id: a, set: {}}]\n  # foot\n\n",
        "  title: T\n  description: |+\n    text\n\n\n  steps: [{id: a, set: {}}]\n  # foot\n",
    );
    becomes(
        "  steps:\n  - script:\n      source: |+\n        return 1\n    \n    id: a\n\n# end\n",
        "  steps:\n  - id: a\n    script:\n      source: |+\n        return 1\n    \n# end\n",
    );
}

#[test]
fn flow_maps_are_put_in_order_in_their_places() {
    becomes(
        "  steps: [ {set: {b: 1, a: 2}, id: a},\n    {\"needs\": [a], \"set\":{}, \"id\":\"b\"} ]\n",
        "  steps: [ {id: a, set: {b: 1, a: 2}},\n    {\"id\":\"b\", \"needs\": [a], \"set\":{}} ]\n",
    );
    // Comments in braces keep everything where it is.
    let commented = "  steps: [{set: {}, # does nothing\n    id: a}]\n";
    becomes(commented, commented);
}

#[test]
fn order_that_has_a_meaning_is_kept() {
    let anchors = "  variables: {x: &x 1}\n  title: *x\n  steps:\n  - set: &s {a: 1}\n    id: a\n  - {id: b, set: *s}\n";
    becomes(anchors, anchors);
}

#[test]
fn documents_keep_their_marks_and_foreign_ones_everything() {
    let ours = workflow("  steps: [{id: a, set: {}}]\n");
    let foreign =
        "apiVersion: v1\nmetadata:   {name: c}\nkind: ConfigMap\ndata:\n    b: 1   \n\n\n    a: 2\n";
    let old = format!(
        "\n# a file\n\n\n---\n# nothing\n--- # ours\n{ours}\n\n...\n# theirs\n---\n{foreign}---\n{ours}"
    );
    let new =
        format!("# a file\n\n---\n# nothing\n--- # ours\n{ours}\n...\n# theirs\n---\n{foreign}---\n{ours}");
    assert_eq!(formatted(&old), new);
}

#[test]
fn line_ends_are_kept_and_a_byte_order_mark_is_not() {
    let old = "\u{feff}".to_owned()
        + &workflow("  steps: [{set: {}, id: a}]\n  title: \"two\n    lines\"").replace('\n', "\r\n");
    let new = workflow("  title: \"two\n    lines\"\n  steps: [{id: a, set: {}}]\n").replace('\n', "\r\n");
    assert_eq!(formatted(&old), new);
}

#[test]
fn texts_without_objects_are_left_alone() {
    for text in ["", "# only a comment\n", "---\n", "---\n# a\n---\n"] {
        assert_eq!(formatted(text), text);
    }
}

#[test]
fn a_json_file_is_put_in_order_too() {
    let old = "{\n\t\"kind\": \"Workflow\", \"apiVersion\": \"flowpilot.io/v1alpha1\",\n\t\"spec\": {\"steps\": [{\"set\": {}, \"id\": \
               \"a\"}]}, \"metadata\": {\"name\": \"a\"}\n}";
    let new = "{\n\t\"apiVersion\": \"flowpilot.io/v1alpha1\", \"kind\": \"Workflow\",\n\t\"metadata\": {\"name\": \"a\"}, \"spec\": \
               {\"steps\": [{\"id\": \"a\", \"set\": {}}]}\n}\n";
    assert_eq!(formatted(old), new);
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (spec, line, word) in [
        ("  ? steps\n  : [{id: a, set: {}}]\n", 5, "`key: value`"),
        (
            "  variables:\n    &v\n    a: 1\n  steps: [{id: a, set: {}}]\n",
            6,
            "line of its own",
        ),
    ] {
        let old = workflow(spec);
        manifest::parse(old.as_bytes()).unwrap();
        let found = problem(&old, &text::formatted(&old).unwrap_err());
        assert_eq!(
            (found.line, found.message.contains(word)),
            (line, true),
            "{found}"
        );
    }
}

mod random {
    use proptest::prelude::*;

    use super::*;

    /// Entries of a step; before a line that begins with `^` anything may stand that is no YAML.
    const ENTRIES: [&str; 16] = [
        "id: ID",
        "title: 'x: # y'   # inline",
        "needs: [x, # inside\n  y]  # behind",
        "when: |\n   a # no comment\n\n     b\n  ",
        "with: # lead\n    ^- - 1\n      ^- {b: 1, a: [2]}\n    ^-   x: 1\n        ^y: >-\n           folded\n\n            more",
        "set:\n  ^b: 1\n  ^a:\n  ^- 1\n  ^-\n  ^- \"two\n\n   lines\"",
        "script: {source: \"a\n    b\", input: {}}",
        "retry: &r # anchored\n  ^codes:\n   ^- A\n  ^attempts: 2",
        "undo: !tag\n ^with:\n    ^a: |+\n      kept\n\n ^uses: u",
        "timeout:\n    1h",
        "\"wait\": { until: now, duration: 1s }",
        "cache:",
        "in: !!null",
        "group: &g # nothing",
        "emit: !!map {type: a, data: !x {b: &y [1]}}",
        "fail: !!map\n  ^code:\n  ^message: |\n\n",
    ];

    /// What is typed by mistake; the first stands for a letter that is missing.
    const SLIPS: [&str; 16] = [
        "", " ", "\n", "#", "- ", ": ", "? ", "*r", "&r ", "!t ", "|\n", "ü", "\t", "\r", "\n---\n", "{",
    ];

    fn gap() -> impl Strategy<Value = Vec<(u8, usize)>> {
        prop::collection::vec((0..4_u8, 0..12_usize), 0..4)
    }

    prop_compose! {
        fn step()(order in Just((0..ENTRIES.len()).collect::<Vec<_>>()).prop_shuffle(), count in 1..7_usize) -> Vec<usize> {
            order.into_iter().take(count).collect()
        }
    }

    /// The text of steps with comments and blank lines everywhere.
    fn written(steps: &[Vec<usize>], gaps: &[Vec<(u8, usize)>], (list, dash): (usize, usize)) -> String {
        let mut lines = vec!["  steps:".to_owned()];
        let mut gaps = gaps.iter().cycle();
        let mut number = 0;
        let mut stuff = |lines: &mut Vec<String>| {
            for (kind, column) in gaps.next().into_iter().flatten() {
                number += 1;
                lines.push(match kind {
                    0 => String::new(),
                    1 => "    ".to_owned(),
                    _ => format!("{:column$}# {number}", ""),
                });
            }
        };
        for (place, step) in steps.iter().enumerate() {
            for (first, entry) in step.iter().enumerate() {
                stuff(&mut lines);
                let column = list + 1 + dash;
                let lead = if first == 0 {
                    format!("{:list$}-{:dash$}", "", "")
                } else {
                    " ".repeat(column)
                };
                let text = ENTRIES[*entry].replace("ID", &format!("s{place}"));
                for (row, line) in text.split('\n').enumerate() {
                    let inner = line.trim_start();
                    if inner.starts_with('^') {
                        stuff(&mut lines);
                    }
                    let line = line.replacen('^', "", 1);
                    lines.push(if row == 0 {
                        format!("{lead}{line}")
                    } else if line.is_empty() {
                        line
                    } else {
                        format!("{:column$}{line}", "")
                    });
                }
            }
        }
        stuff(&mut lines);
        lines.push("  title: T".to_owned());
        stuff(&mut lines);
        lines.join("\n")
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn slips_of_the_pen_are_formatted_or_refused(
            steps in prop::collection::vec(step(), 1..3),
            gaps in prop::collection::vec(gap(), 1..10),
            columns in (2..5_usize, 1..4_usize),
            slips in prop::collection::vec((any::<prop::sample::Index>(), 0..SLIPS.len()), 1..4),
        ) {
            let mut text = workflow(&written(&steps, &gaps, columns));
            for (place, slip) in slips {
                let at = text.floor_char_boundary(place.index(text.len()));
                if slip == 0 {
                    text.remove(at);
                } else {
                    text.insert_str(at, SLIPS[slip]);
                }
            }
            if let Ok(before) = manifest::parse(text.as_bytes())
                && let Ok(new) = text::formatted(&text)
                && same::check(&text, &before, &new).is_ok()
            {
                prop_assert_eq!(text::formatted(&new).unwrap(), new);
            }
        }

        #[test]
        fn comments_anywhere_are_kept_and_a_second_time_changes_nothing(
            steps in prop::collection::vec(step(), 1..3),
            gaps in prop::collection::vec(gap(), 1..30),
            columns in (2..5_usize, 1..4_usize),
        ) {
            let spec = written(&steps, &gaps, columns);
            formatted(&workflow(&spec));
        }
    }
}

#[test]
fn the_samples_are_as_they_should_be() {
    for text in texts("config/samples") {
        assert_eq!(formatted(&text), text);
    }
}
