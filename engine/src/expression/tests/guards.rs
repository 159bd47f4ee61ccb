//! Nothing that a tenant writes runs long, grows large, recurses deep or panics.

use super::*;
use crate::expression::{Text, Tree};
use cpu_time::ThreadTime;
use proptest::prelude::*;
use std::time::Duration;

fn exceeds(source: &str) {
    let start = ThreadTime::now();
    let error = run(source)
        .map(|value| panic!("{source} gives {:?}", value.kind()))
        .unwrap_err();
    assert_eq!(error.code, "LimitExceeded", "{source}: {error}");
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{source} took {:?}",
        start.elapsed()
    );
}

#[test]
fn what_runs_long_is_stopped() {
    exceeds("lists.range(10000).all(x, lists.range(10000).all(y, x + y >= 0))");
    exceeds("lists.range(2000).map(x, lists.range(2000)).map(x, x.sum()).sum() > 0");
    exceeds("lists.range(3000).map(x, [x]).distinct().size() > 0");
    exceeds(r"lists.range(100000).exists(x, 'aaaaaaaaaaaaaaaa'.matches(r'^(\w{5}' + string(x) + '|b)$'))");
    exceeds("lists.range(10000).filter(x, !(x in lists.range(10000).reverse())).size() > 0");
}

#[test]
fn an_exhausted_budget_is_never_absorbed() {
    exceeds("lists.range(10000).all(x, lists.range(10000).all(y, true)) || true");
    exceeds("!(lists.range(10000).all(x, lists.range(10000).all(y, true)) && false)");
    exceeds("[1, 2].exists(z, z == 2 || lists.range(10000).all(x, lists.range(10000).all(y, true)))");
}

#[test]
fn what_grows_is_stopped() {
    let doubled = |times| format!("['0123456789abcdef']{}[0].size()", ".map(x, x + x)".repeat(times));
    assert_eq!(value(&doubled(10)), json!(16 << 10));
    exceeds(&doubled(40));
    exceeds("lists.range(10000000).size()");
    exceeds(
        "'aaaaaaaaaaaaaaaa'.replace('', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb').replace('', lists.range(100000).map(x, 'x').join())",
    );
    exceeds("lists.range(2000).map(x, lists.range(2000).map(y, 'abc')).flatten()");
}

#[test]
fn memory_is_counted_apart_from_steps() {
    let spent = |source: &str| {
        Program::parse(source)
            .unwrap()
            .evaluate(&scope(), &mut Budget::new(u64::MAX, 5_000))
            .unwrap_err()
    };
    for source in [
        "lists.range(1000)",
        "['aaaaaaaaaaaaaaaa'].map(x, x.replace('', 'bbbbbbbbbbbbbbbbbbbb').replace('', 'bbbbbbbbbbbbbbbbbbbb'))",
        "[1, 2].exists(z, z == 2 ? true : lists.range(1000).size() > 0)",
        "lists.range(1000).size() > 0 || true",
    ] {
        assert!(spent(source).message.contains("too much memory"), "{source}");
    }
}

#[test]
fn what_is_shared_counts_where_it_is_walked() {
    // A hundred doublings of a list take no memory, but 2^100 steps to look through.
    let bomb = |rest: &str| format!("[[1]]{}{rest}", ".map(x, [x, x])".repeat(100));
    exceeds(&bomb(" == [[2]]").replace("[[2]]", &bomb("")));
    exceeds(&format!("json.print({})", bomb("")));
    let small = format!("[[1]]{}", ".map(x, [x, x])".repeat(60));
    // Also where there is nothing at the bottom, and not too deep to be written.
    exceeds(&format!("json.print({})", small.replace("[[1]]", "[[]]")));
    let value = run(&small).unwrap();
    assert!(value.to_json().unwrap_err().limit);
    assert!(value.to_text().unwrap_err().limit);
    let error = Tree::parse(&json!({"a": format!("$({small})")}))
        .unwrap()
        .evaluate(&scope(), &mut Budget::default())
        .unwrap_err();
    assert_eq!(error.code, "LimitExceeded");
    // An error message shows a bit of it, and walks no further.
    assert!(run(&format!("{small} + 1")).unwrap_err().message.len() < 1000);
}

