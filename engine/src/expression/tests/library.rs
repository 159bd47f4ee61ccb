//! The functions, area by area.

use super::*;

#[test]
fn conversions() {
    all_true(&[
        "int('12') == 12 && int(1.9) == 1 && int(-1.9) == -1 && int(3u) == 3",
        "int(timestamp('1970-01-01T00:01:00Z')) == 60",
        "uint(5) == 5u && uint('5') == 5u && uint(1.9) == 1u",
        "double('1.5') == 1.5 && double(2) == 2.0",
        "string(1) == '1' && string(1.0) == '1' && string(1.5) == '1.5' && string(2u) == '2' && string(true) == 'true'",
        "string(1234567.0) == '1234567' && string(1e21) == '1e+21' && string(1e-7) == '1e-7' && string(0.1) == '0.1'",
        "string(b'abc') == 'abc' && bytes('ä') == b'\\xc3\\xa4'",
        "bool('true') && !bool('false')",
        "string(duration('1h30m')) == '5400s' && string(duration('-1.5s')) == '-1.5s'",
        "string(timestamp('2026-01-02T03:04:05.5+01:00')) == '2026-01-02T02:04:05.5Z'",
        "dyn(1) == 1",
        "size('äöü') == 3 && [1].size() == 1 && {'a': 1}.size() == 1 && 'ab'.size() == 2",
    ]);
    all_fail(&[
        ("int('x')", "\"x\" is no int"),
        ("int(1e19)", "is no int"),
        ("int(-9223372036854775808.0)", "is no int"),
        (
            "timestamp('0001-01-01T00:00:00Z') - duration('1ns')",
            "years 1 to 9999",
        ),
        ("int(double('NaN'))", "is no int"),
        ("uint(-1)", "is no uint"),
        ("string([1])", "write json.print(x)"),
        ("string(b'\\xff')", "no UTF-8"),
        ("string(null)", "no string() for null"),
        ("bool('yes')", "is no bool"),
        ("timestamp('2026-01-02')", "RFC 3339"),
        ("timestamp('2026-01-02 03:04:05Z')", "RFC 3339"),
        ("timestamp('2026-01-02T03:04:05')", "RFC 3339"),
        ("timestamp('0000-12-31T00:00:00Z')", "years 1 to 9999"),
        ("duration('5')", "no duration"),
        ("duration('5d')", "no duration"),
        ("duration('')", "no duration"),
        ("duration('99999999h')", "longer than 10,000 years"),
        (
            "duration('80000000h') + duration('80000000h')",
            "longer than 10,000 years",
        ),
        ("duration('99999999999999999999999999999999h')", "no duration"),
        ("size(1)", "size takes"),
    ]);
}

#[test]
fn times() {
    all_true(&[
        "timestamp('2026-01-31T23:30:00Z').getMonth() == 0",
        "timestamp('2026-01-31T23:30:00Z').getMonth('Europe/Vienna') == 1",
        "timestamp('2026-01-31T23:30:00Z').getHours('+02:00') == 1 && timestamp('2026-01-31T23:30:00Z').getHours('-01:30') == 22",
        "timestamp('2026-01-31T23:30:07.25Z').getMilliseconds() == 250",
        "timestamp('2026-01-31T23:30:07Z').getDate() == 31 && timestamp('2026-01-31T23:30:07Z').getDayOfMonth() == 30",
        "timestamp('2026-02-01T00:00:00Z').getDayOfWeek() == 0 && timestamp('2026-02-01T00:00:00Z').getDayOfYear() == 31",
        "timestamp('2026-02-01T00:00:00Z').getFullYear() == 2026 && timestamp('2026-02-01T00:05:09Z').getMinutes() == 5",
        "duration('90m').getHours() == 1 && duration('90m').getMinutes() == 90 && duration('1m').getSeconds() == 60",
        "duration('1.234s').getMilliseconds() == 234",
        "timestamp('2026-01-01T00:00:00Z') + duration('24h') == timestamp('2026-01-02T00:00:00Z')",
        "timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') == duration('24h')",
        "duration('1h') - duration('30m') == duration('1800s') && -duration('1s') == duration('-1s')",
        "timestamp(0) < timestamp(1) && duration('1m') > duration('59s')",
    ]);
    all_fail(&[
        ("timestamp(0).getHours('Nowhere/Town')", "no time zone"),
        ("'2026'.getFullYear()", "write timestamp(x)"),
        (
            "timestamp('9999-12-30T00:00:00Z') + duration('2400h')",
            "years 1 to 9999",
        ),
    ]);
}

