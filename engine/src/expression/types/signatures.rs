//! What each function takes and gives. A test holds the table against the functions there are.

use super::{
    super::functions::Style,
    Type,
    signature::{Bound, Signature},
};
use std::{collections::HashMap, sync::LazyLock};

const TABLE: &[&str] = &[
    // Sizes, conversions
    "size(string|bytes|list|map) int",
    "string|bytes|list|map .size() int",
    "int(int|uint|double|string|timestamp) int",
    "uint(int|uint|double|string) uint",
    "double(int|uint|double|string) double",
    "bool(bool|string) bool",
    "string(string|bytes|number|bool|timestamp|duration|type) string",
    "bytes(string|bytes) bytes",
    "timestamp(string|int|timestamp) timestamp",
    "duration(string|duration) duration",
    "dyn(any) any",
    "type(any) type",
    // Texts
    "string .contains(string) bool",
    "string .startsWith(string) bool",
    "string .endsWith(string) bool",
    "string .lowerAscii() string",
    "string .upperAscii() string",
    "string .trim() string",
    "string .charAt(int) string",
    "string .substring(int, int?) string",
    "string .replace(string, string, int?) string",
    "string .split(string, int?) list(string)",
    "string .format(list) string",
    "string .indexOf(string, int?) int",
    "string .lastIndexOf(string, int?) int",
    "string .reverse() string",
    "strings.quote(string) string",
    "matches(string, string) bool",
    "string .matches(string) bool",
    "regex.extract(string, string) optional(string)",
    "regex.extractAll(string, string) list(string)",
    "regex.replace(string, string, string, int?) string",
    // Lists
    "list(string) .join(string?) string",
    "lists.range(int) list(int)",
    "list(A) .slice(int, int) list(A)",
    "list .flatten(int?) list",
    "list(A) .distinct() list(A)",
    "list(A<comparable>) .sort() list(A)",
    "list(A) .reverse() list(A)",
    "list(A) .first() optional(A)",
    "list(A) .last() optional(A)",
    "list(A<number|duration>) .sum() A",
    "list(A<comparable>) .min() A",
    "list(A<comparable>) .max() A",
    "list(comparable) .isSorted() bool",
    "list .indexOf(any) int",
    "list .lastIndexOf(any) int",
    // Numbers
    "math.greatest(list(A<number>)) A",
    "math.greatest(A<number>...) A",
    "math.least(list(A<number>)) A",
    "math.least(A<number>...) A",
    "math.ceil(number) double",
    "math.floor(number) double",
    "math.round(number) double",
    "math.trunc(number) double",
    "math.sqrt(number) double",
    "math.abs(A<number>) A",
    "math.sign(A<number>) A",
    "math.isNaN(number) bool",
    "math.isInf(number) bool",
    "math.isFinite(number) bool",
    "math.bitAnd(int, int) int",
    "math.bitAnd(uint, uint) uint",
    "math.bitOr(int, int) int",
    "math.bitOr(uint, uint) uint",
    "math.bitXor(int, int) int",
    "math.bitXor(uint, uint) uint",
    "math.bitNot(A<int|uint>) A",
    "math.bitShiftLeft(A<int|uint>, int) A",
    "math.bitShiftRight(A<int|uint>, int) A",
    // Times
    "timestamp .getFullYear(string?) int",
    "timestamp .getMonth(string?) int",
    "timestamp .getDate(string?) int",
    "timestamp .getDayOfMonth(string?) int",
    "timestamp .getDayOfWeek(string?) int",
    "timestamp .getDayOfYear(string?) int",
    "timestamp .getHours(string?) int",
    "duration .getHours() int",
    "timestamp .getMinutes(string?) int",
    "duration .getMinutes() int",
    "timestamp .getSeconds(string?) int",
    "duration .getSeconds() int",
    "timestamp .getMilliseconds(string?) int",
    "duration .getMilliseconds() int",
    "time.format(timestamp|string, string, string?) string",
    "time.parse(string, string, string?) timestamp",
    "time.addDays(timestamp|string, int, string?) timestamp",
    "time.addMonths(timestamp|string, int, string?) timestamp",
    "time.addYears(timestamp|string, int, string?) timestamp",
    "time.truncate(timestamp|string, string, string?) timestamp",
    // Optionals
    "optional.of(A) optional(A)",
    "optional.none() optional(any)",
    "optional.ofNonZeroValue(A) optional(A)",
    "optional(any) .hasValue() bool",
    "optional(A) .value() A",
    "optional.unwrap(list(optional(A))) list(A)",
    "list(optional(A)) .unwrapOpt() list(A)",
    "optional(A) .or(optional(B)) optional(A|B)",
    "optional(A) .orValue(B) A|B",
    // Encoders
    "base64.encode(bytes) string",
    "base64.decode(string) bytes",
    "json.parse(string) any",
    "json.print(any) string",
    "hash.sha256(string|bytes) string",
    // Recorded answers
    "now() timestamp",
    "uuid() string",
    "random() double",
];

