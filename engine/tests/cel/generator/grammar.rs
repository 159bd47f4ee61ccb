//! What stands for what: the leaves and templates of each sort of value.

use Sort::{
    Bool, Bytes, Double, Int, List, Map, Maybe, Record, Records, Span, Text, Texts, Time, Uint, Value,
};

/// A sort of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Int,
    Uint,
    Double,
    Bool,
    Text,
    Bytes,
    /// Of ints.
    List,
    Texts,
    /// From texts to ints.
    Map,
    Record,
    Records,
    Time,
    Span,
    /// An optional int.
    Maybe,
    /// Anything.
    Value,
}

impl Sort {
    pub(super) const ALL: &[Self] = &[
        Int, Uint, Double, Bool, Bool, Text, Bytes, List, Texts, Map, Record, Records, Time, Span, Maybe,
        Value,
    ];
    /// What a place may get that is meant for something else. Numbers are not among it: some of them fit each other.
    /// Maps neither: the reference walks over them in any order.
    pub(super) const MISFITS: &[Self] = &[Bool, Text, List, Texts, Bytes, Time];

    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "int" => Int,
            "uint" => Uint,
            "double" => Double,
            "bool" => Bool,
            "text" => Text,
            "bytes" => Bytes,
            "list" => List,
            "texts" => Texts,
            "map" => Map,
            "record" => Record,
            "records" => Records,
            "time" => Time,
            "span" => Span,
            "maybe" => Maybe,
            "value" => Value,
            _ => return None,
        })
    }
}

