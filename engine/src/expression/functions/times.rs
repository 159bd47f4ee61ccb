//! The parts of timestamps and durations.

use super::super::error::{Fault, Outcome};
use super::{Function, Value, method, text, wrong};
use jiff::{
    Zoned,
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use std::sync::LazyLock;

/// The zones that were built in: those of the machine may differ from one runner to the next.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

pub(super) const FUNCTIONS: &[Function] = &[
    method("getFullYear", 0, 1, |_, values| {
        date("getFullYear", values, |time| i64::from(time.year()))
    }),
    method("getMonth", 0, 1, |_, values| {
        date("getMonth", values, |time| i64::from(time.month()) - 1)
    }),
    method("getDate", 0, 1, |_, values| {
        date("getDate", values, |time| i64::from(time.day()))
    }),
    method("getDayOfMonth", 0, 1, |_, values| {
        date("getDayOfMonth", values, |time| i64::from(time.day()) - 1)
    }),
    method("getDayOfYear", 0, 1, |_, values| {
        date("getDayOfYear", values, |time| i64::from(time.day_of_year()) - 1)
    }),
    method("getDayOfWeek", 0, 1, |_, values| {
        date("getDayOfWeek", values, |time| {
            i64::from(time.weekday().to_sunday_zero_offset())
        })
    }),
    method("getHours", 0, 1, |_, values| {
        part(
            "getHours",
            values,
            |time| i64::from(time.hour()),
            3_600_000,
            i64::MAX,
        )
    }),
    method("getMinutes", 0, 1, |_, values| {
        part(
            "getMinutes",
            values,
            |time| i64::from(time.minute()),
            60_000,
            i64::MAX,
        )
    }),
    method("getSeconds", 0, 1, |_, values| {
        part(
            "getSeconds",
            values,
            |time| i64::from(time.second()),
            1000,
            i64::MAX,
        )
    }),
    method("getMilliseconds", 0, 1, |_, values| {
        part(
            "getMilliseconds",
            values,
            |time| i64::from(time.millisecond()),
            1,
            1000,
        )
    }),
];

/// A part of a timestamp, in UTC or in the time zone of the argument.
fn date(name: &str, values: &[Value], part: fn(&Zoned) -> i64) -> Outcome<Value> {
    let Value::Timestamp(time) = &values[0] else {
        return Err(wrong(
            name,
            "a timestamp (write timestamp(x) for a text)",
            &values[0],
        ));
    };
    let zone = values
        .get(1)
        .map_or(Ok(TimeZone::UTC), |zone| zone_of(text(name, zone)?))?;
    Ok(Value::Int(part(&time.to_zoned(zone))))
}

/// A part of a timestamp, or all of a duration in that unit.
fn part(name: &str, values: &[Value], part: fn(&Zoned) -> i64, unit: i128, modulus: i64) -> Outcome<Value> {
    match values {
        [Value::Duration(span)] => {
            let whole =
                i64::try_from(span.as_millis() / unit).map_err(|_| Fault::new("the result is beyond int"))?;
            Ok(Value::Int(whole % modulus))
        }
        [Value::Duration(_), ..] => Err(Fault::new(format!("{name} of a duration takes no time zone"))),
        _ => date(name, values, part),
    }
}

/// `Europe/Vienna`, `UTC`, `+02:00` or `02:00`.
pub(super) fn zone_of(name: &str) -> Outcome<TimeZone> {
    let (sign, digits) = match name.as_bytes().first() {
        Some(b'-') => (-1, &name[1..]),
        Some(b'+') => (1, &name[1..]),
        _ => (1, name),
    };
    let fixed = digits.split_once(':').and_then(|(hours, minutes)| {
        let two = |text: &str| (text.len() == 2).then(|| text.parse::<i32>().ok()).flatten();
        let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    });
    if let Some(offset) = fixed {
        return Ok(TimeZone::fixed(offset));
    }
    ZONES.get(name).map_err(|_| {
        Fault::new(format!(
            "no time zone {}: write Europe/Vienna or +02:00",
            super::super::error::excerpt(name)
        ))
    })
}
