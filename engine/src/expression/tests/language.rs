//! Grammar, operators, macros: what CEL itself says.

use super::*;

#[test]
fn literals() {
    all_true(&[
        "1 + 1 == 2",
        "0x1F == 31",
        "-0x1 == -1",
        "-9223372036854775808 < 0",
        "12u == 12",
        "type(12u) == uint",
        "1e3 == 1000.0",
        "type(1e3) == double",
        ".5 == 0.5",
        "1.5e-1 == 0.15",
        r#""a\tb\x41\u0042\U00000043\104\"" == 'a\tbABCD"'"#,
        r#"r"\d" == "\\d""#,
        "'''a\n'b'\"c\"''' == \"a\\n'b'\\\"c\\\"\"",
        "b\"a\\xff\" == b'a\\377'",
        "br'\\x' == b'\\\\x'",
        "size(b'ä') == 2 && size('ä') == 1",
        "[1, 2,] == [1, 2]",
        "{'a': 1, 2: 'b', true: 3u,}[2] == 'b'",
        "null == null",
        "true != false // a comment",
    ]);
}

#[test]
fn precedence_and_associativity() {
    all_true(&[
        "1 + 2 * 3 == 7",
        "10 - 3 - 2 == 5",
        "24 / 4 / 2 == 3",
        "7 % 4 * 2 == 6",
        "-7 / 2 == -3 && -7 % 2 == -1",
        "-(1) - -1 == 0",
        "--1 == 1",
        "!!true && !false",
        "!(1 == 2) || 1 / 0 == 1",
        "true || false && false",
        "1 < 2 == true",
        "(false ? 1 : true ? 2 : 3) == 2",
        "2 in [1, 2] && !(3 in [1, 2]) && 'a' in {'a': 1}",
    ]);
}

#[test]
fn numbers_compare_across_types_and_exactly() {
    all_true(&[
        "1 == 1.0 && 1u == 1 && 1.0 == 1u",
        "1 < 1.5 && 2u > 1.5 && -1 < 1u",
        "inputs.big != 9007199254740992.0",
        "inputs.big > 9007199254740992.0",
        "1 in [1.0]",
        "{1: 'a'}[1u] == 'a' && {1u: 'a'}[1.0] == 'a'",
        "double('NaN') != double('NaN') && !(double('NaN') < 1.0)",
        "1 != '1' && null != false && [1] != {'a': 1}",
        "[1, [2.0]] == [1.0, [2]] && {'a': [1]} == {'a': [1u]}",
        "'a' < 'b' && b'a' < b'b' && false < true",
    ]);
}

#[test]
fn arithmetic() {
    all_true(&[
        "1 + 1.5 == 2.5 && type(2 * 1.0) == double",
        "3 / 2 == 1 && 3 / 2.0 == 1.5",
        "1.0 / 0.0 > 1e308",
        "'a' + 'b' == 'ab' && b'a' + b'b' == b'ab' && [1] + [2] == [1, 2]",
        "3u - 2u == 1u",
    ]);
    all_fail(&[
        ("9223372036854775807 + 1", "9223372036854775807 + 1 is beyond int"),
        ("-(-9223372036854775807 - 1)", "beyond int"),
        ("9223372036854775807 * 2", "beyond int"),
        ("(-9223372036854775807 - 1) / -1", "beyond int"),
        ("(-9223372036854775807 - 1) % -1", "beyond int"),
        ("1u - 2u", "beyond uint"),
        ("inputs.count / 0", "divided 3 by zero"),
        ("1 % 0", "zero"),
        ("1 + 1u", "no + for int 1 and uint 1u"),
        ("1.5 % 1.0", "write int(…)"),
        ("'n: ' + inputs.count", "write string(…)"),
        ("-'a'", "cannot negate string \"a\""),
        ("1 < 'a'", "cannot compare int 1 with string \"a\""),
    ]);
}

