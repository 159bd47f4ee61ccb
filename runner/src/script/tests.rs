mod language;
mod limits;

use super::*;
use serde_json::json;

fn job(source: &str, input: Value) -> Job {
    Job {
        source: source.to_owned(),
        input,
        now: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        seed: 7,
    }
}

fn output(source: &str, input: Value) -> Result<Output, ScriptError> {
    run(&job(source, input), &Limits::default(), || false)
}

fn value(source: &str, input: Value) -> Value {
    output(source, input)
        .unwrap_or_else(|error| panic!("{source}: {error:?}"))
        .value
}

fn error(source: &str) -> ScriptError {
    match output(source, json!({})) {
        Ok(output) => panic!("{source} gives {output:?}"),
        Err(error) => error,
    }
}
