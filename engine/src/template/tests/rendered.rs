//! What templates give.

use super::*;

#[test]
fn a_mail_is_rendered_from_its_data() {
    let source = "Dear {{ name }},\n{% for line in lines %}{{ line.count }} x {{ line.title }}{% if not loop.last %}, {% endif %}{% endfor %}";
    let value = json!({"name": "Ann", "lines": [{"count": 2, "title": "Tea"}, {"count": 1, "title": "Cup"}]});
    assert_eq!(text(source, value), "Dear Ann,\n2 x Tea, 1 x Cup");
}

#[test]
fn values_stand_as_in_expressions() {
    let value = json!({"whole": 120.0, "part": 12.5, "n": 3, "yes": true, "list": [1, "a", null], "map": {"b": 1, "a": 2.0}, "text": "$(x) <b>"});
    assert_eq!(
        text("{{ whole }} {{ part }} {{ n }} {{ yes }}", value.clone()),
        "120 12.5 3 true"
    );
    assert_eq!(
        text("{{ list }} {{ map }} {{ text }}", value.clone()),
        r#"[1,"a",null] {"a":2.0,"b":1} $(x) <b>"#
    );
    assert_eq!(
        text("{{ part ~ '/' ~ whole ~ list }}", value.clone()),
        r#"12.5/120[1,"a",null]"#
    );
    let null = message("{{ list[2] }}", value);
    assert!(
        null.contains("null cannot stand in a text") && null.contains("column 4"),
        "{null}"
    );
}

