//! Types of expressions, and their problems.

use super::*;

struct Names(Type);

impl Environment for Names {
    fn lookup(&self, name: &str) -> Option<Type> {
        match name {
            "inputs" => Some(self.0.clone()),
            "item" => Some(Type::Dyn),
            _ => None,
        }
    }
}

fn names() -> Names {
    Names(Type::from_schema(&json!({"properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "price": {"type": "number"},
        "note": {"type": ["string", "null"]},
        "ok": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "items": {"type": "array", "items": {"properties": {"amount": {"type": "number"}, "country": {"type": "string"}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "customer": {"properties": {"email": {"type": "string"}, "odd-name": {"type": "string"}}},
        "any": {},
    }})))
}

fn check(source: &str) -> (Type, Vec<TypeProblem>) {
    Program::parse(source)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .check(&names())
}

#[test]
fn types_of_expressions() {
    for (source, expected) in [
        ("1", "int"),
        ("inputs.name", "string"),
        ("inputs.note", "string or null"),
        ("inputs.count + 1", "int"),
        ("inputs.count + 1.5", "double"),
        ("inputs.price * 2", "number"),
        ("inputs.price / 2.0", "double"),
        ("inputs.name + '!'", "string"),
        ("inputs.ok ? 1 : 'a'", "int or string"),
        ("inputs.items[0].amount", "number"),
        ("inputs.items.map(i, i.country)", "list of string"),
        (
            "inputs.items.filter(i, i.amount > 100 && i.country in inputs.tags)",
            "list of map",
        ),
        ("inputs.items.all(i, i.amount > 1)", "bool"),
        ("inputs.items.transformList(n, i, n)", "list of int"),
        ("inputs.labels.transformMap(k, v, size(v)).x", "int"),
        ("inputs.labels.map(k, k)", "list of string"),
        ("inputs.labels.anything", "string"),
        ("inputs.?name", "optional string"),
        ("inputs.?customer.email.orValue('x')", "string"),
        ("inputs.?note.orValue(1)", "string or null or int"),
        ("inputs.?count.optMap(c, c + 1)", "optional int"),
        ("inputs.tags.first()", "optional string"),
        ("inputs.tags[?0].or(optional.of(1))", "optional string or int"),
        ("{'a': 1, 'b': 'x'}.b", "string"),
        ("[1, inputs.price].max()", "number"),
        ("[1, 2.5].max()", "double"),
        ("math.abs(inputs.count)", "int"),
        ("math.greatest(inputs.count, 1.5)", "number"),
        ("inputs.name.split(',')", "list of string"),
        ("regex.extract(inputs.name, 'a')", "optional string"),
        ("timestamp('2026-01-01T00:00:00Z') - now()", "duration"),
        ("now() + duration('1h')", "timestamp"),
        ("json.parse(inputs.name).a.b + 1", "any value"),
        ("unknown.field.of_it + 1", "any value"),
        ("inputs.any.thing", "any value"),
        ("item.x == 1 || inputs.note == null", "bool"),
        ("type(1)", "type"),
        ("size(inputs.any)", "int"),
        ("has(inputs.customer.email)", "bool"),
        (
            "inputs.items.sortBy(i, i.amount).map(i, i.amount).sum()",
            "number",
        ),
        ("inputs.customer['odd-name']", "string"),
        ("inputs.customer[inputs.name]", "string"),
        ("[[1], []][0]", "list"),
        ("inputs.count % 2 == 0 && inputs.price % 2 == 1", "bool"),
        ("inputs.count < inputs.price", "bool"),
        ("-inputs.price", "number"),
        ("{?'a': inputs.?name}.?a", "optional string"),
        ("[?inputs.?name]", "list of string"),
    ] {
        let (type_, problems) = check(source);
        assert!(problems.is_empty(), "{source}: {problems:?}");
        assert_eq!(type_.to_string(), expected, "{source}");
    }
}

#[test]
fn misspelt_fields_are_found_with_their_place() {
    for (source, position, suggestion) in [
        ("inputs.nmae == 'a'", 7, Some("inputs.name")),
        (
            "1 + inputs.customer.emial.size()",
            20,
            Some("inputs.customer.email"),
        ),
        ("inputs.?nmae.orValue('a')", 8, Some("inputs.name")),
        ("has(inputs.nmae)", 11, Some("inputs.name")),
        ("inputs['nmae']", 8, Some("inputs.name")),
        ("inputs[?'nmae'].hasValue()", 9, Some("inputs.name")),
        ("inputs.?customer.emial", 17, Some("inputs.?customer.email")),
        ("inputs.items.map(i, i.ammount)", 22, Some("i.amount")),
        ("inputs.items[0].elsewhere", 16, None),
        ("{'ab': 1}.abc", 10, Some("{'ab': 1}.ab")),
    ] {
        let (_, problems) = check(source);
        let [problem] = problems.as_slice() else {
            panic!("{source}: {problems:?}");
        };
        assert_eq!(problem.kind, ProblemKind::UnknownField, "{source}: {problem:?}");
        assert_eq!(problem.position, position, "{source}: {problem:?}");
        assert_eq!(problem.suggestion.as_deref(), suggestion, "{source}: {problem:?}");
    }
}

#[test]
fn what_always_fails_is_found() {
    for (source, expected) in [
        ("inputs.name + 1", "no + for string and int; write string(…)"),
        ("inputs.name - 'a'", "no - for string and string"),
        ("inputs.ok + inputs.any", "no + for bool and any value"),
        ("1.5 % 2", "% is for whole numbers"),
        ("-inputs.name", "cannot negate string"),
        ("inputs.name && true", "&& takes a bool, not string"),
        ("!inputs.count", "! takes a bool, not int"),
        ("inputs.count ? 1 : 2", "the condition of ? : takes a bool"),
        ("inputs.name == 1", "string and int are never equal"),
        ("inputs.?name == 'a'", "never equal: write .orValue"),
        ("inputs.name < 1", "cannot compare string with int"),
        ("inputs.note < 1", "cannot compare string or null with int"),
        ("inputs.tags < inputs.tags", "cannot compare"),
        ("1 in inputs.tags", "int is never in list of string"),
        ("'a' in inputs.name", "write x.contains"),
        ("inputs.name.email", "is string and has no field email"),
        ("inputs.items.amount", "x.map(item, item.amount)"),
        ("inputs.tags['a']", "has no field a"),
        ("inputs.tags[inputs.name]", "index of a list is an int"),
        ("inputs.count[0]", "only lists and maps have elements"),
        ("inputs.count.map(x, x)", "only lists and maps can be walked over"),
        (
            "inputs.tags.filter(t, t)",
            "the condition takes a bool, not string",
        ),
        ("inputs.items.sort()", "sort is called on list of int or"),
        ("inputs.items.sortBy(i, i)", "map has no order"),
        ("inputs.name.substring('a')", "substring takes int, not string"),
        (
            "inputs.name.replace('a', 1)",
            "replace takes as argument 2 string, not int",
        ),
        (
            "inputs.count.startsWith('a')",
            "startsWith is called on string, not int",
        ),
        (
            "size(inputs.count)",
            "size takes string or bytes or list or map, not int",
        ),
        (
            "inputs.count.matches('a')",
            "matches is called on string, not int",
        ),
        (
            "math.ceil(inputs.name)",
            "math.ceil takes int or uint or double, not string",
        ),
        (
            "inputs.?count + 1",
            "no + for optional int and int: write .orValue",
        ),
        ("inputs.name.orValue('a')", "orValue is for optionals"),
        ("inputs.name.value()", "value is called on optional, not string"),
        ("[?inputs.name]", "an optional must stand here"),
        ("inputs.count.optMap(c, c)", "an optional must stand here"),
        ("{inputs.items: 1}", "the key of a map"),
        (
            "inputs.tags.transformMapEntry(i, t, t)",
            "transformMapEntry takes a map",
        ),
        (
            "time.format(inputs.count, '%Y')",
            "time.format takes as argument 1 timestamp or string, not int",
        ),
    ] {
        let (_, problems) = check(source);
        assert_eq!(problems.len(), 1, "{source}: {problems:?}");
        assert_eq!(problems[0].kind, ProblemKind::WrongType, "{source}");
        assert!(
            problems[0].message.contains(expected),
            "{source}: {}",
            problems[0].message
        );
    }
}

#[test]
fn every_mistake_is_told_once() {
    let (_, problems) = check("inputs.nmae + 1 > 2 && inputs.cuont == 3 || inputs.name");
    let positions: Vec<_> = problems.iter().map(|problem| problem.position).collect();
    assert_eq!(positions, [7, 30, 44], "{problems:?}");
}

#[test]
fn texts_and_trees() {
    let (type_, problems) = Text::parse(" $(inputs.count) ").unwrap().check(&names());
    assert_eq!((type_, problems.len()), (Type::Int, 0));
    let (type_, problems) = Text::parse("no. $(inputs.cuont)").unwrap().check(&names());
    assert_eq!((type_, problems[0].position), (Type::String, 13));

    let tree = Tree::parse(&json!({
        "a": "$(inputs.count)", "b/c": [{"d": "$(inputs.nmae)"}], "e": "$(inputs.?name)", "f": 1, "g": "x$(1)",
    }))
    .unwrap();
    let (type_, problems) = tree.check(&names());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].0, "/b~1c/0/d");
    let Type::Object(object) = type_ else { panic!() };
    let seen: Vec<_> = object
        .fields
        .iter()
        .map(|field| format!("{} {} {}", field.name, field.type_, field.required))
        .collect();
    assert_eq!(
        seen,
        [
            "a int true",
            "b/c list of map true",
            "e string false",
            "f int true",
            "g string true"
        ]
    );
}

#[test]
fn an_environment_may_answer_whole_paths() {
    struct Steps;
    impl Environment for Steps {
        fn lookup(&self, _: &str) -> Option<Type> {
            panic!("asked for the root")
        }
        fn path(&self, path: &[&str]) -> Option<(Type, usize)> {
            assert_eq!(path, ["steps", "a", "output", "total"]);
            Some((Type::object([("totals", Type::Int)]), 3))
        }
    }
    let (_, problems) = Program::parse("steps.a.output.total").unwrap().check(&Steps);
    assert_eq!(problems[0].suggestion.as_deref(), Some("steps.a.output.totals"));
    assert_eq!(problems[0].position, 15);
}
