//! The filters a template may use. Each pays for the values it is given.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::strtime};
use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::{format, meter};

/// The longest text that `date` makes of a time.
const DATE_FORMAT: usize = 200;

/// A filter.
pub(super) struct Filter {
    /// As templates call it.
    pub(super) name: &'static str,
    /// The function that pays and calls it. No name of a template can be the same.
    pub(super) call: &'static str,
    /// It looks at no more than one value of what it is given.
    cheap: bool,
}

const fn cheap(name: &'static str, call: &'static str) -> Filter {
    Filter {
        name,
        call,
        cheap: true,
    }
}

const fn paid(name: &'static str, call: &'static str) -> Filter {
    Filter {
        name,
        call,
        cheap: false,
    }
}

/// All filters. What builds lists out of lists (`batch`, `slice`, `zip`) and what is for debugging is not among them.
pub(super) const FILTERS: &[Filter] = &[
    paid("abs", "|abs"),
    cheap("attr", "|attr"),
    paid("bool", "|bool"),
    paid("capitalize", "|capitalize"),
    cheap("count", "|count"),
    cheap("d", "|d"),
    paid("date", "|date"),
    cheap("default", "|default"),
    paid("dictsort", "|dictsort"),
    paid("e", "|e"),
    paid("escape", "|escape"),
    cheap("first", "|first"),
    paid("float", "|float"),
    paid("format", "|format"),
    paid("groupby", "|groupby"),
    paid("indent", "|indent"),
    paid("int", "|int"),
    paid("items", "|items"),
    paid("join", "|join"),
    paid("last", "|last"),
    cheap("length", "|length"),
    paid("lines", "|lines"),
    paid("list", "|list"),
    paid("lower", "|lower"),
    paid("map", "|map"),
    paid("max", "|max"),
    paid("min", "|min"),
    paid("reject", "|reject"),
    paid("rejectattr", "|rejectattr"),
    paid("replace", "|replace"),
    paid("reverse", "|reverse"),
    paid("round", "|round"),
    paid("safe", "|safe"),
    paid("select", "|select"),
    paid("selectattr", "|selectattr"),
    paid("sort", "|sort"),
    paid("split", "|split"),
    paid("string", "|string"),
    paid("sum", "|sum"),
    paid("title", "|title"),
    paid("tojson", "|tojson"),
    paid("trim", "|trim"),
    paid("unique", "|unique"),
    paid("upper", "|upper"),
    paid("urlencode", "|urlencode"),
];

pub(super) fn add(env: &mut Environment<'static>) {
    for name in ["batch", "chain", "pprint", "slice", "zip"] {
        env.remove_filter(name);
    }
    env.add_filter("date", date);
    env.add_filter("string", |value: &Value| {
        format::text(value).map(std::borrow::Cow::into_owned)
    });
    env.add_filter("tojson", |value: &Value| {
        format::json(value).map(Value::from_safe_string)
    });
    for filter in FILTERS {
        env.add_function(
            filter.call,
            move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
                let arguments = arguments.into_values();
                let paid = if filter.cheap {
                    &arguments[arguments.len().min(1)..]
                } else {
                    &arguments[..]
                };
                for argument in paid {
                    meter::pay(state, argument)?;
                }
                state.apply_filter(filter.name, &arguments)
            },
        );
    }
}

/// `date(format, zone)`: a time as RFC 3339 or a date, in the words of strftime.
fn date(value: &str, pattern: &str, zone: Option<&str>) -> Result<String, Error> {
    let wrong = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    if pattern.len() > DATE_FORMAT {
        return Err(wrong(format!(
            "the format of a date has at most {DATE_FORMAT} bytes"
        )));
    }
    let zone = match zone {
        Some(name) => TimeZone::get(name).map_err(|_| wrong(format!("there is no time zone `{name}`")))?,
        None => TimeZone::UTC,
    };
    let time = match value.parse::<Timestamp>() {
        Ok(timestamp) => timestamp.to_zoned(zone),
        Err(_) => value
            .parse::<DateTime>()
            .and_then(|date| date.to_zoned(zone))
            .map_err(|_| {
                wrong(format!(
                    "`{}` is no time of RFC 3339 and no date",
                    &value[..value.floor_char_boundary(40)]
                ))
            })?,
    };
    // A width in the pattern would make a text of any length.
    if pattern
        .split('%')
        .skip(1)
        .any(|part| part.starts_with(|sign: char| sign.is_ascii_digit() && sign != '0'))
    {
        return Err(wrong("the format of a date takes no width".to_owned()));
    }
    strtime::format(pattern, &time).map_err(|error| wrong(error.to_string()))
}
