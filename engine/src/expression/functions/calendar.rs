//! `time.*`: the calendar, which CEL leaves out. Times are timestamps or RFC 3339 text; a zone may stand last, else it
//! is UTC.
//!
//! Names of months and days are English, and the zones are those the program was built with: the same run means the
//! same on every machine.

use super::super::{
    arithmetic, convert,
    error::{Fault, Outcome, excerpt},
    evaluate::Context,
};
use super::{Function, Value, global, int, text, times::zone_of, wrong};
use jiff::{Span, Timestamp, Zoned, fmt::strtime::BrokenDownTime, tz::TimeZone};

/// What one look into the calendar takes from the budget.
const STEPS: usize = 8;
/// The longest pattern, and the most bytes one of its letters can become.
const PATTERN_LENGTH: usize = 256;
const LETTER_BYTES: usize = 16;
/// The parts a pattern may have, as `strftime` has them.
const LETTERS: &str = "YymdeHIMSfpaAbBjuVGzsFTR%";

pub(super) const FUNCTIONS: &[Function] = &[
    global("time.format", 2, 3, format),
    global("time.parse", 2, 3, parse),
    global("time.addDays", 2, 3, |context, values| {
        add(context, values, "time.addDays", |count| {
            Span::new().try_days(count)
        })
    }),
    global("time.addMonths", 2, 3, |context, values| {
        add(context, values, "time.addMonths", |count| {
            Span::new().try_months(count)
        })
    }),
    global("time.addYears", 2, 3, |context, values| {
        add(context, values, "time.addYears", |count| {
            Span::new().try_years(count)
        })
    }),
    global("time.truncate", 2, 3, truncate),
];

fn zone(name: &str, value: Option<&Value>) -> Outcome<TimeZone> {
    value.map_or(Ok(TimeZone::UTC), |zone| zone_of(text(name, zone)?))
}

/// The time that the first argument means, seen in the zone of the last.
fn zoned(context: &mut Context<'_>, name: &str, time: &Value, in_zone: Option<&Value>) -> Outcome<Zoned> {
    context.budget.step(STEPS)?;
    let time = match time {
        Value::Timestamp(time) => *time,
        Value::String(_) => match convert::timestamp(time)? {
            Value::Timestamp(time) => time,
            other => return Err(wrong(name, "a time", &other)),
        },
        other => return Err(wrong(name, "a timestamp or a text of RFC 3339", other)),
    };
    Ok(time.to_zoned(zone(name, in_zone)?))
}

fn given(time: Result<Timestamp, jiff::Error>) -> Outcome<Value> {
    arithmetic::timestamp(time.ok())
}

/// A pattern with no other parts than those that mean the same for ever.
fn pattern<'a>(name: &str, value: &'a Value) -> Outcome<&'a str> {
    let pattern = text(name, value)?;
    if pattern.len() > PATTERN_LENGTH {
        return Err(Fault::limit(format!(
            "{name} takes a pattern of at most {PATTERN_LENGTH} bytes"
        )));
    }
    let mut rest = pattern;
    while let Some(position) = rest.find('%') {
        // `%-d` without padding, `%3f` and `%.3f` with so many digits, `%:z` with a colon.
        let part = rest[position + 1..].trim_start_matches(['-', '.', ':']);
        let part = part.strip_prefix(['3', '6', '9']).unwrap_or(part);
        let letter = part.chars().next();
        if !letter.is_some_and(|letter| LETTERS.contains(letter)) {
            return Err(Fault::new(format!(
                "{name} knows no %{} in {}: there are %Y %m %d %H %M %S, %y %e %I %p %f %j, %a %A %b %B, %u %V %G, %z %s %F %T %R and %%",
                letter.map(String::from).unwrap_or_default(),
                excerpt(pattern)
            )));
        }
        rest = &part[1..];
    }
    Ok(pattern)
}

fn format(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let time = zoned(context, "time.format", &values[0], values.get(2))?;
    let pattern = pattern("time.format", &values[1])?;
    context.budget.allocate(pattern.len() * LETTER_BYTES)?;
    BrokenDownTime::from(&time)
        .to_string(pattern)
        .map(Value::from)
        .map_err(|error| Fault::new(format!("time.format with {}: {error}", excerpt(pattern))))
}

fn parse(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let source = text("time.parse", &values[0])?;
    let pattern = pattern("time.parse", &values[1])?;
    context.budget.step(STEPS)?;
    context.budget.scan(source.len() + pattern.len())?;
    let wrong = |reason: &str| {
        Fault::new(format!(
            "time.parse: \"{}\" is not written like {}: {reason}",
            excerpt(source),
            excerpt(pattern)
        ))
    };
    let parts = BrokenDownTime::parse(pattern, source).map_err(|error| wrong(&error.to_string()))?;
    if let Ok(time) = parts.to_timestamp() {
        return given(Ok(time));
    }
    let time = parts.to_datetime().map_err(|error| wrong(&error.to_string()))?;
    given(
        time.to_zoned(zone("time.parse", values.get(2))?)
            .map(|time| time.timestamp()),
    )
}

/// Days, months and years on the calendar: the time of day stays, the last day of a month stays within it.
fn add(
    context: &mut Context<'_>,
    values: &[Value],
    name: &str,
    span: fn(i64) -> Result<Span, jiff::Error>,
) -> Outcome<Value> {
    let time = zoned(context, name, &values[0], values.get(2))?;
    let span = span(int(name, &values[1])?);
    given(span.and_then(|span| Ok(time.checked_add(span)?.timestamp())))
}

/// The beginning of the year, month, week (Monday), day, hour, minute or second.
fn truncate(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let time = zoned(context, "time.truncate", &values[0], values.get(2))?;
    let unit = text("time.truncate", &values[1])?;
    let with = || time.with().subsec_nanosecond(0);
    let start = match unit {
        "year" => time.first_of_year().and_then(|time| time.start_of_day()),
        "month" => time.first_of_month().and_then(|time| time.start_of_day()),
        "week" => {
            let days = i64::from(time.weekday().to_monday_zero_offset());
            time.checked_sub(Span::new().days(days))
                .and_then(|time| time.start_of_day())
        }
        "day" => time.start_of_day(),
        "hour" => with().minute(0).second(0).build(),
        "minute" => with().second(0).build(),
        "second" => with().build(),
        other => {
            return Err(Fault::new(format!(
                "time.truncate knows no unit {}: write year, month, week, day, hour, minute or second",
                excerpt(other)
            )));
        }
    };
    given(start.map(|time| time.timestamp()))
}
