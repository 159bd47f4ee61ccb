//! `flowpilot eval`: one expression on given data, with what it cost.

use std::path::PathBuf;
use std::process::ExitCode;

use flowpilot_engine::expression::{
    Budget, EvaluationError, ParseError, Program, Scope, Text, Value, Variables,
};
use jiff::Timestamp;
use rand::Rng;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{Format, output, values};

/// How deep a name of `--set` may go.
const DEPTH: usize = 32;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowpilot eval '1 + 2 * 3'
  flowpilot eval 'inputs.items.map(i, i.price).sum()' --data data.yaml
  flowpilot eval 'Refund $(steps.read.output.amount)?' --set steps.read.output.amount=120
  curl -s https://api.example.org/orders | flowpilot eval 'size(orders)' --data - -o json

An expression costs steps and bytes, and fails when its budget is used up: the same in a run.
Exit status: 0 it has a value, 1 it has none, 2 the command line is wrong.")]
pub(crate) struct Arguments {
    /// A CEL expression, bare or in `$( … )`; or a text with such expressions in it
    expression: String,
    /// A JSON or YAML file with a map of what the expression sees, such as `inputs`; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// A name as name=value, such as inputs.n=3; the value is JSON, or text if it is none. Wins over --data
    #[arg(short, long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// An expression, as it stands in a manifest.
enum Expression {
    /// Of `when`, `match` and their like.
    Bare(Program),
    /// Of all other fields.
    Text(Text),
}

/// A value and its cost.
struct Outcome {
    /// Nothing if it is an empty optional.
    value: Option<Value>,
    left: Budget,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let scope = Surroundings::new(data(arguments)?);
    let expression = match parse(&arguments.expression) {
        Ok(expression) => expression,
        Err(error) => {
            return Ok(failed(
                "SyntaxError",
                &error.to_string(),
                &arguments.expression,
                error.offset,
            ));
        }
    };
    let outcome = match evaluate(&expression, &scope) {
        Ok(outcome) => outcome,
        Err(error) => {
            return Ok(failed(
                error.code,
                &error.message,
                &error.expression,
                error.offset,
            ));
        }
    };
    let json = match outcome.value.as_ref().map(Value::to_json).transpose() {
        Ok(json) => json,
        Err(error) => {
            return Ok(failed(
                "ExpressionError",
                &error.to_string(),
                &arguments.expression,
                0,
            ));
        }
    };
    show(&outcome, json, arguments.output)?;
    Ok(ExitCode::SUCCESS)
}

fn parse(source: &str) -> Result<Expression, ParseError> {
    if source.contains("$(") {
        Text::parse(source).map(Expression::Text)
    } else {
        Program::parse(source).map(Expression::Bare)
    }
}

fn evaluate(expression: &Expression, scope: &dyn Scope) -> Result<Outcome, EvaluationError> {
    let mut left = Budget::default();
    let value = match expression {
        Expression::Text(text) => text.evaluate(scope, &mut left)?,
        Expression::Bare(program) => match program.evaluate(scope, &mut left)? {
            Value::Optional(inner) => inner.as_deref().cloned(),
            value => Some(value),
        },
    };
    Ok(Outcome { value, left })
}

fn show(outcome: &Outcome, json: Option<Json>, format: Format) -> anyhow::Result<()> {
    let whole = Budget::default();
    let (steps, bytes) = (whole.steps - outcome.left.steps, whole.bytes - outcome.left.bytes);
    let kind = outcome
        .value
        .as_ref()
        .map_or_else(|| "absent".to_owned(), |value| value.kind().to_string());
    if format != Format::Table {
        let cost = json!({"steps": steps, "ofSteps": whole.steps, "bytes": bytes, "ofBytes": whole.bytes});
        let mut document = Map::new();
        document.extend(json.map(|json| ("value".to_owned(), json)));
        document.insert("type".to_owned(), json!(kind));
        document.insert("cost".to_owned(), cost);
        return output::document(&document, format);
    }
    match json {
        None => output::note("nothing: the value is an empty optional, and a field with it is left out"),
        Some(Json::String(text)) => output::line(&text),
        Some(value @ (Json::Array(_) | Json::Object(_))) => output::document(&value, Format::Json)?,
        Some(value) => output::line(&value.to_string()),
    }
    output::note(&format!("type: {kind}"));
    output::note(&format!(
        "cost: {steps} of {} steps, {bytes} of {} bytes",
        whole.steps, whole.bytes
    ));
    Ok(())
}

/// Says what is wrong, with the line of the expression and a mark below the place.
fn failed(code: &str, message: &str, expression: &str, offset: usize) -> ExitCode {
    output::error(&format!("{code}: {message}"));
    for line in marked(expression, offset) {
        output::note(&line);
    }
    ExitCode::FAILURE
}

fn marked(expression: &str, offset: usize) -> [String; 2] {
    let offset = expression.floor_char_boundary(offset);
    let (before, after) = expression.split_at(offset);
    let begin = before.rsplit('\n').next().unwrap_or_default();
    let end = after.split('\n').next().unwrap_or_default();
    // A tab stays a tab, so that the mark stands below its place.
    let blank = begin
        .chars()
        .map(|letter| if letter == '\t' { '\t' } else { ' ' });
    [
        format!("  {begin}{end}"),
        format!("  {}^", blank.collect::<String>()),
    ]
}

fn data(arguments: &Arguments) -> anyhow::Result<Map<String, Json>> {
    let mut data = match &arguments.data {
        Some(file) => values::map(file, "what the expression sees")?,
        None => Map::new(),
    };
    for given in &arguments.set {
        let (name, value) = values::pair(given, "--set")?;
        let path: Vec<&str> = name.split('.').collect();
        anyhow::ensure!(
            path.len() <= DEPTH && path.iter().all(|part| !part.is_empty()),
            "--set {given}: write a name such as inputs.n, at most {DEPTH} deep"
        );
        put(&mut data, &path, value);
    }
    Ok(data)
}

/// Puts a value at a path. What stands in its way and is no map is replaced.
fn put(data: &mut Map<String, Json>, path: &[&str], value: Json) {
    match path {
        [] => {}
        [name] => {
            data.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => {
            let inner = data.entry(*name).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Json::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// What the expression sees: the data, and a clock and chance of this moment.
struct Surroundings {
    variables: Variables,
    now: Timestamp,
}

impl Surroundings {
    fn new(data: Map<String, Json>) -> Self {
        let mut variables = Variables::default();
        for (name, value) in data {
            variables.set_json(name, &value);
        }
        Self {
            variables,
            now: Timestamp::now(),
        }
    }
}

impl Scope for Surroundings {
    fn get(&self, root: &str) -> Option<Value> {
        self.variables.get(root)
    }

    fn borrow(&self, path: &[&str]) -> Option<(&Value, usize)> {
        self.variables.borrow(path)
    }

    fn now(&self) -> Option<Timestamp> {
        Some(self.now)
    }

    fn uuid(&self) -> Option<Uuid> {
        Some(Uuid::new_v4())
    }

    fn random(&self) -> Option<f64> {
        Some(rand::rng().random())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_below_the_place_in_its_line() {
        assert_eq!(marked("a + b", 4), ["  a + b", "      ^"]);
        assert_eq!(marked("ä +\n\tü.b", 8), ["  \tü.b", "  \t ^"]);
        assert_eq!(marked("a", 99), ["  a", "   ^"]);
    }

    #[test]
    fn a_name_goes_into_maps_and_replaces_what_is_none() {
        let mut data = Map::new();
        put(&mut data, &["inputs", "n"], json!(1));
        put(&mut data, &["inputs", "m"], json!(2));
        put(&mut data, &["steps"], json!(3));
        put(&mut data, &["steps", "a"], json!(4));
        assert_eq!(
            Json::Object(data),
            json!({"inputs": {"n": 1, "m": 2}, "steps": {"a": 4}})
        );
    }
}
