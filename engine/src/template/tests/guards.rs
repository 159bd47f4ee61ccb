//! Templates that want too much.

use std::time::{Duration, Instant};

use super::*;

/// Some hundredths of a second on an idle machine, with optimisation; tests run without.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn work_is_bounded() {
    let value = json!({"big": "x".repeat(500_000), "other": "x".repeat(500_000), "list": vec![json!({"a": [1, 2, 3]}); 2_000], "lists": vec![json!([]); 20_000], "same": vec![json!({"a": [1, 2, 3]}); 2_000]});
    let double =
        |name: &str, times| format!("{{% set {name} = [{name}, {name}, {name}, {name}] %}}").repeat(times);
    let sources = [
        "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ big == other }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ list == same }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ list < same }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ list|sort|length }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ list in same }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ big|upper|length }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ big ~ big }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ list|tojson|length }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ lists|map('sum', start=list)|list|tojson|length }}{% endfor %}"
            .to_owned(),
        "{% for a in range(100000) %}{{ lists|map('join', big)|list|length }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ list|map('tojson')|list|length }}{% endfor %}".to_owned(),
        "{{ big * 1000000 }}".to_owned(),
        "{{ 'x' * 100000000 }}".to_owned(),
        "{{ '%1000000000d'|format(1) }}".to_owned(),
        "{{ 'a'|replace('', big)|replace('', big)|length }}".to_owned(),
        "{{ big|indent(1000000000) }}{{ 'a\n\na'|indent(1000000000) }}".to_owned(),
        "{{ big|split('')|join(big)|length }}".to_owned(),
        format!(
            "{{% set a = [1] %}}{{% set b = [1] %}}{}{}{{{{ a == b }}}}",
            double("a", 40),
            double("b", 40)
        ),
        format!("{{% set a = [1] %}}{}{{{{ a }}}}", double("a", 40)),
        format!("{{% set a = [1] %}}{}{{{{ a|tojson }}}}", double("a", 40)),
        format!("{{% set a = [1] %}}{}{{{{ a|string }}}}", double("a", 40)),
        format!("{{% set a = [1] %}}{}{{{{ a ~ '' }}}}", double("a", 40)),
        format!("{{% set a = [1] %}}{}{{{{ '%s'|format(a) }}}}", double("a", 40)),
        format!(
            "{{% set a = [1] %}}{}{{{{ [a]|unique|length }}}}",
            double("a", 40)
        ),
        format!("{{% set a = [1] %}}{}{{{{ 1 in a }}}}", double("a", 40)),
    ];
    for source in sources {
        let shown = source[..source.len().min(90)].to_owned();
        let value = value.clone();
        let start = Instant::now();
        let error = on_small_stack(move || render(&source, value)).unwrap_err();
        assert!(error.limit, "{shown}: {error}");
        assert!(start.elapsed() < PATIENCE, "{shown}: {:?}", start.elapsed());
    }
}

#[test]
fn tests_and_lookups_do_not_walk_over_shared_values() {
    let double = |name: &str| format!("{{% set {name} = [{name}, {name}] %}}").repeat(40);
    for last in [
        "{{ {'a': 1}[a]|default('-') }}",
        "{% if a is sequence and a %}x{% endif %}",
        "{{ a|length }}",
        "{{ a|first|length }}",
        "{% for x in a %}{% endfor %}",
        "{{ a[::2]|length }}",
    ] {
        let source = format!("{{% set a = [1] %}}{}{last}", double("a"));
        let start = Instant::now();
        let _ = on_small_stack(move || render(&source, json!({})));
        assert!(start.elapsed() < PATIENCE, "{last}: {:?}", start.elapsed());
    }
}

#[test]
fn lists_are_not_repeated() {
    for source in [
        "{{ list * 100000000 }}",
        "{% set a = list|map('upper') %}{{ a * 3 }}",
        "{{ 3 * range(3) }}",
    ] {
        assert!(
            message(source, json!({"list": ["a"]})).contains("cannot be repeated"),
            "{source}"
        );
    }
}