#[test]
fn strings() {
    all_true(&[
        "'Hello'.contains('ell') && 'Hello'.startsWith('He') && 'Hello'.endsWith('lo')",
        "'HeLLo Ä'.lowerAscii() == 'hello Ä' && 'ab'.upperAscii() == 'AB' && '  a '.trim() == 'a'",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'a,b'.split(',', 0) == []",
        "'abc'.split('') == ['a', 'b', 'c'] && 'abc'.split('', 2) == ['a', 'bc'] && 'a,b'.split(',', -1) == ['a', 'b']",
        "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab' && [].join(',') == ''",
        "'aaa'.replace('a', 'b') == 'bbb' && 'aaa'.replace('a', 'b', 2) == 'bba' && 'ab'.replace('', '-') == '-a-b-'",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && 'äöü'.substring(1, 2) == 'ö'",
        "'äöäö'.indexOf('ö') == 1 && 'äöäö'.indexOf('ö', 2) == 3 && 'a'.indexOf('b') == -1",
        "'äöäö'.lastIndexOf('ö') == 3 && 'äöäö'.lastIndexOf('ö', 2) == 1 && 'äöäö'.lastIndexOf('äö', 2) == 2",
        "'xä€ä'.lastIndexOf('ä', 2) == 1 && 'aaa'.lastIndexOf('aa', 0) == 0 && 'aaa'.lastIndexOf('aa') == 1 && 'ab'.lastIndexOf('') == 2",
        "'%s %s %f %e'.format([b'ab', type(1), 1.0 / 0.0, -1.0 / 0.0]) == 'ab int Infinity -Infinity'",
        "'äb'.charAt(0) == 'ä' && 'äb'.charAt(2) == '' && 'äb'.reverse() == 'bä'",
        "'order-42'.matches('^[a-z]+-\\\\d+$') && !'x'.matches('y') && matches('ab', 'b')",
        "['a+', 'b'].all(p, 'aab'.matches(p))",
        "'%s is %d, %.2f, %x, %X, %o, %b, %e %% %s'.format(['a', 7, 1.5, 255, 'hi', 8, 5, 1500.0, [1, 'b']]) \
         == 'a is 7, 1.50, ff, 6869, 10, 101, 1.500000e+03 % [1, b]'",
    ]);
    all_fail(&[
        ("'abc'.substring(4)", "no position 4"),
        ("'abc'.substring(2, 1)", "ends before it starts"),
        ("'abc'.substring(-1)", "no negative"),
        ("'abc'.charAt(4)", "no position 4"),
        ("['a', 1].join(',')", "join takes a string, not int 1"),
        ("'a'.matches(['('][0])", "invalid pattern"),
        ("'%s %s'.format(['a'])", "more values"),
        ("'%s'.format(['a', 'b'])", "fewer"),
        ("'%q'.format(['a'])", "%q"),
        ("'%d'.format(['a'])", "%d"),
    ]);
}

#[test]
fn lists() {
    all_true(&[
        "lists.range(3) == [0, 1, 2] && lists.range(0) == []",
        "[1, 2, 3, 4].slice(1, 3) == [2, 3]",
        "[[1], [2, [3]], 4].flatten() == [1, 2, [3], 4] && [[1, [2, [3]]]].flatten(2) == [1, 2, [3]]",
        "[1, 'a', 1, 'a', 1.0, 1.5, 1.5, [1], [1]].distinct() == [1, 'a', 1.5, [1]]",
        "[1.0, 1, 2].distinct() == [1.0, 2] && [1, 2u, 2].distinct() == [1, 2]",
        "[3, 1.5, 2u].sort() == [1.5, 2u, 3] && ['b', 'a'].sort() == ['a', 'b']",
        "[1, 2, 3].reverse() == [3, 2, 1]",
        "[1, 2].first() == optional.of(1) && [1, 2].last().value() == 2 && ![].first().hasValue()",
        "[1, 2, 3].sum() == 6 && [1, 0.5].sum() == 1.5 && [].sum() == 0 && [duration('1s'), duration('1m')].sum() == duration('61s')",
        "[2, 1, 3].min() == 1 && [2, 1.5, 3u].max() == 3u && ['b', 'a'].min() == 'a'",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1",
        "[1, 1, 2].isSorted() && ![2, 1].isSorted() && [].isSorted()",
    ]);
    all_fail(&[
        ("[1, 2].slice(1, 3)", "outside a list of 2"),
        ("lists.range(-1)", "no negative"),
        ("[].min()", "min of an empty list"),
        ("[1, 'a'].sort()", "cannot compare"),
        ("['a'].sum()", "sum takes numbers"),
        ("'a'.sum()", "sum takes a list"),
        (
            "9223372036854775807 in [1] || [9223372036854775807, 1].sum() > 0",
            "beyond int",
        ),
    ]);
}

