//! What the text of a CSV cell means.

use flowpilot_engine::expression::Value;

/// Numbers that are written as numbers are numbers, an empty cell is null, all the rest stays text. `007` and
/// `+49` stay text, and so does a whole number that does not fit: they are names of things.
pub(super) fn value(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    match number(text) {
        Some(value) => value,
        None => Value::from(text),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(digits.len());
    let leading_zero = whole > 1 && digits.starts_with('0');
    if whole == 0 || leading_zero {
        return None;
    }
    if whole == digits.len() {
        return text.parse().ok().map(Value::Int);
    }
    // What is left begins with a fraction or an exponent; the standard parser judges the rest. It would also
    // take `1.` and `inf`, which JSON does not know.
    let rest = &digits[whole..];
    let fraction = rest.strip_prefix('.');
    if fraction.is_some_and(|fraction| !fraction.starts_with(|character: char| character.is_ascii_digit())) {
        return None;
    }
    text.parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .map(Value::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_numbers_are_numbers() {
        let json = |text| value(text).to_json().unwrap().to_string();
        let numbers = [
            ("0", "0"),
            ("-0", "0"),
            ("42", "42"),
            ("-7", "-7"),
            ("1.5", "1.5"),
            ("-0.25", "-0.25"),
            ("2.0", "2.0"),
            ("1e3", "1000.0"),
            ("1.5E-2", "0.015"),
            ("9223372036854775807", "9223372036854775807"),
        ];
        for (text, expected) in numbers {
            assert_eq!(json(text), expected, "{text}");
        }
        for text in [
            "007",
            "+49",
            "1.",
            ".5",
            "1e",
            "1,5",
            " 1",
            "1 ",
            "-",
            "inf",
            "NaN",
            "0x10",
            "1_000",
            "1e999",
            "9223372036854775808",
            "true",
            "null",
            "2012-01-01",
            "1.2.3",
            "--1",
        ] {
            assert_eq!(json(text), format!("{text:?}"), "{text}");
        }
        assert_eq!(json(""), "null");
    }
}