#[test]
fn a_shared_budget_is_counted_down() {
    let program = Program::parse("lists.range(100).map(x, x)").unwrap();
    let mut budget = Budget::new(1000, 100_000);
    program.evaluate(&scope(), &mut budget).unwrap();
    assert!(budget.steps < 900 && budget.bytes < 98_000, "{budget:?}");
    while program.evaluate(&scope(), &mut budget).is_ok() {}
    assert_eq!(budget.steps.min(budget.bytes), 0);
}

#[test]
fn what_nests_is_stopped() {
    for (open, inside, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{1:", "1", "}"),
        ("size(", "a", ")"),
        ("a[", "1", "]"),
        ("true?1:", "1", ""),
        ("true?", "1", ":1"),
        ("[1].map(x,", "x", ")"),
        ("-(", "1", ")"),
        ("has(a.b)&&(", "1", ")"),
    ] {
        let nested = |times: usize| format!("{}{inside}{}", open.repeat(times), close.repeat(times));
        Program::parse(&nested(20)).unwrap_or_else(|error| panic!("{open}: {error}"));
        let error = Program::parse(&nested(340)).expect_err(open);
        assert!(error.message.contains("nests deeper"), "{open}: {error}");
    }
    // Left open: the error is the same, the parser does not wait for the end.
    assert!(
        Program::parse(&"(".repeat(4000))
            .unwrap_err()
            .message
            .contains("nests deeper")
    );
    assert!(
        Program::parse(&"[".repeat(4000))
            .unwrap_err()
            .message
            .contains("nests deeper")
    );
}

#[test]
fn what_chains_is_flat_or_stopped() {
    assert_eq!(value(&format!("{}true", "!".repeat(4000))), json!(true));
    assert_eq!(value(&format!("{}(1)", "-".repeat(4000))), json!(1));
    assert_eq!(value(&format!("1{}", "+1".repeat(2000))), json!(2001));
    assert_eq!(value(&format!("true{}", "&&true".repeat(600))), json!(true));
    assert!(run(&format!("a{}", ".a".repeat(2000))).is_err());
    for source in [
        format!("a.b(){}", ".a".repeat(1000)).replace(".b()", ".size()"),
        format!("a{}", ".size()".repeat(500)),
        format!("a{}", "[0]".repeat(1000)),
        format!("a{}", ".?a".repeat(1000)),
        format!("a{}", "==1".repeat(1000)),
    ] {
        let error = Program::parse(&source).expect_err(&source[..20]);
        assert!(error.message.contains("chains more than"), "{error}");
    }
}

