//! What scripts can say, and how their values and errors come out.

use super::*;

#[test]
fn an_input_becomes_an_output() {
    let source = "
        const total = input.lines.reduce((sum, line) => sum + line.count * line.price, 0);
        return {total, names: input.lines.map((line) => line.name.toUpperCase()).sort()};";
    let input = json!({"lines": [{"name": "tea", "count": 2, "price": 1.5}, {"name": "cup", "count": 1, "price": 4}]});
    assert_eq!(value(source, input), json!({"total": 7, "names": ["CUP", "TEA"]}));
}

#[test]
fn values_keep_their_kind() {
    let input = json!({"i": 9_007_199_254_740_991_i64, "d": 0.1, "n": null, "t": true, "s": "\u{0}ü😀\"\\", "z": {"b": 1, "a": [[], {}]}});
    assert_eq!(value("return input", input.clone()), input);
    assert_eq!(
        value("return input", input.clone()).to_string(),
        input.to_string()
    );
    let cases = [
        ("", json!(null)),
        ("return", json!(null)),
        ("return undefined", json!(null)),
        (
            "return {a: undefined, b: [undefined, , null]}",
            json!({"b": [null, null, null]}),
        ),
        (
            "return [1.0, -0, 2 ** 53, 1e21, 0.5]",
            json!([1, 0, 9_007_199_254_740_992_i64, 1e21, 0.5]),
        ),
        (
            "return new Date(Date.UTC(2026, 0, 2))",
            json!("2026-01-02T00:00:00.000Z"),
        ),
        ("return {toJSON() { return [1] }}", json!([1])),
        (
            "class A { x = 1; #y = 2; get z() { return 3 } } return new A()",
            json!({"x": 1}),
        ),
        (
            "return [new String('a'), Object(1)].map((x) => x.valueOf())",
            json!(["a", 1]),
        ),
        ("return [...new Set([1, 1, 2])]", json!([1, 2])),
        (
            "return 'é'.length + /(?<y>\\d{4})/.exec('in 2026').groups.y + 2n ** 64n",
            json!("1202618446744073709551616"),
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(value(source, json!({})), expected, "{source}");
    }
}

#[test]
fn what_json_cannot_say_is_refused_with_its_path() {
    let cases = [
        ("return NaN", "the output is NaN"),
        ("return {a: [1, Infinity]}", "the output.a[1] is Infinity"),
        ("return {a: 1n}", "the output.a is a BigInt: write Number(x)"),
        ("return {f() {}}", "the output.f is a function"),
        ("return [Symbol('a')]", "the output[0] is a symbol"),
        (
            "return {m: new Map([[1, 2]])}",
            "the output.m is a Map: write Object.fromEntries(x)",
        ),
        ("return new Set([1])", "the output is a Set: write [...x]"),
        ("return new Error('x')", "the output is an error"),
        (
            "return {p: Promise.resolve(1)}",
            "the output.p is a promise: write `await`",
        ),
        (
            "const a = {}; a.a = a; return a",
            "nests deeper than 100 levels, or holds itself",
        ),
        (
            "let a = []; for (let i = 0; i < 500; i++) a = [a]; return a",
            "nests deeper than 100 levels",
        ),
        ("return '\\ud800'", "half a character"),
    ];
    for (source, part) in cases {
        let error = error(source);
        assert!(
            error.code == "InvalidOutput" && error.message.contains(part),
            "{source}: {error:?}"
        );
    }
}

#[test]
fn promises_are_awaited() {
    let source = "
        const double = async (x) => { await null; return x * 2 };
        const all = await Promise.all([1, 2, 3].map(double));
        for await (const x of (async function* () { yield 4 })()) all.push(x);
        return all;";
    assert_eq!(value(source, json!({})), json!([2, 4, 6, 4]));
    assert_eq!(value("return Promise.resolve(1)", json!({})), json!(1));
    let never = error("await new Promise(() => {})");
    assert!(
        never.code == "ScriptError" && never.message.contains("awaits something that nothing will bring")
    );
    assert!(error("await import('fs')").code == "ScriptError");
}

#[test]
fn errors_have_a_place_in_the_source() {
    let cases = [
        (
            "const a = 1;\n  return a.b.c;",
            "TypeError: cannot read property 'c' of undefined",
            2,
        ),
        ("return missing", "ReferenceError: missing is not defined", 1),
        ("\n\nthrow new Error('so what')", "Error: so what", 3),
        (
            "const f = () => {\n throw new RangeError('deep') };\nf()",
            "RangeError: deep",
            2,
        ),
        ("const a = ;", "SyntaxError: ", 1),
        ("let a = 1;\nlet b = {\n", "SyntaxError: ", 2),
        ("await null;\nnull.x", "TypeError: ", 2),
        ("import fs from 'fs'", "SyntaxError: ", 1),
    ];
    for (source, message, line) in cases {
        let error = error(source);
        assert_eq!(
            (error.code.as_str(), error.line),
            ("ScriptError", Some(line)),
            "{source}: {error:?}"
        );
        assert!(error.message.starts_with(message), "{source}: {error:?}");
        assert!(
            error.message.contains(&format!("(line {line}, column ")),
            "{source}: {error:?}"
        );
        assert!(error.column.is_some());
    }
    assert!(check("return input.x ?? await f()").is_ok());
    assert_eq!(check("return 1 +\n* 2").unwrap_err().line, Some(2));
}

#[test]
fn a_script_may_choose_its_error() {
    let thrown = error("throw {code: 'NotFound', message: 'no order 7', details: {id: 7}}");
    assert_eq!(
        (thrown.code.as_str(), thrown.message.as_str()),
        ("NotFound", "no order 7")
    );
    assert_eq!(thrown.details, Some(json!({"id": 7})));
    let thrown = error("throw Object.assign(new Error('gone'), {code: 'Gone'})");
    assert_eq!((thrown.code.as_str(), thrown.message.as_str()), ("Gone", "gone"));
    let cases = [
        ("throw 'plain'", "plain"),
        ("throw 7", "7 was thrown"),
        (
            "throw {code: 'not a code', a: 1}",
            "{\"code\":\"not a code\",\"a\":1} was thrown",
        ),
        ("throw {code: 'ENOENT-x', message: 'm'}", "m"),
        ("throw Symbol('a')", "a symbol was thrown"),
    ];
    for (source, message) in cases {
        let error = error(source);
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("ScriptError", message),
            "{source}"
        );
    }
}

