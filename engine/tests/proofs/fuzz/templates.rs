//! Templates: refused or rendered, within their fuel.

use flowpilot_engine::template::{FUEL, OUTPUT_LIMIT, Target, Template};
use serde_json::{Map, Value, json};

use super::corpus::TEMPLATES;
use super::expressions::data;
use super::{fuzz, mutate};

#[test]
fn templates() {
    assert!(!TEMPLATES.is_empty(), "read before the time begins");
    fuzz("templates", |random, show| {
        let text = random.of(&TEMPLATES).clone();
        let source = mutate::text(random, &text, &TEMPLATES);
        show(&source);
        let Ok(template) = Template::parse(&source) else {
            return;
        };
        let mut values = Map::new();
        for name in template.reads() {
            values.insert(name.to_owned(), data(random, 3));
        }
        if random.chance(30) {
            values.insert(
                "a".to_owned(),
                Value::Array(vec![json!({"b": "x".repeat(500)}); random.below(300)]),
            );
        }
        let target = *random.of(&[Target::Text, Target::Html, Target::Json]);
        let mut fuel = FUEL;
        let first = template.render_within(&values, target, &mut fuel);
        assert!(fuel <= FUEL, "the fuel grew");
        assert_eq!(
            first,
            template.render(&values, target),
            "it says something else the second time"
        );
        if let Ok(text) = first {
            assert!(text.len() <= OUTPUT_LIMIT, "{} bytes", text.len());
        }
        assert!(
            template
                .reads()
                .into_iter()
                .all(|name| template.position(name).is_some())
        );
    });
}
