//! What is found before there is data.

use super::*;

#[test]
fn the_names_it_reads_are_known() {
    let source = "{% set b = a %}{% for x, y in c.d if x %}{{ x ~ y ~ loop.index ~ b }}{% endfor %}{{ range(f) }}{{ e|default(g) }}";
    let template = Template::parse(source).unwrap();
    assert_eq!(
        template.reads().into_iter().collect::<Vec<_>>(),
        ["a", "c", "e", "f", "g"]
    );
    assert_eq!(&source[template.position("c").unwrap()..][..3], "c.d");
}

#[test]
fn each_mistake_has_a_place_and_a_reason() {
    let cases = [
        (
            "Hello\n  {{ name | uper }}",
            2,
            13,
            "there is no filter `uper`; did you mean `upper`?",
        ),
        (
            "{{ x is defind }}",
            1,
            9,
            "there is no test `defind`; did you mean `defined`?",
        ),
        ("{{ name", 1, 4, "unexpected end of input"),
        ("{% if x %}", 1, 9, "unexpected end of input"),
        ("{% include 'other' %}", 1, 4, "unknown statement include"),
        ("{% macro m() %}{% endmacro %}", 1, 4, "unknown statement macro"),
        ("{{ a < b < c }}", 1, 4, "write `a < b and b < c`"),
        ("{{ [1] * 3 }}", 1, 4, "a list cannot be repeated"),
        ("{% do f() %}", 1, 7, "`do` is not there"),
        ("{{ f(*a) }}", 1, 7, "without `*`"),
        ("{{ {a: 1} }}", 1, 5, "a key of a map is written out here"),
        ("{% set a.b = 1 %}", 1, 10, "a value can only be given to a name"),
    ];
    for (source, line, column, part) in cases {
        let error = Template::parse(source).unwrap_err();
        assert!(error.message.contains(part), "{source}: {error}");
        assert_eq!((error.line, error.column), (line, column), "{source}: {error}");
    }
}

#[test]
fn what_is_not_there_is_named_with_its_place() {
    let cases = [
        ("Hi {{ order.nmae }}", "`order.nmae` is not there", "column 7"),
        (
            "{{ order.lines[5].x }}",
            "`order.lines[5]` is not there",
            "column 15",
        ),
        (
            "{% for x in order.items %}{% endfor %}",
            "`order.items` is not there",
            "column 13",
        ),
        (
            "{% if order.x %}{% endif %}",
            "`order.x` is not there",
            "column 7",
        ),
        (
            "{{ order.n + order.zz }}",
            "`order.n + order.zz`, or what it reads, is not there",
            "column 4",
        ),
        ("{{ order.x.y|upper }}", "is not there", "column 9"),
        ("{{ order.keys() }}", "there are no methods here", "column 9"),
        ("{{ order.n + 'a' }}", "in `order.n + 'a'`", "column 4"),
    ];
    for (source, part, place) in cases {
        let message = message(source, json!({"order": {"n": 1, "lines": []}}));
        assert!(
            message.contains(part) && message.contains(place),
            "{source}: {message}"
        );
    }
}

mod with {
    use super::*;
    use crate::expression::{Budget, Value as Cel, Variables};

    fn with(source: &Value) -> Result<With, (String, String)> {
        let targets: Targets = [("parts.note", Target::Html)].into_iter().collect();
        With::parse(source, targets).map_err(|(path, error)| (path, format!("{} {error}", error.offset)))
    }

    fn scope() -> Variables {
        let mut scope = Variables::default();
        scope.set("inputs", Cel::from_json(&json!({"name": "<Ann>", "n": 2})));
        scope
    }

    #[test]
    fn a_template_stands_for_a_text() {
        let source = json!({"to": "ann", "parts": [{"note": {"template": "Dear {{ who }}", "data": {"who": "$(inputs.name)"}}}],
            "plain": {"template": "{{ n + 1 }} {{ left is defined }}$(x)", "data": {"n": "$(inputs.n)", "left": "$(inputs.?x)"}},
            "no": {"template": "{{ x", "more": 1}});
        let with = with(&source).unwrap();
        let reads: Vec<String> = with.reads().into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            reads,
            ["/parts/0/note/data/who", "/plain/data/n", "/plain/data/left"]
        );
        let mut budget = Budget::default();
        let value = with.evaluate(&scope(), &mut budget).unwrap();
        assert_eq!(
            value,
            json!({"to": "ann", "parts": [{"note": "Dear &lt;Ann&gt;"}], "plain": "3 false$(x)", "no": {"template": "{{ x", "more": 1}})
        );
        assert!(budget.steps < Budget::default().steps - 10);
        let stored = serde_json::to_string(&with).unwrap();
        let read: With = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, with);
        assert_eq!(read.evaluate(&scope(), &mut Budget::default()).unwrap(), value);
    }

    #[test]
    fn a_schema_sees_a_text_in_place_of_a_template() {
        let source = json!({"a": [{"template": "x", "data": {"b": 1}}], "b": {"template": 1}, "c": {"template": "x", "d": 1}});
        let shown = without_templates(&source);
        assert_eq!(shown["b"], source["b"]);
        assert_eq!(shown["c"], source["c"]);
        let text = crate::expression::Text::parse(shown["a"][0].as_str().unwrap()).unwrap();
        assert_eq!(text.programs().len(), 1);
    }

    #[test]
    fn mistakes_have_their_path() {
        let cases = [
            (
                json!({"a": {"template": "{{ naem }}", "data": {"name": 1}}}),
                "/a/template",
                "3 the template reads `naem`, and its data has only `name`; did you mean `name`?",
            ),
            (
                json!({"a": {"template": "{{ x }}"}}),
                "/a/template",
                "3 the template reads `x`, and its data has no keys",
            ),
            (
                json!({"a": {"template": "x", "data": [1]}}),
                "/a/data",
                "0 the data of a template is a map",
            ),
            (
                json!({"a": {"template": "x", "data": {"a-b": 1}}}),
                "/a/data/a-b",
                "0 a template cannot read `a-b`",
            ),
            (
                json!({"a": {"template": "x", "data": {"a": "$(1 +"}}}),
                "/a/data/a",
                "",
            ),
            (
                json!({"a": [{"template": "\n{{ x|uper }}", "data": {"x": 1}}]}),
                "/a/0/template",
                "6 there is no filter `uper`",
            ),
        ];
        for (source, path, part) in cases {
            let (at, message) = with(&source).unwrap_err();
            assert!(at == path && message.starts_with(part), "{at}: {message}");
        }
    }

    #[test]
    fn a_failing_template_fails_like_an_expression() {
        let source = json!({"template": "{{ n.x }}", "data": {"n": "$(inputs)"}});
        let error = with(&source)
            .unwrap()
            .evaluate(&scope(), &mut Budget::default())
            .unwrap_err();
        assert_eq!((error.code, error.offset), ("ExpressionError", 3));
        assert!(error.message.contains("`n.x` is not there"), "{error}");
        let source = json!({"template": "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}"});
        let error = with(&source)
            .unwrap()
            .evaluate(&scope(), &mut Budget::default())
            .unwrap_err();
        assert_eq!(error.code, "LimitExceeded");
    }
}