#[test]
fn console_is_kept() {
    let source = "console.log('a', 1, {b: [2]}, undefined, null, 3n, () => 1); console.warn(new Error('x')); const c = {}; c.c = c; console.error(c); console.debug('\\ud800'); return 1";
    let output = output(source, json!({})).unwrap();
    let lines: Vec<(Level, &str)> = output
        .logs
        .iter()
        .map(|line| (line.level, line.text.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (Level::Info, "a 1 {\"b\":[2]} undefined null 3 [function ]"),
            (Level::Warn, "Error: x"),
            (Level::Error, "[object]"),
            (Level::Debug, "\u{fffd}"),
        ]
    );
    let failed = error("console.log('before'); throw 1");
    assert_eq!(failed.logs.len(), 1);
}

#[test]
fn time_stands_still_and_chance_follows_the_seed() {
    let source = "return [Date.now(), new Date().toISOString(), typeof Date(), new Date(0) instanceof Date, new Date(2026, 1).getMonth(), Date.length, Math.random(), Math.random(), new (class extends Date {})().getTime()]";
    let first = value(source, json!({}));
    let (chance, more) = (first[6].as_f64().unwrap(), first[7].as_f64().unwrap());
    assert_eq!(
        first,
        json!([
            1_767_323_045_678_i64,
            "2026-01-02T03:04:05.678Z",
            "string",
            true,
            1,
            7,
            chance,
            more,
            1_767_323_045_678_i64
        ])
    );
    assert!((0.0..1.0).contains(&chance) && (chance - more).abs() > f64::EPSILON);
    assert_eq!(value(source, json!({})), first);
    let other = Job {
        seed: 8,
        ..job("return Math.random()", json!({}))
    };
    let other = run(&other, &Limits::default(), || false).unwrap().value;
    assert_ne!(other, json!(chance));
}

#[test]
fn nothing_of_the_outside_is_there() {
    let names = "require process fetch XMLHttpRequest setTimeout setInterval Deno std os module performance navigator WebAssembly WeakRef FinalizationRegistry gc print scriptArgs";
    for name in names.split(' ') {
        assert_eq!(
            value(&format!("return typeof {name}"), json!({})),
            json!("undefined"),
            "{name}"
        );
    }
    let globals =
        "return Object.getOwnPropertyNames(globalThis).filter((name) => /^[a-z_]/.test(name)).sort()";
    assert_eq!(
        value(globals, json!({})),
        json!([
            "console",
            "decodeURI",
            "decodeURIComponent",
            "encodeURI",
            "encodeURIComponent",
            "escape",
            "eval",
            "globalThis",
            "input",
            "isFinite",
            "isNaN",
            "parseFloat",
            "parseInt",
            "queueMicrotask",
            "undefined",
            "unescape"
        ])
    );
}

#[test]
fn runs_do_not_see_each_other() {
    let dirty = "Object.prototype.x = 1; Array.prototype.map = () => 'mine'; JSON.stringify = () => 'mine'; globalThis.left = 1; Object.prototype.toJSON = () => 'mine'; return {}";
    assert_eq!(value(dirty, json!({})), json!("mine"));
    assert_eq!(
        value(
            "return [({}).x ?? null, typeof left, [1].map((x) => x), JSON.stringify({})]",
            json!({})
        ),
        json!([null, "undefined", [1], "{}"])
    );
    // What the input is called is only data.
    let input: Value = serde_json::from_str(r#"{"__proto__": {"admin": true}, "constructor": 1}"#).unwrap();
    assert_eq!(
        value(
            "return [({}).admin ?? null, input.admin ?? null, Object.keys(input)]",
            input
        ),
        json!([null, null, ["__proto__", "constructor"]])
    );
}
