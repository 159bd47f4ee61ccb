//! Scripts that want too much fail; the thread goes on.

use std::time::Instant;

use super::*;

/// Optimised, all of these take a few seconds together at most.
const PATIENCE: Duration = Duration::from_mins(1);

fn small() -> Limits {
    Limits {
        memory: 16 * 1024 * 1024,
        stack: 256 * 1024,
        fuel: 200,
        time: Duration::from_secs(30),
        ..Limits::default()
    }
}

fn refused(source: &str, part: &str) {
    let start = Instant::now();
    let error = run(&job(source, json!({})), &small(), || false).unwrap_err();
    assert_eq!(error.code, "LimitExceeded", "{source}: {error:?}");
    assert!(error.message.contains(part), "{source}: {error:?}");
    assert!(start.elapsed() < PATIENCE, "{source}: {:?}", start.elapsed());
}

#[test]
fn endless_work_is_ended() {
    for source in [
        "for (;;) {}",
        "while (true) { try { for (;;) {} } catch {} finally { continue } }",
        "for (;;) await null",
        "const f = async () => { await null; f() }; f(); await new Promise(() => {})",
        "queueMicrotask(function f() { queueMicrotask(f) }); await new Promise(() => {})",
        "return {get a() { for (;;) {} }}",
        "return {toJSON() { for (;;) {} }}",
        "return new Proxy({}, {ownKeys() { for (;;) {} }})",
        "throw {get message() { for (;;) {} }}",
        "throw {get code() { for (;;) {} }}",
        "return [1, 2].sort(() => { for (;;) {} })",
        "return 'a'.replace(/a/, () => { for (;;) {} })",
        "function* g() { for (;;) yield 1 } for (const x of g()) {}",
        "new Function('for (;;) {}')()",
        "eval('for (;;) {}')",
    ] {
        refused(source, "computes for longer");
    }
}

#[test]
fn a_regular_expression_that_explodes_is_ended() {
    for source in [
        "return /^(a+)+$/.test('a'.repeat(40) + 'b')",
        "return /(.*)*x/.test('a'.repeat(200))",
        "return 'a'.repeat(60).match(/((a|aa)+)+$b/)",
        "return /(a?){40}a{40}/.test('a'.repeat(40))",
    ] {
        let start = Instant::now();
        let result = run(&job(source, json!({})), &small(), || false);
        assert!(start.elapsed() < PATIENCE, "{source}: {:?}", start.elapsed());
        if let Err(error) = result {
            assert_eq!(error.code, "LimitExceeded", "{source}: {error:?}");
        }
    }
}

#[test]
fn memory_is_bounded() {
    for source in [
        "const a = []; for (;;) a.push('x'.repeat(1000) + a.length)",
        "const f = () => Promise.resolve().then(f); return f()",
        "let s = 'x'; for (;;) s += s + s.slice(1)",
        "return new Array(1e8).fill(1)",
        "return new Uint8Array(1e9)",
        "return 'x'.repeat(5e8).split('')",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, {i})",
        "return JSON.stringify(Array.from({length: 1e6}, (x, i) => ({i, s: 'abcdefgh' + i})))",
        "return [...'x'.repeat(1e7)].map((x) => x + x)",
        "const a = []; for (;;) { try { a.push(new Array(10000).fill(a)) } catch (e) { throw e } }",
    ] {
        refused(source, "memory");
    }
}

#[test]
fn memory_is_bounded_wherever_it_runs_out() {
    for step in 0..60 {
        let limits = Limits {
            memory: 4 * 1024 * 1024 + step * 37,
            ..small()
        };
        let source = "const f = () => Promise.resolve().then(f); return f()";
        let error = run(&job(source, json!({})), &limits, || false).unwrap_err();
        assert_eq!(error.code, "LimitExceeded", "{step}: {error:?}");
    }
}

