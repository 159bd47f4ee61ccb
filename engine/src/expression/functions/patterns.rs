//! Regular expressions: linear time, bounded size. Literal patterns are compiled while parsing.

use super::super::{
    Budget,
    error::{Fault, Outcome, excerpt},
    evaluate::Context,
};
use super::{Function, Value, global, method, text};
use regex::{Regex, RegexBuilder};

/// The memory of one compiled pattern. `\w` knows all alphabets and takes about 40 KiB, so that `\w{1,64}` just fits.
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
    global("matches", 2, 2, computed),
    method("matches", 1, 1, computed),
];

/// Compiles a pattern; the error is for people.
pub(in super::super) fn compile(source: &str) -> Result<Regex, String> {
    compile_within(source, PATTERN_BYTES)
}

fn compile_within(source: &str, bytes: usize) -> Result<Regex, String> {
    RegexBuilder::new(source)
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
        })
}

/// `matches` with a compiled pattern.
pub(in super::super) fn matches(target: &Value, pattern: &Regex, budget: &mut Budget) -> Outcome<Value> {
    let target = text("matches", target)?;
    // A step per byte in the worst case, where no automaton fits and every state is walked.
    budget.step(target.len() / 16 * (1 + pattern.as_str().len() / 16) + 1)?;
    Ok(Value::Bool(pattern.is_match(target)))
}

/// `matches` with a pattern that is only known now: compiling it is the expensive part.
fn computed(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let source = text("matches", &values[1])?;
    if source.len() > PATTERN_LENGTH {
        return Err(Fault::limit(format!(
            "a computed pattern has at most {PATTERN_LENGTH} bytes"
        )));
    }
    context.budget.step(COMPUTED_STEPS)?;
    context.budget.allocate(COMPUTED_BYTES / 8)?;
    let pattern = compile_within(source, COMPUTED_BYTES).map_err(Fault::new)?;
    matches(&values[0], &pattern, context.budget)
}
