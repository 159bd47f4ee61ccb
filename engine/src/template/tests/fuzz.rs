//! Templates put together at random: each is refused or rendered, soon.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Parts of the language, in no order that makes sense for long.
const PARTS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{-",
    "-%}",
    " if ",
    " else ",
    "{% endif %}",
    "{% for x in a %}",
    "{% endfor %}",
    "{% set x = ",
    "{% set x %}",
    "{% endset %}",
    "{% raw %}",
    "{% endraw %}",
    "{% filter upper %}",
    "{% endfilter %}",
    " in ",
    " is ",
    " not ",
    " and ",
    " or ",
    "|",
    "|join(",
    "|map('upper')",
    "|tojson",
    "|sort",
    "|default(1)",
    "|date('%Y')",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    ",",
    ":",
    ".",
    "+",
    "-",
    "*",
    "**",
    "//",
    "%",
    "~",
    "==",
    "<",
    "a",
    "b",
    "x",
    "a.b",
    "s",
    "n",
    "range(",
    "loop",
    "loop(",
    "1",
    "0",
    "-1",
    "9223372036854775807",
    "1e308",
    "'é'",
    "none",
    "true",
    " ",
    "\n",
    "é",
    "\u{0}",
    "😀",
    "recursive",
    "{% autoescape false %}",
    "{% endautoescape %}",
    "{% with x = a %}",
    "{% endwith %}",
    "{% if a %}",
    "{% elif b %}",
    "defined",
];

fn source() -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(prop::sample::select(PARTS), 0..40).prop_map(|parts| parts.concat());
    let tags = prop::collection::vec(prop::sample::select(PARTS), 0..12)
        .prop_map(|parts| format!("{{{{ {} }}}}", parts.concat()));
    prop_oneof![parts, tags, any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_template_is_refused_or_rendered(source in source()) {
        let start = Instant::now();
        if let Ok(template) = Template::parse(&source) {
            let value = data(json!({"a": [1, "two", {"b": null}], "b": {"a": 1.5}, "s": "text", "n": 7}));
            for target in [Target::Text, Target::Html, Target::Json] {
                let first = template.render(&value, target);
                prop_assert_eq!(&first, &template.render(&value, target));
                if let Ok(text) = first {
                    prop_assert!(text.len() <= OUTPUT_LIMIT);
                }
            }
        }
        prop_assert!(start.elapsed() < Duration::from_secs(20));
    }
}