#[test]
fn recursion_is_bounded() {
    for source in [
        "const f = () => f() + 1; f()",
        "const a = {toString() { return `${a}` }}; return `${a}`",
        "const p = new Proxy({}, {get(t, k, r) { return r[k] }}); return p.x",
        "let a = []; for (let i = 0; i < 200000; i++) a = [a]; JSON.stringify(a)",
        "JSON.parse('['.repeat(300000))",
        "return eval('('.repeat(100000))",
        "new RegExp('('.repeat(100000))",
    ] {
        let error = run(
            &job(source, json!({})),
            &Limits {
                fuel: 5_000,
                ..small()
            },
            || false,
        )
        .unwrap_err();
        let fits = error.code == "LimitExceeded" || error.message.contains("SyntaxError");
        assert!(fits, "{source}: {error:?}");
    }
}

#[test]
fn the_output_is_bounded() {
    for source in [
        "return 'x'.repeat(1048577)",
        "return Array.from({length: 200000}, () => 'abcdef')",
        "const a = []; a.length = 4000000000; return a",
        "const a = [1]; let b = a; for (let i = 0; i < 60; i++) b = [b, b]; return b",
        "return {['x'.repeat(2e6)]: 1}",
    ] {
        let error = run(
            &job(source, json!({})),
            &Limits {
                memory: 64 * 1024 * 1024,
                ..small()
            },
            || false,
        )
        .unwrap_err();
        assert_eq!(error.code, "LimitExceeded", "{source}: {error:?}");
        assert!(
            error.message.contains("the output has more than 1048576 bytes"),
            "{source}: {error:?}"
        );
    }
    assert_eq!(
        value("return 'x'.repeat(1000000).length", json!({})),
        json!(1_000_000)
    );
}

#[test]
fn the_log_is_bounded() {
    let output = output(
        "for (let i = 0; i < 5000; i++) console.log('line', i); console.log('x'.repeat(1e6)); return 1",
        json!({}),
    )
    .unwrap();
    assert_eq!(output.logs.len(), 1_001);
    assert_eq!(output.logs[1_000].text, "4001 more lines were not kept");
    let output = super::output(
        "console.log('é'.repeat(1e6)); console.log('more'); return 1",
        json!({}),
    )
    .unwrap();
    assert!(output.logs[0].text.len() <= 64 * 1024 && output.logs[0].text.len() > 64 * 1024 - 4);
}

#[test]
fn messages_are_bounded() {
    let error = error("throw new Error('é'.repeat(1e6))");
    assert!(error.message.len() <= 4 * 1024, "{}", error.message.len());
    let error = super::error("throw {code: 'Big', message: 'm', details: 'x'.repeat(1e6)}");
    assert_eq!((error.code.as_str(), error.details), ("Big", None));
}

#[test]
fn time_on_the_clock_ends_it_and_so_does_who_no_longer_wants_it() {
    let limits = Limits {
        fuel: u64::MAX,
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let error = run(&job("for (;;) {}", json!({})), &limits, || false).unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("LimitExceeded", "the script takes longer than 0.05 s")
    );
    let mut asked = 0;
    let stopped = move || {
        asked += 1;
        asked > 3
    };
    let error = run(
        &job("console.log(1); for (;;) {}", json!({})),
        &Limits::default(),
        stopped,
    )
    .unwrap_err();
    assert_eq!(error.code, "Cancelled");
}

#[test]
fn fuel_ends_at_the_same_point_each_time() {
    let source = "let turns = 0; for (;;) { turns++; if (turns % 1000 === 0) console.log(turns) }";
    let limits = Limits {
        fuel: 50,
        lines: 10_000,
        ..Limits::default()
    };
    let last = || {
        run(&job(source, json!({})), &limits, || false)
            .unwrap_err()
            .logs
            .last()
            .cloned()
            .unwrap()
    };
    let first = last();
    assert!((0..3).all(|_| last() == first), "{first:?}");
}

#[test]
fn what_a_script_costs_to_start() {
    let start = Instant::now();
    for _ in 0..100 {
        assert_eq!(value("return input.a + 1", json!({"a": 1})), json!(2));
    }
    let each = start.elapsed() / 100;
    println!("{each:?} for each script");
    assert!(each < Duration::from_millis(50), "{each:?}");
}