#[test]
fn an_error_is_absorbed_by_what_decides() {
    all_true(&[
        "true || inputs.missing == 1",
        "inputs.missing == 1 || true",
        "!(inputs.missing == 1 && false)",
        "1 || true",
        "[1, 'a'].exists(x, x == 1 || x < 1)",
        "['a', 1].exists(x, x > 0)",
        "!['a', 1].all(x, x > 1)",
        "true ? true : 1 / 0 == 1",
    ]);
    all_fail(&[
        ("inputs.missing == 1 || false", "no such key: missing"),
        ("inputs.missing == 1 && true", "no such key: missing"),
        ("'yes' && true", "&& takes a bool, not string \"yes\""),
        ("['a'].all(x, x > 1)", "cannot compare"),
        ("1 ? 2 : 3", "takes a bool"),
    ]);
}

#[test]
fn fields_and_elements() {
    all_true(&[
        "steps.a.output.total == 12",
        "steps['a'].output['total'] == 12",
        "inputs.items[1].id == 'b'",
        "inputs.items[size(inputs.items) - 1].n == 3",
        "inputs.`content-type` == 'text/plain'",
        "inputs.many.k9 == 9 && 'k3' in inputs.many && !('k10' in inputs.many)",
        "has(inputs.name) && !has(inputs.missing) && has(inputs.nothing)",
        ".inputs.name == 'Ada'",
    ]);
    all_fail(&[
        (
            "steps.a.output.totl",
            "no such key: totl (there are total, currency)",
        ),
        ("inputs.items[3]", "no element 3 in a list of 3"),
        ("inputs.items[-1]", "no element -1"),
        ("inputs.items[inputs.name]", "the index of a list is an int"),
        ("inputs.items['id']", "write x[0], or x.map(item, item.id)"),
        ("inputs.name.first", "no field first in string \"Ada\""),
        ("inputs.nothing.x", "no field x in null"),
        ("unknown.x", "no such name: unknown"),
        ("{1: 2}[3]", "no such key: 3"),
        ("{'a': 1, 'a': 2}", "stands twice"),
        ("{1.5: 1}", "the key of a map"),
        ("1 in 2", "looks into a list or map"),
    ]);
}

#[test]
fn macros() {
    all_true(&[
        "inputs.items.all(x, x.n > 0) && inputs.items.exists(x, x.id == 'c')",
        "inputs.items.exists_one(x, x.n == 2) && inputs.items.existsOne(x, x.n == 2)",
        "inputs.items.map(x, x.n) == [2, 1, 3]",
        "inputs.items.map(x, x.n > 1, x.id) == ['a', 'c']",
        "inputs.items.filter(x, x.n > 1).map(x, x.id) == ['a', 'c']",
        "[1, 2].map(x, [3, 4].map(y, x * y)) == [[3, 4], [6, 8]]",
        "[1].map(x, [2].map(x, x)) == [[2]]",
        "{'b': 1, 'a': 2}.map(k, k) == ['a', 'b']",
        "[1, 2].all(i, v, v == i + 1) && {'a': 1}.exists(k, v, k == 'a' && v == 1)",
        "['a', 'b'].transformList(i, v, v + string(i)) == ['a0', 'b1']",
        "['a', 'b'].transformList(i, v, i > 0, v) == ['b']",
        "{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10) == {'b': 20}",
        "['x', 'y'].transformMapEntry(i, v, {v: i}) == {'x': 0, 'y': 1}",
        "inputs.items.sortBy(x, x.n).map(x, x.id) == ['b', 'a', 'c']",
        "[].all(x, x) && ![].exists(x, x)",
    ]);
    all_fail(&[
        ("inputs.name.map(x, x)", "only lists and maps can be walked over"),
        ("[1].filter(x, x)", "takes a bool"),
        ("[1, 'a'].sortBy(x, x)", "cannot compare"),
        ("[0.0, double('NaN')].sort()", "NaN has no order"),
        ("[1, 1].transformMapEntry(i, v, {v: i})", "stands twice"),
    ]);
}