#[test]
fn nesting_is_bounded() {
    let chain = |part: &str, count: usize| format!("{{{{ a{} }}}}", part.repeat(count));
    let nested =
        |open: &str, close: &str, count: usize| format!("{}x{}", open.repeat(count), close.repeat(count));
    let sources = [
        chain(".b", 20_000),
        chain("[0]", 15_000),
        chain("|e", 20_000),
        chain(" ~ a", 15_000),
        chain(" + 1", 15_000),
        chain("()", 20_000),
        chain(" if a else a", 5_000),
        chain(" is string", 6_000),
        chain(" and a", 9_000),
        format!("{{{{ {}a }}}}", "not ".repeat(15_000)),
        format!("{{{{ {}a }}}}", "-".repeat(60_000)),
        format!("{{{{ {}a }}}}", "not ".repeat(390)),
        format!("{{{{ {}a }}}}", "- ".repeat(390)),
        format!("{{{{ {} }}}}", nested("(", ")", 30_000)),
        format!("{{{{ {} }}}}", nested("[", "]", 30_000)),
        format!("{{{{ {} }}}}", nested("[", "]", 190)),
        chain(".b", 190),
        chain(" ~ a", 190),
        chain("|e", 190),
        nested("{% if a %}", "{% endif %}", 3_000),
        nested("{% if a %}", "{% endif %}", 900),
        nested("{% for a in a %}", "{% endfor %}", 900),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(5_000)),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(99)),
        "{% set x = [x] %}".repeat(3_500),
        "{% set x = [x] %}".repeat(499),
        "{{".repeat(30_000),
        "{%".repeat(30_000),
        "{#".repeat(30_000),
        "{% for x in a recursive %}{{ loop([[1]]) }}{% endfor %}".to_owned(),
        "{% for x in a recursive %}{{ loop(a) }}{% endfor %}".to_owned(),
        "x".repeat(SOURCE_LIMIT + 1),
    ];
    for source in sources {
        let shown = source[..source.len().min(40)].to_owned();
        let start = Instant::now();
        let _ = on_small_stack(move || render(&source, json!({"a": [1], "x": 1})));
        assert!(start.elapsed() < PATIENCE, "{shown}: {:?}", start.elapsed());
    }
}

#[test]
fn deep_data_is_rendered_or_refused() {
    let mut value = json!(1);
    for _ in 0..100 {
        value = json!([value]);
    }
    let source = "{{ a }}{{ a|tojson }}{{ a == a }}";
    assert!(on_small_stack(move || render(source, json!({"a": value}))).is_ok());
}

#[test]
fn nothing_of_the_outside_is_seen() {
    for name in [
        "now",
        "debug",
        "namespace",
        "dict",
        "env",
        "self",
        "caller",
        "super",
    ] {
        let template = Template::parse(&format!("{{{{ {name}() }}}}")).unwrap();
        assert_eq!(template.reads().into_iter().collect::<Vec<_>>(), [name]);
        assert!(template.render(&Map::new(), Target::Text).is_err(), "{name}");
    }
    for source in [
        "{{ a|map('batch', 1)|list }}",
        "{{ a|map('pprint')|list }}",
        "{{ a|select('in', a)|list }}",
        "{{ a|map('zip', a)|list }}",
    ] {
        assert!(
            message(source, json!({"a": [[1]]})).contains("unknown"),
            "{source}"
        );
    }
}

#[test]
fn the_text_is_bounded() {
    let error = render(
        "{% for a in range(3) %}{{ big }}{% endfor %}",
        json!({"big": "x".repeat(400_000)}),
    )
    .unwrap_err();
    assert!(
        error.limit && error.message.contains("1048576 are allowed"),
        "{error}"
    );
}
