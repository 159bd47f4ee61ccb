//! Durations as manifests write them: Go's grammar without fractions (`90s`, `1h30m`).

use jiff::SignedDuration;
use snafu::Snafu;

/// The longest duration: ten years. Longer ones are slips of the pen, and moments stay far from the calendar's end.
pub const LONGEST_HOURS: i64 = 10 * 365 * 24;

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("`{text}` is no duration: {reason}"))]
pub struct DurationError {
    /// The text.
    pub text: String,
    /// What is wrong and what to write.
    pub reason: &'static str,
}

/// Reads a duration: hours, minutes, seconds, milliseconds, in this order, each at most once.
pub fn parse(text: &str) -> Result<SignedDuration, DurationError> {
    let fail = |reason| {
        Err(DurationError {
            text: text.chars().take(60).collect(),
            reason,
        })
    };
    let (mut rest, mut total, mut unit_floor) = (text, 0_i64, 0);
    if text.is_empty() {
        return fail("write a number with a unit, such as 30s, 5m or 1h30m");
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = behind.split_at(letters);
        let (rank, milliseconds) = match unit {
            "h" => (1, 3_600_000),
            "m" => (2, 60_000),
            "s" => (3, 1000),
            "ms" => (4, 1),
            _ => return fail("write whole numbers with the units h, m, s or ms, such as 30s, 5m or 1h30m"),
        };
        if rank <= unit_floor {
            return fail("units go from large to small, each once: 1h30m");
        }
        unit_floor = rank;
        let part = number
            .parse::<i64>()
            .ok()
            .and_then(|number| number.checked_mul(milliseconds));
        match part.and_then(|part| total.checked_add(part)) {
            Some(sum) if sum <= LONGEST_HOURS * 3_600_000 => total = sum,
            _ if number.is_empty() => return fail("a unit needs a number before it, such as 30s"),
            _ => return fail("it is longer than ten years"),
        }
        rest = after;
    }
    Ok(SignedDuration::from_millis(total))
}

/// What a text that is no duration was probably meant to be: `2d` is 48h, `5 minutes` is 5m, `1.5h` is 1h30m.
#[must_use]
pub fn meant(text: &str) -> Option<String> {
    let (mut rest, mut total) = (text.trim(), 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let behind = rest[digits..].trim_start();
        let letters = behind
            .find(|letter: char| !letter.is_alphabetic())
            .unwrap_or(behind.len());
        let (unit, after) = behind.split_at(letters);
        total += number
            * match unit.to_lowercase().as_str() {
                "ms" => 1.0,
                "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
                "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
                "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000.0,
                "d" | "day" | "days" => 86_400_000.0,
                "w" | "week" | "weeks" => 604_800_000.0,
                _ => return None,
            };
        rest = after.trim_start();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is bounded by the filter"
    )]
    let total = Some(total)
        .filter(|total| (1.0..1e15).contains(total))
        .map(|total| total.round() as u64)?;
    let parts = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut left = total;
    let mut words = String::new();
    for (size, unit) in parts {
        if left >= size {
            words.push_str(&(left / size).to_string());
            words.push_str(unit);
            left %= size;
        }
    }
    parse(&words).is_ok().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_instead_is_understood() {
        for (text, duration) in [
            ("2d", Some("48h")),
            ("1.5h", Some("1h30m")),
            ("5 minutes", Some("5m")),
            ("1 hour 30 min", Some("1h30m")),
            ("0.5s", Some("500ms")),
            ("1w", Some("168h")),
            ("30", None),
            ("soon", None),
            ("1e9d", None),
            ("99999999w", None),
            ("0d", None),
            ("..h", None),
        ] {
            assert_eq!(meant(text).as_deref(), duration, "{text}");
        }
    }

    #[test]
    fn durations_are_whole_numbers_with_units_from_large_to_small() {
        let milliseconds = |text| parse(text).map(|duration| duration.as_millis()).ok();
        assert_eq!(milliseconds("90s"), Some(90_000));
        assert_eq!(milliseconds("1h30m"), Some(5_400_000));
        assert_eq!(milliseconds("1s500ms"), Some(1500));
        assert_eq!(milliseconds("0s"), Some(0));
        for bad in [
            "",
            "90",
            "s",
            "1.5h",
            "30m1h",
            "1m1m",
            "-5s",
            "5 s",
            "99999999999999999999h",
            "87601h",
            "1d",
        ] {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }
}