#[test]
fn optionals() {
    all_true(&[
        "inputs.?missing.orValue('x') == 'x' && inputs.?name.orValue('x') == 'Ada'",
        "inputs.?missing.deeper.still.orValue(1) == 1",
        "!inputs.?missing.hasValue() && inputs.?name.hasValue() && inputs.?name.value() == 'Ada'",
        "inputs.items[?7].?id.orValue('none') == 'none' && inputs.items[?0].id == optional.of('a')",
        "inputs[?'missing'].or(inputs.?name).value() == 'Ada'",
        "inputs.?name.or(optional.of(1 / 0)).hasValue() && inputs.?name.orValue(1 / 0) == 'Ada'",
        "optional.of(1).optMap(x, x + 1).value() == 2 && !optional.none().optMap(x, 1 / 0).hasValue()",
        "optional.of(1).optFlatMap(x, optional.of(x)).value() == 1",
        "!optional.ofNonZeroValue('').hasValue() && optional.ofNonZeroValue(1).hasValue()",
        "[?inputs.?missing, ?inputs.?name] == ['Ada'] && {?'a': inputs.?missing, 'b': 1} == {'b': 1}",
        "has(inputs.?many.k0) && !has(inputs.?missing.k0)",
        "inputs.?nothing.hasValue()",
    ]);
    all_fail(&[
        ("inputs.?missing.value()", "the optional is empty"),
        ("inputs.name.orValue('x')", "orValue is for optionals"),
        ("inputs.?missing.or(1)", "write orValue"),
        ("[?1]", "an optional must stand here"),
        ("inputs.name.?x", "no field x"),
        ("optional.of(1).optFlatMap(x, x)", "write optMap"),
    ]);
}

#[test]
fn types_and_recorded_answers() {
    struct Recorded;
    impl crate::expression::Scope for Recorded {
        fn get(&self, _: &str) -> Option<Value> {
            None
        }
        fn now(&self) -> Option<jiff::Timestamp> {
            Some(jiff::Timestamp::UNIX_EPOCH)
        }
        fn uuid(&self) -> Option<uuid::Uuid> {
            Some(uuid::Uuid::nil())
        }
        fn random(&self) -> Option<f64> {
            Some(0.25)
        }
    }
    all_true(&[
        "type(1) == int && type('') == string && type([]) == list && type({}) == map && type(null) == null_type",
        "type(timestamp(0)) == google.protobuf.Timestamp && type(type(1)) == type",
        "type(duration('1s')) == google.protobuf.Duration && type(optional.none()) == optional_type",
    ]);
    all_fail(&[
        ("now()", "now() cannot be used here"),
        ("uuid()", "cannot"),
        ("random()", "cannot"),
    ]);
    let program = Program::parse("string(now()) + uuid() + string(random())").unwrap();
    let value = program.evaluate(&Recorded, &mut Budget::default()).unwrap();
    assert_eq!(
        value.as_str(),
        Some("1970-01-01T00:00:00Z00000000-0000-0000-0000-0000000000000.25")
    );
}

#[test]
fn mistakes_are_found_while_parsing() {
    all_rejected(&[
        ("", "empty"),
        ("1 +", "expected a value, found the end"),
        ("(1", "expected `)`"),
        ("1 2", "expected an operator or the end, found `2`"),
        ("a = 1", "equality is written =="),
        ("a & b", "and is written &&"),
        ("x | upper", "there are no pipes"),
        ("$(a)", "no $( … ) inside"),
        ("'abc", "not closed"),
        ("'a\nb'", "not closed"),
        (r"'\q'", "unknown escape"),
        (r"'\ud800'", "no character"),
        ("1st", "a letter follows"),
        ("9223372036854775808", "does not fit into int"),
        ("99999999999999999999", "does not fit into 64 bits"),
        ("loop.x", "`loop` is a reserved word"),
        ("a.in", "keyword"),
        ("sise(a)", "unknown function `sise`; did you mean `size`?"),
        ("a.startWith('x')", "did you mean `startsWith`?"),
        ("sha256(a)", "did you mean `hash.sha256`?"),
        ("math.greatst(1)", "did you mean `math.greatest`?"),
        ("contains(a, b)", "called on a value"),
        ("a.int()", "called as int(x)"),
        ("size(a, b)", "`size` takes 1 argument, not 2"),
        ("a.substring()", "`substring` takes 1 to 2 arguments, not 0"),
        ("a.orValue()", "`orValue` takes 1 argument, not 0"),
        ("a.map(x)", "`map` is called as .map("),
        ("a.map(x.y, x)", "`map` is called as .map("),
        ("a.all(x, x, true)", "two variables"),
        ("has(a)", "has() takes a field"),
        ("has(a[0])", "has() takes a field"),
        ("Point{x: 1}", "messages are not built"),
        ("a.matches('(')", "invalid pattern ("),
        ("a.matches('(?=x)')", "invalid pattern"),
    ]);
    let error = Program::parse("inputs.a + sise(inputs.b)").unwrap_err();
    assert_eq!((error.offset, error.suggestion.as_deref()), (11, Some("size")));
    let error = Program::parse("'ä' + 'x").unwrap_err();
    assert_eq!(error.offset, 7);
}

