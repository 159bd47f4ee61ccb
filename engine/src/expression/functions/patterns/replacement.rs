//! The replacement of `regex.replace`: `\1` to `\9` for what a group caught, `\0` for the whole match, `\\` for a
//! backslash.

use super::super::super::{
    Budget,
    error::{Fault, Outcome, excerpt},
};
use regex::Captures;

/// Writes the replacement of one match.
pub(super) fn write(
    replacement: &str,
    captures: &Captures<'_>,
    out: &mut String,
    budget: &mut Budget,
) -> Outcome<()> {
    let mut push = |part: &str| {
        budget.allocate(part.len())?;
        out.push_str(part);
        Ok(())
    };
    let mut rest = replacement;
    while let Some(position) = rest.find('\\') {
        push(&rest[..position])?;
        let letter = rest[position + 1..].chars().next();
        match letter {
            Some('\\') => push("\\")?,
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit as usize - '0' as usize;
                if group >= captures.len() {
                    return Err(Fault::new(format!(
                        "the replacement {} asks for group {group}, but the pattern has {}",
                        excerpt(replacement),
                        captures.len() - 1
                    )));
                }
                push(captures.get(group).map_or("", |part| part.as_str()))?;
            }
            _ => {
                return Err(Fault::new(format!(
                    "in the replacement {} a digit or a backslash must follow the backslash",
                    excerpt(replacement)
                )));
            }
        }
        rest = &rest[position + 1 + letter.map_or(0, char::len_utf8)..];
    }
    push(rest)
}