/// The deepest expression that is allowed must fit into the stack of a thread with 1 MiB, half of the usual.
#[test]
fn the_deepest_tree_fits_the_stack() {
    let deep = |times: usize| {
        let mut source = "1".to_owned();
        for round in 0..times {
            source = if round % 2 == 0 {
                format!("[{source}]")
            } else {
                format!("[1].map(x,{source})")
            };
        }
        source
    };
    let chain = format!("{}{}", deep(60), ".map(x,x)".repeat(60));
    let work = move || {
        let program = Program::parse(&chain).unwrap();
        let _ = program.reads();
        program
            .evaluate(&scope(), &mut Budget::default())
            .unwrap()
            .to_json()
            .unwrap();
        let ors = format!("{}true{}", "(false||(true&&".repeat(31), "))".repeat(31));
        Program::parse(&ors)
            .unwrap()
            .evaluate(&scope(), &mut Budget::default())
            .unwrap();
        let sums = format!("{}1{}", "-(1+2*(".repeat(31), "))".repeat(31));
        Program::parse(&sums)
            .unwrap()
            .evaluate(&scope(), &mut Budget::default())
            .unwrap();
    };
    std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn sizes() {
    let long = format!("'{}'", "a".repeat(4094));
    assert!(Program::parse(&long).is_ok());
    assert!(
        Program::parse(&format!(" {long}"))
            .unwrap_err()
            .message
            .contains("bytes")
    );
    assert!(Program::parse(r"''.matches(r'\w{1,256}')").is_ok());
    assert!(
        Program::parse(r"''.matches(r'(\w{1000}){1000}')")
            .unwrap_err()
            .message
            .contains("size limit")
    );
    assert!(Program::parse(&format!("''.matches('{}a{}')", "(".repeat(100), ")".repeat(100))).is_err());
    assert!(
        run("'%.31f'.format([1.0])")
            .unwrap_err()
            .message
            .contains("30 digits")
    );
    exceeds("'a'.matches(lists.range(2000).map(x, 'a').join())");
    let mut deep = json!(1);
    for _ in 0..110 {
        deep = json!([deep]);
    }
    assert!(Tree::parse(&deep).unwrap_err().1.message.contains("nests deeper"));
    assert!(Value::from_json(&deep).to_json().unwrap_err().limit);
}

/// Fragments that are likely to get past the lexer and the parser.
fn fragment() -> impl Strategy<Value = String> {
    let words = [
        "inputs",
        ".name",
        ".items",
        "[0]",
        "[?1]",
        ".?x",
        "steps.a.output.total",
        "1",
        "2u",
        "1.5",
        "-",
        "!",
        "'ä'",
        "b'x'",
        "null",
        "true",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "?",
        "+",
        "*",
        "/",
        "%",
        "==",
        "<",
        "in",
        "&&",
        "||",
        ".map(x, ",
        ".all(i, v, ",
        ".filter(x, ",
        "x",
        ".size()",
        ".split('')",
        ".sort()",
        ".substring(1)",
        ".orValue(",
        "has(",
        "string(",
        "int(",
        "timestamp(",
        "duration('1h')",
        "json.parse(",
        "lists.range(9)",
        ".reverse()",
        ".indexOf(",
        ".replace('', ",
        "math.greatest(",
        ".format([",
        "-9223372036854775808",
        " ",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..14)
        .prop_map(|words| words.concat())
}

fn try_all(source: &str) {
    let mut budget = Budget::new(20_000, 1 << 20);
    if let Ok(program) = Program::parse(source) {
        let _ = program.reads();
        if let Ok(value) = program.evaluate(&scope(), &mut budget) {
            let _ = value.to_json();
            let _ = value.to_text();
        }
    }
    if let Ok(text) = Text::parse(source) {
        let _ = text.reads();
        let _ = text.evaluate(&scope(), &mut budget);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn nothing_panics_on_any_text(source in any::<String>()) {
        try_all(&source);
    }

    #[test]
    fn nothing_panics_on_what_looks_like_an_expression(source in fragment()) {
        try_all(&source);
        try_all(&format!("a $({source}) b"));
    }

    #[test]
    fn whole_numbers_behave_like_those_of_the_machine(a in any::<i64>(), b in any::<i64>()) {
        for (operator, expected) in
            [("+", a.checked_add(b)), ("-", a.checked_sub(b)), ("*", a.checked_mul(b)), ("/", a.checked_div(b)), ("%", a.checked_rem(b))]
        {
            let result = run(&format!("({a}) {operator} ({b})")).ok();
            prop_assert_eq!(result, expected.map(Value::Int));
        }
    }

    #[test]
    fn json_printed_is_parsed_to_the_same(text in any::<String>(), number in any::<f64>(), whole in any::<i64>()) {
        let mut scope = Variables::default();
        scope.set_json("v", &json!({"t": text, "n": number, "w": [whole]}));
        let program = Program::parse("json.parse(json.print(v)) == v && type(json.parse(json.print(v.n))) == type(v.n)");
        let result = program.unwrap().evaluate(&scope, &mut Budget::default());
        if number.is_finite() {
            prop_assert_eq!(result.unwrap(), Value::Bool(true));
        }
    }
}