static SIGNATURES: LazyLock<HashMap<(bool, &'static str), Vec<Signature>>> = LazyLock::new(|| {
    let mut all: HashMap<_, Vec<Signature>> = HashMap::new();
    for signature in TABLE.iter().filter_map(|line| Signature::read(line)) {
        all.entry((signature.is_method, signature.name))
            .or_default()
            .push(signature);
    }
    all
});

/// An argument that no form of the function is for.
pub(super) struct Mismatch {
    pub(super) argument: usize,
    pub(super) wanted: String,
}

/// The type of a call's value. The receiver of a method is its first argument.
pub(super) fn result(style: Style, name: &'static str, arguments: &[Type]) -> Result<Type, Mismatch> {
    let Some(signatures) = SIGNATURES.get(&(style == Style::Method, name)) else {
        return Ok(Type::Dyn);
    };
    let mut results = Vec::new();
    // The argument that the form which went furthest failed at.
    let mut furthest = 0;
    for signature in signatures
        .iter()
        .filter(|signature| signature.takes(arguments.len()))
    {
        let mut bound = Bound::default();
        let fitting = arguments
            .iter()
            .enumerate()
            .take_while(|(place, type_)| {
                signature
                    .parameter(*place)
                    .is_some_and(|parameter| parameter.fits(type_, &mut bound))
            })
            .count();
        if fitting == arguments.len() {
            results.push(signature.result.made(&bound));
        } else {
            furthest = furthest.max(fitting);
        }
    }
    if !results.is_empty() {
        return Ok(Type::any_of(results));
    }
    let mut wanted: Vec<String> = Vec::new();
    for signature in signatures {
        let words = signature
            .parameter(furthest)
            .map(super::signature::Pattern::describe);
        wanted.extend(words.filter(|words| !wanted.contains(words)));
    }
    if wanted.is_empty() {
        return Ok(Type::Dyn);
    }
    Err(Mismatch {
        argument: furthest,
        wanted: wanted.join(" or "),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::super::functions, SIGNATURES, Signature, TABLE};

    #[test]
    fn each_line_is_well_written() {
        for line in TABLE {
            assert!(Signature::read(line).is_some(), "{line}");
        }
    }

    #[test]
    fn each_function_has_a_signature_and_each_signature_a_function() {
        let mut known = std::collections::BTreeSet::new();
        for function in functions::all() {
            let key = (function.style == functions::Style::Method, function.name);
            let signatures = SIGNATURES
                .get(&key)
                .unwrap_or_else(|| panic!("{key:?} has no signature"));
            let least = signatures.iter().map(|signature| signature.least).min();
            let most = signatures
                .iter()
                .map(|signature| {
                    if signature.repeated {
                        usize::MAX
                    } else {
                        signature.parameters.len()
                    }
                })
                .max();
            assert_eq!(
                (least, most),
                (Some(function.arity.0), Some(function.arity.1)),
                "{key:?}"
            );
            known.insert(key);
        }
        for key in SIGNATURES.keys() {
            assert!(known.contains(key), "{key:?} is no function");
        }
    }
}