#[test]
fn errors_name_the_place_and_the_values() {
    let error = run("1 + 2 == 3 && steps.a.output.total + steps.a.output.currency > 1").unwrap_err();
    assert_eq!(
        error.message,
        "no + for int 12 and string \"EUR\"; write string(…) around what is not a text in \
         `steps.a.output.total + steps.a.output.currency` at 14"
    );
    assert_eq!(error.offset, 14);
    let error = run("inputs.many.nope + string(inputs.items)").unwrap_err();
    assert!(error.message.chars().count() < 250, "{error}");
}

#[test]
fn a_scope_may_answer_whole_paths() {
    struct Journal;
    impl crate::expression::Scope for Journal {
        fn get(&self, root: &str) -> Option<Value> {
            panic!("{root} was built as a whole")
        }
        fn path(&self, path: &[&str]) -> Option<(Value, usize)> {
            match path {
                ["steps", "a", "output", ..] => Some((Value::from_json(&json!({"total": 12})), 3)),
                ["steps", ..] => Some((Value::from_json(&json!({})), 1)),
                ["deep", ..] => Some((Value::from_json(&json!({"i": {"j": 1}})), path.len())),
                _ => None,
            }
        }
    }
    let evaluate = |source: &str| {
        Program::parse(source)
            .unwrap()
            .evaluate(&Journal, &mut Budget::default())
    };
    assert_eq!(evaluate("steps.a.output.total").unwrap(), Value::Int(12));
    assert_eq!(
        evaluate("steps.a.output.?other.orValue(1)").unwrap(),
        Value::Int(1)
    );
    assert_eq!(evaluate("deep.b.c.d.e.f.g.h.i.j").unwrap(), Value::Int(1));
    assert!(
        evaluate("steps.b.output")
            .unwrap_err()
            .message
            .contains("no such key: b (the map is empty)")
    );
    assert!(
        evaluate("other.b")
            .unwrap_err()
            .message
            .contains("no such name: other")
    );
}

#[test]
fn what_never_changes_is_computed_while_parsing() {
    use super::super::ast::Kind;
    let kind = |source: &str| matches!(Program::parse(source).unwrap().root().kind, Kind::Literal(_));
    for constant in [
        "1 + 2 * 3",
        "['AT', 'DE']",
        "duration('1h') + duration('30m')",
        "{'a': [1, 2].max()}",
        "'a-1'.matches('^a')",
        "-(1)",
        "!(1 > 2)",
    ] {
        assert!(kind(constant), "{constant}");
    }
    // What differs, fails, is large, or would hide what is read.
    for other in [
        "now()",
        "[random()]",
        "1 / 0",
        "lists.range(1000)",
        "true ? 1 : inputs.x",
        "dyn(1)",
        "inputs.a + 1",
    ] {
        assert!(!kind(other), "{other}");
    }
    assert_eq!(value("false ? 1 / 0 : 2"), json!(2));
    assert_eq!(Program::parse("true ? 1 : inputs.x").unwrap().reads().len(), 1);
}