type Choices = &'static [(Sort, &'static [&'static str])];

#[rustfmt::skip]
pub(super) const LEAVES: Choices = &[
    (Int, &[
        "0", "1", "-1", "2", "7", "42", "-3", "9223372036854775807", "-9223372036854775808", "0x1F", "inputs.count",
        "inputs.big", "inputs.zero", "inputs.items[1].n", "inputs.deep.a.b.c", "inputs['odd-name']",
        "inputs.missing", "inputs.list[5]", "inputs.`odd-name`",
    ]),
    (Uint, &[
        "0u", "1u", "7u", "18446744073709551615u", "0xFFu", "42u",
    ]),
    (Double, &[
        "0.0", "1.0", "-1.5", "2.5", "1e3", "1e-3", "0.1", "inputs.price", "-0.0", "1e300", ".5", "double('NaN')",
    ]),
    (Bool, &[
        "true", "false", "inputs.ok", "inputs.items[0].on", "inputs.items[1].on",
    ]),
    (Text, &[
        "''", "'a'", "'abc'", "'b'", "'Hello, World'", "'ä€😀'", "\"quo\\\"te\"", "r'\\d'", "'\\n\\t'", "inputs.name",
        "inputs.word", "inputs.empty", "inputs.text", "inputs.items[2].id", "'12'", "'-7'", "'1.5'", "'true'",
        "inputs.at", "'''multi\nline'''", "'\\u00e9\\x41'", "' \\t x '",
    ]),
    (Bytes, &[
        "b''", "b'abc'", "b'\\xff\\x00'", "b'ä'", "bytes(inputs.name)",
    ]),
    (List, &[
        "[]", "[1, 2, 3]", "[1, 1, 2]", "inputs.list", "inputs.none", "[3, -1, 2]", "[9, 8, 7, 6]",
    ]),
    (Texts, &[
        "['a', 'b']", "inputs.words", "[]", "['', 'x', '']", "['b', 'a', 'c']",
    ]),
    (Map, &[
        "{}", "{'a': 1}", "inputs.map", "{'x': 7, 'y': 8}", "inputs.deep.a.b",
    ]),
    (Record, &[
        "inputs.items[0]", "inputs.items[1]", "{'id': 'z', 'n': 9, 'on': true}", "{'id': 'q', 'n': 0}",
    ]),
    (Records, &[
        "inputs.items", "[]", "[{'id': 'k', 'n': 5, 'on': true}]",
    ]),
    (Time, &[
        "timestamp('2026-01-31T23:30:05Z')", "timestamp('2024-02-29T12:00:00.25Z')", "timestamp(inputs.at)",
        "timestamp(0)", "timestamp('1999-12-31T23:59:59.999Z')",
    ]),
    (Span, &[
        "duration('1h30m')", "duration('90s')", "duration('-1.5s')", "duration('0')", "duration('250ms')",
    ]),
    (Maybe, &[
        "optional.none()", "optional.of(1)", "inputs.?count", "inputs.?missing", "inputs.list[?0]",
        "inputs.list[?9]", "inputs.?map.a",
    ]),
    (Value, &[
        "null", "inputs.nothing", "inputs.mixed", "inputs.mixed[1]", "inputs", "type(1)", "string", "inputs.deep",
        "[null]", "{1: 2, true: 'x'}",
    ]),
];

#[rustfmt::skip]
pub(super) const TEMPLATES: Choices = &[
    (Int, &[
        "({int} + {int})", "({int} - {int})", "({int} * {int})", "({int} / {int})", "({int} % {int})", "-({int})",
        "--({int})", "-{int}", "--({int})", "-{int}", "{int} + {int} - {int}", "{int} * 2 + {int} % 3",
        "({bool} ? {int} : {int})", "size({text})", "{text}.size()", "size({bytes})", "{list}.size()", "size({map})",
        "size({texts})", "int({double})", "int({uint})", "int({text})", "int({time})", "int({int})", "{list}[{int}]",
        "{list}[0]", "{map}['a']", "{map}.b", "{record}.n", "{records}[0].n", "{maybe}.orValue({int})",
        "{maybe}.value()", "{maybe}.or({maybe}).orValue({int})", "dyn({int})", "{text}.indexOf({text})",
        "{text}.indexOf({text}, {int})", "{text}.lastIndexOf({text})", "{text}.lastIndexOf({text}, {int})",
        "math.abs({int})", "math.sign({int})", "math.greatest({int}, {int})", "math.least({int}, {int}, {int})",
        "math.greatest({list})", "math.least({list})", "math.bitAnd({int}, {int})", "math.bitOr({int}, {int})",
        "math.bitXor({int}, {int})", "math.bitNot({int})", "math.bitShiftLeft({int}, {int})",
        "math.bitShiftRight({int}, {int})", "{time}.getFullYear()", "{time}.getMonth()", "{time}.getDate()",
        "{time}.getDayOfMonth()", "{time}.getDayOfWeek()", "{time}.getDayOfYear()", "{time}.getHours()",
        "{time}.getMinutes()", "{time}.getSeconds()", "{time}.getMilliseconds()", "{time}.getHours('Europe/Vienna')",
        "{time}.getDate('America/New_York')", "{time}.getMinutes('+05:30')", "{time}.getDayOfWeek('-11:00')",
        "{span}.getHours()", "{span}.getMinutes()", "{span}.getSeconds()", "{list}.map($int, {int})[0]",
        "{list}.first().orValue({int})", "{list}.last().value()", "{records}.filter($record, {bool}).size()",
        "{map}.transformMap($text, $int, {int}).a",
    ]),
    (Uint, &[
        "({uint} + {uint})", "({uint} - {uint})", "({uint} * {uint})", "({uint} / {uint})", "({uint} % {uint})",
        "uint({int})", "uint({double})", "uint({text})", "math.bitAnd({uint}, {uint})", "math.bitNot({uint})",
        "math.bitShiftLeft({uint}, {int})", "math.bitShiftRight({uint}, {int})", "math.abs({uint})",
        "math.sign({uint})", "({bool} ? {uint} : {uint})", "math.greatest({uint}, {uint})",
    ]),
    (Double, &[
        "({double} + {double})", "({double} - {double})", "({double} * {double})", "({double} / {double})",
        "-({double})", "double({int})", "double({uint})", "double({text})", "double({double})",
        "math.ceil({double})", "math.floor({double})", "math.round({double})", "math.trunc({double})",
        "math.abs({double})", "math.sign({double})", "math.sqrt({double})", "math.greatest({double}, {double})",
        "math.least({double}, {double})", "({bool} ? {double} : {double})",
    ]),
    (Bool, &[
        "({bool} && {bool})", "({bool} || {bool})", "!{bool}", "!!{bool}", "({bool} ? {bool} : {bool})",
        "{bool} && {bool} || {bool}", "{int} == {int}", "{int} != {int}", "{int} < {int}", "{int} <= {int}",
        "{int} > {int}", "{int} >= {int}", "{uint} < {uint}", "{double} < {double}", "{double} >= {double}",
        "{double} == {double}", "1 < {uint}", "2.5 > 2", "{text} == {text}", "{text} < {text}", "{text} >= {text}",
        "{bytes} < {bytes}", "{bytes} == {bytes}", "{bool} == {bool}", "{bool} < {bool}", "{list} == {list}",
        "{map} == {map}", "{value} == {value}", "{value} != {value}", "{texts} == {texts}", "{time} < {time}",
        "timestamp('2024-02-29T12:00:00.25+01:00') > {time}", "{time} == {time}", "{span} < {span}",
        "{span} >= {span}", "{maybe} == {maybe}", "{int} in {list}", "{text} in {texts}", "{text} in {map}",
        "{value} in {value}", "{value} in inputs.mixed", "{text}.contains({text})", "{text}.startsWith({text})",
        "{text}.endsWith({text})", "{text}.matches('^[a-z]+$')", r"{text}.matches(r'\d+')",
        r"{text}.matches(r'^\w*\s?')", "{text}.matches({text})", "matches({text}, 'b|^$')",
        r"{text}.matches(r'(?i)HELLO|\bid\b')", "bool({text})", "bool({bool})", "has({record}.on)",
        "has(inputs.missing)", "has(inputs.deep.a.b)", "has(inputs.name.x)", "has({map}.a)", "{maybe}.hasValue()",
        "{list}.all($int, {bool})", "{list}.exists($int, {bool})", "{list}.exists_one($int, {bool})",
        "{texts}.all($text, {bool})", "{records}.exists($record, {bool})", "{map}.all($text, {bool})",
        "{map}.exists($text, {bool})", "{list}.all($int, $int, {bool})", "{map}.exists($text, $int, {bool})",
        "{list}.existsOne($int, $int, {bool})", "math.isNaN({double})", "math.isInf({double})",
        "math.isFinite({double})", "type({value}) == type({value})", "type({int}) == int", "{record}.on",
        "{list}.exists($int, {int} in {list})", "{value}.all($int, {bool})",
    ]),
    (Text, &[
        "({text} + {text})", "string({int})", "string({uint})", "string({bool})", "string({text})",
        "string({bytes})", "string({time})", "string({span})", "string(2.5)", "string(inputs.price)",
        "{text}.lowerAscii()", "{text}.upperAscii()", "{text}.trim()", "{text}.charAt({int})", "{text}.charAt(1)",
        "{text}.substring({int})", "{text}.substring(1)", "{text}.substring(0, {int})", "{text}.substring(1, 2)",
        "{text}.replace({text}, {text})", "{text}.replace({text}, {text}, {int})", "{text}.replace('', '-')",
        "{text}.reverse()", "{texts}.join()", "{texts}.join({text})", "{texts}[{int}]", "{texts}[0]", "{record}.id",
        "strings.quote({text})", "'%s'.format([{value}])", "'%s %s'.format([{int}, {text}])",
        "'%d|%s'.format([{int}, {bool}])", "'%.2f %e'.format([{double}, {double}])",
        "'%x %X %o %b'.format([{int}, {text}, {int}, {int}])", "'%s'.format([{list}])",
        "'%s %s'.format([{map}, {texts}])", "'%s'.format([{double}])", "'%d%%'.format([{uint}])",
        "({bool} ? {text} : {text})", "base64.encode({bytes})", "regex.replace({text}, 'a|b', {text})",
        r"regex.replace({text}, r'(\w)(\w)', r'\2\1')", r"regex.replace({text}, '.', r'[\0]', {int})",
        r"regex.extract({text}, r'\d+').orValue({text})", "regex.extract({text}, 'i(.?)').orValue('none')",
        "{text}.split({text})[0]", "{texts}.map($text, {text})[1]",
    ]),
    (Bytes, &[
        "({bytes} + {bytes})", "bytes({text})", "bytes({bytes})", "base64.decode({text})",
        "base64.decode(base64.encode({bytes}))", "({bool} ? {bytes} : {bytes})",
    ]),
    (List, &[
        "[{int}, {int}]", "[{int}]", "({list} + {list})", "{list}.map($int, {int})", "{list}.filter($int, {bool})",
        "{list}.map($int, {bool}, {int})", "{list}.reverse()", "{list}.sort()", "{list}.distinct()",
        "{list}.slice(0, {int})", "{list}.slice(1, 2)", "[{list}, {list}].flatten()", "lists.range(4)",
        "lists.range({int} % 5)", "[?{maybe}, {int}]", "{records}.map($record, {int})",
        "{list}.transformList($int, $int, {int})", "{list}.transformList($int, $int, {bool}, {int})",
        "{list}.sortBy($int, {int})", "[{maybe}, {maybe}].unwrapOpt()", "({bool} ? {list} : {list})",
        "{map}.map($text, {int}).sort()", "[[{int}], [[{int}]]].flatten(2)",
    ]),
    (Texts, &[
        "[{text}, {text}]", "({texts} + {texts})", "{text}.split({text})", "{text}.split(',')",
        "{text}.split('', {int})", "{texts}.map($text, {text})", "{texts}.filter($text, {bool})",
        "{records}.map($record, {text})", "{texts}.sort()", "{texts}.distinct()", "{texts}.reverse()",
        "{texts}.sortBy($text, {text})", r"regex.extractAll({text}, r'\w+')", "regex.extractAll({text}, 'i?d:(.)')",
        "{map}.map($text, {text}).sort()", "{list}.map($int, {text})",
    ]),
    (Map, &[
        "{'a': {int}, 'b': {int}}", "{{text}: {int}}", "{{text}: {int}, {text}: {int}}",
        "{?'a': {maybe}, 'c': {int}}", "{map}.transformMap($text, $int, {int})",
        "{map}.transformMap($text, $int, {bool}, {int})", "{list}.transformMapEntry($int, $int, {string(v0): 1})",
        "({bool} ? {map} : {map})", "{texts}.transformMapEntry($int, $text, {{text}: {int}})",
    ]),
    (Record, &[
        "{'id': {text}, 'n': {int}, 'on': {bool}}", "{'id': {text}, 'n': {int}}", "{records}[{int}]",
        "{records}.sortBy($record, {int})[0]",
    ]),
    (Records, &[
        "[{record}, {record}]", "{records}.filter($record, {bool})", "({records} + {records})",
        "{records}.sortBy($record, {text})", "{list}.map($int, {record})",
    ]),
    (Time, &[
        "({time} + {span})", "({time} - {span})", "({span} + {time})", "timestamp({text})",
        "timestamp(string({time}))", "({bool} ? {time} : {time})", "timestamp({time})",
    ]),
    (Span, &[
        "({span} + {span})", "({span} - {span})", "({time} - {time})", "-({span})", "duration(string({span}))",
        "duration({text})", "({bool} ? {span} : {span})",
    ]),
    (Maybe, &[
        "optional.of({int})", "optional.ofNonZeroValue({int})", "{map}.?a", "{map}[?{text}]", "{list}[?{int}]",
        "{record}.?n", "{maybe}.or({maybe})", "{maybe}.optMap($int, {int})", "{maybe}.optFlatMap($int, {maybe})",
        "{list}.first()", "{list}.last()", "inputs.?deep.?a.?b.?c", "{records}[?0].n", "inputs.?missing.a.b",
        "optional.of({map}).a",
    ]),
    (Value, &[
        "{int}", "{double}", "{text}", "{list}", "{map}", "[{value}, {value}]", "{'k': {value}}", "type({value})",
        "dyn({value})", "{maybe}", "({bool} ? {int} : {text})", "[{int}, {text}, {bool}]", "optional.of({value})",
        "{value}.k", "{value}[{int}]", "{value}[{text}]", "{value}.?k", "{map}[{value}]",
        "{ {int}: {text}, {text}: {int} }", "[{value}].flatten()", "[{value}, {value}].distinct()",
        "{text} + {value}", "{list} + {value}", "{maybe}[{int}]", "size({value})",
        "optional.ofNonZeroValue({value})", "{list}.map($int, {value})",
    ]),
];