#[test]
fn math() {
    all_true(&[
        "math.greatest(1, 2.5, 2u) == 2.5 && math.least([3, 1, 2]) == 1 && math.greatest(1) == 1",
        "math.ceil(1.2) == 2.0 && math.floor(-1.2) == -2.0 && math.round(2.5) == 3.0 && math.round(-2.5) == -3.0",
        "math.trunc(-1.9) == -1.0 && type(math.round(2)) == double",
        "math.abs(-1) == 1 && math.abs(-1.5) == 1.5 && math.sign(-3) == -1 && math.sign(0.0) == 0.0",
        "math.isNaN(double('NaN')) && math.isInf(1.0 / 0.0) && math.isFinite(1.0) && math.sqrt(16) == 4.0",
    ]);
    all_fail(&[
        ("math.greatest([])", "at least one"),
        ("math.least(1, 'a')", "takes numbers"),
        ("math.abs(-9223372036854775808)", "beyond int"),
        ("math.ceil('1')", "takes a number"),
    ]);
}

#[test]
fn encoders() {
    all_true(&[
        "base64.encode(b'hi!?') == 'aGkhPw==' && base64.decode('aGkhPw') == b'hi!?'",
        "hash.sha256('abc') == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'",
        "hash.sha256(b'abc') == hash.sha256('abc')",
        "json.parse('{\"a\": [1, 2.0, null]}') == {'a': [1, 2.0, null]} && type(json.parse('2.0')) == double",
        "json.print({'b': 1, 'a': [1.0, 'x\"y', null, true]}) == '{\"a\":[1.0,\"x\\\\\"y\",null,true],\"b\":1}'",
        "json.print({1: 'a', true: timestamp(0)}) == '{\"true\":\"1970-01-01T00:00:00Z\",\"1\":\"a\"}'",
    ]);
    all_fail(&[
        ("base64.encode('x')", "write bytes(x)"),
        ("base64.decode('!')", "not base64"),
        ("json.parse('{')", "not JSON"),
        ("json.print(optional.none())", "an optional has no form in JSON"),
        ("json.print(1.0 / 0.0)", "JSON has no number +Inf"),
    ]);
}

#[test]
fn json_keeps_types() {
    for json in [
        json!(1),
        json!(1.0),
        json!(-0.5),
        json!("a"),
        json!(null),
        json!([1, {"a": 2.0}]),
        json!(i64::MAX),
    ] {
        let back = Value::from_json(&json).to_json().unwrap();
        assert_eq!(back.to_string(), json.to_string());
    }
    assert_eq!(
        Value::from_json(&json!(u64::MAX)).kind(),
        super::super::Type::Double
    );
    assert_eq!(value("[1, 1.0, 90u]").to_string(), "[1,1.0,90]");
    assert_eq!(
        value("[timestamp(0), duration('90s'), b'hi']"),
        json!(["1970-01-01T00:00:00Z", "90s", "aGk="])
    );
    assert!(
        run("{1: 1, '1': 2}")
            .unwrap()
            .to_json()
            .unwrap_err()
            .message
            .contains("two keys")
    );
    assert!(
        run("inputs.?name")
            .unwrap()
            .to_json()
            .unwrap_err()
            .message
            .contains("optional")
    );
    assert_eq!(
        run("{'b': 1, 'a': 2}").unwrap().to_json().unwrap().to_string(),
        r#"{"b":1,"a":2}"#
    );
}
