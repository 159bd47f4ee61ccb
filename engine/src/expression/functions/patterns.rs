//! Regular expressions: linear time, bounded size, the syntax of RE2. Literal patterns are compiled while parsing.

mod dialect;
mod replacement;

use super::super::{
    Budget,
    error::{Fault, Outcome, excerpt},
    evaluate::Context,
};
use super::{Function, Value, global, int, method, text};
use regex::{Regex, RegexBuilder};

/// The memory of one compiled pattern.
const PATTERN_BYTES: usize = 4 * 1024 * 1024;
/// The same for a pattern that is computed at run time, where compiling it (a millisecond or two) counts.
const COMPUTED_BYTES: usize = 256 * 1024;
/// The steps that compiling a computed pattern takes from the budget.
const COMPUTED_STEPS: usize = 20_000;
/// How deep groups may nest in a pattern.
const PATTERN_NESTING: u32 = 32;
/// The longest pattern that may be computed at run time.
const PATTERN_LENGTH: usize = 1024;

pub(super) const FUNCTIONS: &[Function] = &[
    global("matches", 2, 2, |context, values| {
        computed(context, values, "matches", matches)
    }),
    method("matches", 1, 1, |context, values| {
        computed(context, values, "matches", matches)
    }),
    global("regex.extract", 2, 2, |context, values| {
        computed(context, values, "regex.extract", extract)
    }),
    global("regex.extractAll", 2, 2, |context, values| {
        computed(context, values, "regex.extractAll", extract_all)
    }),
    global("regex.replace", 3, 4, |context, values| {
        computed(context, values, "regex.replace", replace)
    }),
];

/// A function on a compiled pattern. Its values are the arguments without the pattern.
pub(in super::super) type Apply = fn(&mut Context<'_>, &Regex, &[Value]) -> Outcome<Value>;

/// What the function of this name does once its pattern, the second argument, is compiled.
pub(in super::super) fn prepared(name: &str) -> Option<Apply> {
    Some(match name {
        "matches" => matches,
        "regex.extract" => extract,
        "regex.extractAll" => extract_all,
        "regex.replace" => replace,
        _ => return None,
    })
}

/// Compiles a pattern that stands in the source; the error is for people.
pub(in super::super) fn compile(function: &str, source: &str) -> Result<Regex, String> {
    compile_within(function, source, PATTERN_BYTES)
}

fn compile_within(function: &str, source: &str, bytes: usize) -> Result<Regex, String> {
    let pattern = RegexBuilder::new(&dialect::translated(source))
        .size_limit(bytes)
        .dfa_size_limit(bytes)
        .nest_limit(PATTERN_NESTING)
        .build()
        .map_err(|error| {
            // The crate draws the place over several lines; its last line says what is wrong.
            let text = error.to_string();
            let reason = text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            format!("invalid pattern {}: {reason}", excerpt(source))
        })?;
    let groups = pattern.captures_len() - 1;
    if function.starts_with("regex.extract") && groups > 1 {
        return Err(format!(
            "{function} takes a pattern with one group at most, but {} has {groups}: write (?:…) for a group that is not wanted",
            excerpt(source)
        ));
    }
    Ok(pattern)
}

/// A pattern that is only known now: compiling it is the expensive part.
fn computed(context: &mut Context<'_>, values: &[Value], name: &str, apply: Apply) -> Outcome<Value> {
    let source = text(name, &values[1])?;
    if source.len() > PATTERN_LENGTH {
        return Err(Fault::limit(format!(
            "a computed pattern has at most {PATTERN_LENGTH} bytes"
        )));
    }
    context.budget.step(COMPUTED_STEPS)?;
    context.budget.allocate(COMPUTED_BYTES / 8)?;
    let pattern = compile_within(name, source, COMPUTED_BYTES).map_err(Fault::new)?;
    match values {
        [target, _] => apply(context, &pattern, std::slice::from_ref(target)),
        [target, _, rest @ ..] => {
            let mut without = vec![target.clone()];
            without.extend_from_slice(rest);
            apply(context, &pattern, &without)
        }
        _ => Err(Fault::new(format!("{name} takes a text and a pattern"))),
    }
}

/// A step per byte in the worst case, where no automaton fits and every state is walked.
fn charge(budget: &mut Budget, target: &str, pattern: &Regex) -> Outcome<()> {
    budget.step(target.len() / 16 * (1 + pattern.as_str().len() / 16) + 1)
}

fn matches(context: &mut Context<'_>, pattern: &Regex, values: &[Value]) -> Outcome<Value> {
    let target = text("matches", &values[0])?;
    charge(context.budget, target, pattern)?;
    Ok(Value::Bool(pattern.is_match(target)))
}

/// The first match, or what its group caught; an empty group is nothing.
fn extract(context: &mut Context<'_>, pattern: &Regex, values: &[Value]) -> Outcome<Value> {
    let target = text("regex.extract", &values[0])?;
    charge(context.budget, target, pattern)?;
    let found = if pattern.captures_len() > 1 {
        let group = pattern.captures(target).and_then(|captures| captures.get(1));
        group.map(|group| group.as_str()).filter(|part| !part.is_empty())
    } else {
        pattern.find(target).map(|found| found.as_str())
    };
    context.budget.allocate(found.map_or(0, str::len))?;
    Ok(found.map_or(Value::Optional(None), |part| Value::some(Value::from(part))))
}

/// All matches, or what the group caught in each of them, where that is not empty.
fn extract_all(context: &mut Context<'_>, pattern: &Regex, values: &[Value]) -> Outcome<Value> {
    let target = text("regex.extractAll", &values[0])?;
    let mut parts = Vec::new();
    let grouped = pattern.captures_len() > 1;
    // A search ends where its match does, or looks at the whole rest of the text.
    charge(context.budget, target, pattern)?;
    for captures in pattern.captures_iter(target) {
        let Some(part) = captures.get(usize::from(grouped)).map(|part| part.as_str()) else {
            continue;
        };
        if grouped && part.is_empty() {
            continue;
        }
        context.budget.step(4)?;
        context.budget.allocate_entries(1)?;
        context.budget.allocate(part.len() + 16)?;
        parts.push(Value::from(part));
    }
    Ok(Value::from(parts))
}

/// The text with matches replaced, all or the first few. `\1` stands for what a group caught, `\0` for the match.
fn replace(context: &mut Context<'_>, pattern: &Regex, values: &[Value]) -> Outcome<Value> {
    let target = text("regex.replace", &values[0])?;
    let replacement = text("regex.replace", &values[1])?;
    let most = values.get(2).map_or(Ok(-1), |most| int("regex.replace", most))?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    charge(context.budget, target, pattern)?;
    let mut out = String::new();
    let mut position = 0;
    for captures in pattern.captures_iter(target).take(most) {
        let Some(whole) = captures.get(0) else { continue };
        context.budget.allocate(whole.start() - position + 16)?;
        out.push_str(&target[position..whole.start()]);
        replacement::write(replacement, &captures, &mut out, context.budget)?;
        position = whole.end();
    }
    context.budget.allocate(target.len() - position)?;
    out.push_str(&target[position..]);
    Ok(Value::from(out))
}