#[test]
fn a_target_says_how_values_are_written() {
    let value = data(json!({"name": "<b>\"Ann\"</b>", "n": 1.0, "list": ["<"], "none": null}));
    let render = |source, target| Template::parse(source).unwrap().render(&value, target).unwrap();
    assert_eq!(
        render("<p>{{ name }}</p>", Target::Html),
        "<p>&lt;b&gt;&quot;Ann&quot;&lt;&#x2f;b&gt;</p>"
    );
    assert_eq!(
        render("{{ list }}{{ name|safe }}", Target::Html),
        "[&quot;&lt;&quot;]<b>\"Ann\"</b>"
    );
    assert_eq!(
        render(
            r#"{"name": {{ name }}, "n": {{ n }}, "all": {{ list }}, "none": {{ none }}}"#,
            Target::Json
        ),
        r#"{"name": "<b>\"Ann\"</b>", "n": 1.0, "all": ["<"], "none": null}"#
    );
    let error = Template::parse(r#"{"name": "{{ name }}"}"#)
        .unwrap()
        .render(&value, Target::Json)
        .unwrap_err();
    assert!(error.message.contains("the text is not JSON"), "{error}");
}

#[test]
fn operators_and_filters_compute() {
    let value = json!({"lines": [{"n": 2, "price": 1.5, "kind": "a"}, {"n": 1, "price": 3.0, "kind": "b"}], "names": ["Bo", "ann"], "m": {"y": 1, "x": 2}, "at": "2026-01-02T23:30:00Z"});
    let cases = [
        (
            "{% for line in lines %}{{ line.n * line.price }};{% endfor %}",
            "3;3;",
        ),
        (
            "{{ 1 + 2 }} {{ 7 // 2 }} {{ 'a' + 'b' }} {{ '-' * 3 }} {{ 2 ** 3 }}",
            "3 3 ab --- 8",
        ),
        (
            "{{ names|join(', ') }} {{ names|length }} {{ names|sort|first }}",
            "Bo, ann 2 ann",
        ),
        (
            "{{ lines|map(attribute='kind')|join }} {{ lines|sum(attribute='n') }}",
            "ab 3",
        ),
        (
            "{{ lines|selectattr('kind', 'eq', 'b')|map(attribute='n')|list }}",
            "[1]",
        ),
        (
            "{% for kind, group in lines|groupby('kind') %}{{ kind }}{{ group|length }}{% endfor %}",
            "a1b1",
        ),
        (
            "{% for key, value in m|items %}{{ key }}={{ value }} {% endfor %}",
            "x=2 y=1 ",
        ),
        ("{% for key in m %}{{ key }}{% endfor %}", "xy"),
        (
            "{{ 'Bo' in names }} {{ 'x' in m }} {{ 'zz' not in names }} {{ 'a' in 'cat' }}",
            "true true true true",
        ),
        (
            "{% if lines[0].n > 1 and names[0] == 'Bo' %}yes{% else %}no{% endif %}",
            "yes",
        ),
        ("{{ 'x' if lines else 'y' }}{{ 'x' if false }}", "x"),
        (
            "{{ absent|default('-') }} {{ m.z|default('?') }} {{ m.z is defined }}",
            "- ? false",
        ),
        (
            "{% set total = lines|sum(attribute='n') %}{{ total }}{% with a = total %}{{ a + 1 }}{% endwith %}",
            "34",
        ),
        (
            "{% set body %}<{{ names[0] }}>{% endset %}{{ body|upper }}",
            "<BO>",
        ),
        ("{% filter upper %}a{{ names[1] }}{% endfilter %}", "AANN"),
        (
            "{{ at|date('%d.%m.%Y %H:%M') }} {{ at|date('%d.%m.%Y', 'Europe/Vienna') }} {{ '2026-03-04'|date('%A') }}",
            "02.01.2026 23:30 03.01.2026 Wednesday",
        ),
        (
            "{{ range(3)|list }} {{ {'a': 1}['a'] }} {% for x in [1, 2] %}{{ x }}{% endfor %}",
            "[0,1,2] 1 12",
        ),
        ("{{ [names[0], absent|default('')]|select|join('/') }}", "Bo"),
        ("{% raw %}{{ x }}{% endraw %}{# note #}", "{{ x }}"),
        (
            "{% for x in names %}{% if loop.first %}{% continue %}{% endif %}{{ loop.index }}{% endfor %}",
            "2",
        ),
        (
            "{{ names|tojson }} {{ 3.0|string }} {{ names|reverse|first }} {{ m|dictsort|first|last }}",
            r#"["Bo","ann"] 3 ann 2"#,
        ),
        (
            "{{ 'a b'|urlencode }} {{ '%s-%03d'|format('x', 7) }}",
            "a%20b x-007",
        ),
        ("a\n{%- if true %} b{% endif -%}\n c", "a bc"),
    ];
    for (source, expected) in cases {
        let mut value = value.clone();
        if !source.contains("is defined") && source.contains("absent") {
            value["unused"] = json!(1);
        }
        assert_eq!(text(source, value), expected, "{source}");
    }
}

#[test]
fn the_same_data_gives_the_same_text() {
    let template = Template::parse("{% for key in m %}{{ key }}{% endfor %}").unwrap();
    let forth = data(json!({"m": {"b": 1, "a": 2, "c": 3}}));
    let back = data(json!({"m": {"c": 3, "a": 2, "b": 1}}));
    assert_eq!(
        template.render(&forth, Target::Text),
        template.render(&back, Target::Text)
    );
}

#[test]
fn a_template_is_stored_as_its_source() {
    let template = Template::parse("Hello {{ name }}").unwrap();
    let stored = serde_json::to_string(&template).unwrap();
    assert_eq!(stored, r#""Hello {{ name }}""#);
    assert_eq!(serde_json::from_str::<Template>(&stored).unwrap(), template);
    assert!(serde_json::from_str::<Template>(r#""{{ name""#).is_err());
}

/// The examples of the documentation.
#[test]
fn the_examples_hold() {
    let docs = include_str!("../../../../docs/templates.md");
    let mut blocks = docs.split("\n```").skip(1).step_by(2);
    let mut count = 0;
    while let Some(block) = blocks.next() {
        let Some(example) = block.strip_prefix("yaml\ntemplate:") else {
            continue;
        };
        let example: Value = serde_saphyr::from_str(&format!("template:{example}")).unwrap();
        let expected = blocks
            .next()
            .and_then(|block| block.strip_prefix("text\n"))
            .unwrap();
        let source = example["template"].as_str().unwrap();
        assert_eq!(text(source, example["data"].clone()), expected, "{source}");
        count += 1;
    }
    assert_eq!(count, 8);
}
