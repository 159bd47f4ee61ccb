//! The functions beyond CEL's own: patterns, calendar, bits, quoting.

use super::*;

#[test]
fn patterns() {
    all_true(&[
        "regex.extract('hello world', 'hello(.*)') == optional.of(' world')",
        r"regex.extract('item-A, item-B', 'item-(\\w+)').value() == 'A'",
        "regex.extract('HELLO', 'hello') == optional.none() && regex.extract('ab', 'a(c?)b') == optional.none()",
        r"regex.extractAll('id:123, id:456', 'id:\\d+') == ['id:123', 'id:456'] && regex.extractAll('a', 'b') == []",
        r"regex.extractAll('k=1, k=, k=3', 'k=(\\d*)') == ['1', '3']",
        "regex.replace('hello world hello', 'hello', 'hi') == 'hi world hi'",
        "regex.replace('banana', 'a', 'x', 0) == 'banana' && regex.replace('banana', 'a', 'x', 1) == 'bxnana'",
        "regex.replace('banana', 'a', 'x', -12) == 'bxnxnx'",
        r"regex.replace('foo bar', '(fo)o (ba)r', r'\2 \1') == 'ba fo' && regex.replace('ab', 'b', r'[\0]\\') == 'a[b]\\'",
        r"regex.replace('2026-01-31', r'(\d+)-(\d+)-(\d+)', r'\3.\2.\1') == '31.01.2026'",
        "regex.replace('abc', '', '-') == '-a-b-c-'",
        "['a+', 'b'].map(p, regex.extract('aab', p).orValue('')) == ['aa', 'b']",
        "!'ä'.matches(r'^\\w$') && 'ä'.matches('^.$') && !'٣'.matches(r'\\d')",
    ]);
    all_fail(&[
        (r"regex.replace('test', '(.)', r'\2')", "asks for group 2"),
        (r"regex.replace('test', '.', r'\x')", "digit or a backslash"),
        (r"regex.replace('test', '.', 'a\\')", "digit or a backslash"),
        ("regex.extract('a@b', ['(.*)@(.*)'][0])", "one group at most"),
        ("regex.extract(1, 'a')", "regex.extract takes a string"),
    ]);
    all_rejected(&[
        ("regex.extract('a@b', '(.*)@([^.]*)')", "one group at most"),
        ("regex.replace('a', '(', '')", "invalid pattern"),
        ("regex.extracted('a', 'b')", "did you mean `regex.extract`?"),
    ]);
}

#[test]
fn the_calendar() {
    all_true(&[
        "time.format(timestamp('2026-01-31T23:30:05Z'), '%d.%m.%Y %H:%M') == '31.01.2026 23:30'",
        "time.format('2026-01-31T23:30:05Z', '%d.%m.%Y %H:%M %z', 'Europe/Vienna') == '01.02.2026 00:30 +0100'",
        "time.format('2026-01-05T00:00:00.25Z', '%A %-d %B, week %V, %.3f') == 'Monday 5 January, week 02, .250'",
        "time.parse('31.01.2026', '%d.%m.%Y') == timestamp('2026-01-31T00:00:00Z')",
        "time.parse('31.01.2026 08:00', '%d.%m.%Y %H:%M', 'Europe/Vienna') == timestamp('2026-01-31T07:00:00Z')",
        "time.parse('2026-01-31 08:00 +0200', '%F %R %z') == timestamp('2026-01-31T06:00:00Z')",
        "time.addDays('2026-03-28T08:00:00+01:00', 1, 'Europe/Vienna') == timestamp('2026-03-29T08:00:00+02:00')",
        "time.addMonths(timestamp('2026-01-31T00:00:00Z'), 1) == timestamp('2026-02-28T00:00:00Z')",
        "time.addMonths('2026-01-31T00:00:00Z', -2) == timestamp('2025-11-30T00:00:00Z')",
        "time.addYears('2024-02-29T00:00:00Z', 1) == timestamp('2025-02-28T00:00:00Z')",
        "time.truncate('2026-01-31T23:30:05Z', 'day', 'Europe/Vienna') == timestamp('2026-01-31T23:00:00Z')",
        "time.truncate('2026-08-15T23:30:05.5Z', 'year') == timestamp('2026-01-01T00:00:00Z')",
        "time.truncate('2026-08-15T23:30:05.5Z', 'month') == timestamp('2026-08-01T00:00:00Z')",
        "time.truncate('2026-11-24T23:30:05.5Z', 'week') == timestamp('2026-11-23T00:00:00Z')",
        "time.truncate('2026-08-15T23:30:05.5Z', 'hour') == timestamp('2026-08-15T23:00:00Z')",
        "time.truncate('2026-08-15T23:30:05.5Z', 'minute') == timestamp('2026-08-15T23:30:00Z')",
        "time.truncate('2026-08-15T23:30:05.5Z', 'second') == timestamp('2026-08-15T23:30:05Z')",
        // The hour that the clocks are turned back is there twice.
        "time.truncate('2026-10-25T01:30:00Z', 'hour', 'Europe/Vienna') == timestamp('2026-10-25T01:00:00Z')",
        "time.truncate('2026-10-25T00:30:00Z', 'hour', 'Europe/Vienna') == timestamp('2026-10-25T00:00:00Z')",
    ]);
    all_fail(&[
        ("time.format(timestamp(0), '%Q')", "knows no %Q"),
        ("time.format(timestamp(0), '%')", "knows no %"),
        ("time.format(1, '%Y')", "takes a timestamp or a text of RFC 3339"),
        ("time.format('tomorrow', '%Y')", "RFC 3339"),
        ("time.parse('31.02.2026', '%d.%m.%Y')", "is not written like"),
        ("time.parse('x', '%d.%m.%Y')", "is not written like"),
        (
            "time.addDays(timestamp(0), 9223372036854775807)",
            "years 1 to 9999",
        ),
        ("time.addYears(timestamp(0), -1970)", "years 1 to 9999"),
        ("time.truncate(timestamp(0), 'decade')", "knows no unit decade"),
        ("time.truncate(timestamp(0), 'day', 'Mars')", "no time zone"),
    ]);
    let long = "%Y".repeat(200);
    assert_eq!(
        run(&format!("time.format(timestamp(0), '{long}')"))
            .unwrap_err()
            .code,
        "LimitExceeded"
    );
}

#[test]
fn bits_and_quotes() {
    all_true(&[
        "math.bitAnd(3, 5) == 1 && math.bitOr(1u, 2u) == 3u && math.bitXor(3, 5) == 6 && math.bitNot(0) == -1 && math.bitNot(0u) == 18446744073709551615u",
        "math.bitShiftLeft(1, 2) == 4 && math.bitShiftLeft(-1, 200) == 0 && math.bitShiftLeft(1u, 64) == 0u",
        "math.bitShiftRight(1024, 2) == 256 && math.bitShiftRight(-1024, 3) == 2305843009213693824 && math.bitShiftRight(1u, 99999999999) == 0u",
        r#"strings.quote('a "b" \n\\') == '"a \\"b\\" \\n\\\\"' && strings.quote('ä') == '"ä"'"#,
        "[optional.of(1), optional.none(), optional.of(3)].unwrapOpt() == [1, 3] && optional.unwrap([]) == []",
    ]);
    all_fail(&[
        ("math.bitAnd(1, 2u)", "two ints, not uint"),
        ("math.bitOr(1.0, 2)", "two ints or two uints"),
        ("math.bitShiftLeft(1, -1)", "negative distance"),
        ("[1].unwrapOpt()", "an optional"),
    ]);
}
