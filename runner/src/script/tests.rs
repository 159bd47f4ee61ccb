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

/// The examples of the documentation.
#[test]
fn the_examples_hold() {
    let text = include_str!("../../../docs/scripts.md");
    let mut blocks = text.split("\n```").skip(1).step_by(2);
    let mut count = 0;
    while let Some(block) = blocks.next() {
        let Some(source) = block.strip_prefix("js\n") else {
            continue;
        };
        let expected = blocks
            .next()
            .and_then(|block| block.strip_prefix("json\n"))
            .unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        match output(source, expected["input"].clone()) {
            Ok(output) => assert_eq!(output.value, expected["output"], "{source}"),
            Err(error) => {
                let error = serde_json::to_value(&error).unwrap();
                for (name, value) in expected["error"].as_object().unwrap() {
                    assert_eq!(&error[name], value, "{source}");
                }
            }
        }
        count += 1;
    }
    assert_eq!(count, 5);
}
