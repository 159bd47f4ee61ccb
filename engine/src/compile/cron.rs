//! Times of a schedule as cron writes them: five fields, or six with seconds in front.

/// One field: its name, its range, and names for its numbers.
struct Part {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

const PARTS: [Part; 6] = [
    part("second", 0, 59, &[]),
    part("minute", 0, 59, &[]),
    part("hour", 0, 23, &[]),
    part("day of the month", 1, 31, &[]),
    part("month", 1, 12, &MONTHS),
    // 0 and 7 are Sunday.
    part("day of the week", 0, 7, &DAYS),
];
const fn part(name: &'static str, least: u32, most: u32, words: &'static [&'static str]) -> Part {
    Part {
        name,
        least,
        most,
        words,
    }
}

/// Whether the text is a schedule, and if not, why.
pub(super) fn check(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let parts = match fields.len() {
        5 => &PARTS[1..],
        6 => &PARTS[..],
        count => {
            return Err(format!(
                "`{text}` has {count} fields: a schedule has five (minute, hour, day of the month, month, day of the \
                 week), or six with seconds in front"
            ));
        }
    };
    for (field, part) in fields.iter().zip(parts) {
        for item in field.split(',') {
            check_item(item, part).map_err(|why| format!("the {} `{field}` {why}", part.name))?;
        }
    }
    let (days, months) = (fields[fields.len() - 3], fields[fields.len() - 2]);
    let weekdays = fields[fields.len() - 1];
    if ["*", "?"].contains(&weekdays) && never_comes(days, months) {
        return Err(format!("day {days} of month {months} never comes"));
    }
    Ok(())
}

fn check_item(item: &str, part: &Part) -> Result<(), String> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    if let Some(step) = step {
        match step.parse::<u32>() {
            Ok(step) if step >= 1 && step <= part.most.max(1) => {}
            _ => {
                return Err(format!(
                    "has the step `{step}`: write a number from 1 to {}",
                    part.most
                ));
            }
        }
    }
    if range == "*" || (range == "?" && part.name.starts_with("day") && step.is_none()) {
        return Ok(());
    }
    match range.split_once('-') {
        None => number(range, part).map(|_| ()),
        Some((from, to)) => {
            let (first, last) = (number(from, part)?, number(to, part)?);
            if first > last {
                return Err(format!("has the range {range}, which runs backwards"));
            }
            Ok(())
        }
    }
}

fn number(text: &str, part: &Part) -> Result<u32, String> {
    let upper = text.to_ascii_uppercase();
    if let Some(position) = part.words.iter().position(|word| *word == upper) {
        let from = usize::from(part.name == "month");
        return u32::try_from(position + from).map_err(|error| error.to_string());
    }
    let digits = !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number) if digits && (part.least..=part.most).contains(&number) => Ok(number),
        _ => Err(format!(
            "has `{text}`: write numbers from {} to {}, `*`, ranges such as 1-5 and steps such as */15",
            part.least, part.most
        )),
    }
}

/// A literal day that a literal month does not have.
fn never_comes(days: &str, months: &str) -> bool {
    let (Ok(day), Ok(month)) = (days.parse::<u32>(), months.parse::<u32>()) else {
        return false;
    };
    match month {
        2 => day > 29,
        4 | 6 | 9 | 11 => day > 30,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_have_five_or_six_fields_of_numbers_names_ranges_and_steps() {
        for good in [
            "* * * * *",
            "0 2 * * 1-5",
            "*/15 8-18 1,15 jan-MAR mon,FRI",
            "30 0 2 * * *",
            "0 0 ? * 7",
            "0 0 29 2 *",
            "5/10 * * * *",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "* * * *",
            "* * * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1,,2 * * * *",
            "-1 * * * *",
            "+1 * * * *",
            "0 0 30 2 *",
            "every day at noon",
            "@daily",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
