//! Texts: cel-go's `strings` extension. Positions count characters (code points), never bytes.

use super::super::{
    error::{Fault, Outcome},
    evaluate::Context,
};
use super::{Function, Value, count, global, int, length, list, method, text};

pub(super) const FUNCTIONS: &[Function] = &[
    method("lowerAscii", 0, 0, |context, values| {
        changed(context, "lowerAscii", &values[0], str::to_ascii_lowercase)
    }),
    method("upperAscii", 0, 0, |context, values| {
        changed(context, "upperAscii", &values[0], str::to_ascii_uppercase)
    }),
    method("trim", 0, 0, |context, values| {
        changed(context, "trim", &values[0], |text| text.trim().to_owned())
    }),
    global("strings.quote", 1, 1, quote),
    method("charAt", 1, 1, char_at),
    method("substring", 1, 2, substring),
    method("replace", 2, 3, replace),
    method("split", 1, 2, split),
    method("join", 0, 1, join),
];

fn changed(
    context: &mut Context<'_>,
    name: &str,
    value: &Value,
    change: fn(&str) -> String,
) -> Outcome<Value> {
    let text = text(name, value)?;
    context.budget.allocate(text.len())?;
    Ok(Value::from(change(text)))
}

/// A text between double quotes, with escapes for what cannot be seen: as it would be written in an expression.
fn quote(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let text = text("strings.quote", &values[0])?;
    context.budget.allocate(text.len().saturating_mul(2))?;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        let escape = match letter {
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            '\\' => "\\\\",
            '"' => "\\\"",
            other => {
                out.push(other);
                continue;
            }
        };
        out.push_str(escape);
    }
    out.push('"');
    Ok(Value::from(out))
}

/// The byte at which a character begins; the end of the text counts as one.
fn byte_at(text: &str, position: usize) -> Option<usize> {
    text.char_indices()
        .map(|(at, _)| at)
        .chain(std::iter::once(text.len()))
        .nth(position)
}

fn char_at(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let (text, position) = (text("charAt", &values[0])?, count("charAt", &values[1])?);
    context.budget.scan(text.len())?;
    let at = byte_at(text, position).ok_or_else(|| outside("charAt", position))?;
    Ok(Value::from(
        text[at..].chars().next().map(String::from).unwrap_or_default(),
    ))
}

fn substring(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let text = text("substring", &values[0])?;
    context.budget.scan(text.len())?;
    let start = count("substring", &values[1])?;
    let from = byte_at(text, start).ok_or_else(|| outside("substring", start))?;
    let to = match values.get(2) {
        None => text.len(),
        Some(end) => {
            let end = count("substring", end)?;
            byte_at(text, end).ok_or_else(|| outside("substring", end))?
        }
    };
    let part = text
        .get(from..to)
        .ok_or_else(|| Fault::new("substring ends before it starts"))?;
    context.budget.allocate(part.len())?;
    Ok(Value::from(part))
}

fn outside(name: &str, position: usize) -> Fault {
    Fault::new(format!("{name}: the text has no position {position}"))
}

/// The position of a text in a text, searched from (or back from) a position.
pub(super) fn index_of(
    context: &mut Context<'_>,
    name: &str,
    subject: &str,
    rest: &[Value],
    last: bool,
) -> Outcome<Value> {
    let [wanted, from @ ..] = rest else {
        return Ok(Value::Int(-1));
    };
    let wanted = text(name, wanted)?;
    context.budget.scan(subject.len() + wanted.len())?;
    let from = match from.first() {
        None => None,
        Some(from) => {
            let position = count(name, from)?;
            match byte_at(subject, position) {
                Some(at) if at < subject.len() || wanted.is_empty() => Some(at),
                // Behind the end only nothing can be found, and that at the end.
                _ if wanted.is_empty() => return Ok(length(subject.chars().count())),
                _ => return Ok(Value::Int(-1)),
            }
        }
    };
    let found = match (last, from) {
        (false, from) => {
            let from = from.unwrap_or(0);
            subject[from..].find(wanted).map(|at| at + from)
        }
        (true, None) => subject.rfind(wanted),
        (true, Some(from)) => {
            // A match may begin at `from` at the latest, and ends where a character does.
            let mut end = (from + wanted.len()).min(subject.len());
            while !subject.is_char_boundary(end) {
                end -= 1;
            }
            subject[..end].rfind(wanted)
        }
    };
    Ok(found.map_or(Value::Int(-1), |at| length(subject[..at].chars().count())))
}

/// How many replacements or parts: a negative number means all.
fn limit(name: &str, value: Option<&Value>) -> Outcome<usize> {
    value.map_or(Ok(usize::MAX), |value| {
        Ok(usize::try_from(int(name, value)?).unwrap_or(usize::MAX))
    })
}

fn replace(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let subject = text("replace", &values[0])?;
    let (old, new) = (text("replace", &values[1])?, text("replace", &values[2])?);
    let most = limit("replace", values.get(3))?;
    context.budget.scan(subject.len() + old.len())?;
    let matches = subject.matches(old).take(most).count();
    context
        .budget
        .allocate(matches.saturating_mul(new.len()).saturating_add(subject.len()))?;
    Ok(Value::from(subject.replacen(old, new, most)))
}

fn split(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let (subject, separator) = (text("split", &values[0])?, text("split", &values[1])?);
    let most = limit("split", values.get(2))?;
    context.budget.scan(subject.len() + separator.len())?;
    if most == 0 {
        return Ok(Value::from(Vec::new()));
    }
    let mut parts = Vec::new();
    let mut push = |part: &str| -> Outcome<()> {
        context.budget.allocate_entries(1)?;
        context.budget.allocate(part.len() + 16)?;
        parts.push(Value::from(part));
        Ok(())
    };
    if separator.is_empty() {
        // Between nothing and nothing lies each character.
        let mut rest = subject;
        for index in 1.. {
            let Some(first) = rest.chars().next() else { break };
            if index == most {
                push(rest)?;
                break;
            }
            let (head, tail) = rest.split_at(first.len_utf8());
            push(head)?;
            rest = tail;
        }
    } else {
        for part in subject.splitn(most, separator) {
            push(part)?;
        }
    }
    Ok(Value::from(parts))
}

fn join(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let items = list("join", &values[0])?;
    let separator = values
        .get(1)
        .map_or(Ok(""), |separator| text("join", separator))?;
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        let item = text("join", item)?;
        context.budget.step(1)?;
        context.budget.allocate(item.len() + separator.len())?;
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(item);
    }
    Ok(Value::from(out))
}
