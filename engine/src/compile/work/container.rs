//! `container`: an image and what it is given. Only the environment may hold `$( … )`.

use flowpilot_crds::workflow::Container;
use serde_json::{Map, Value};

use super::Field;
use crate::compile::Problems;
use crate::compile::reads::Names;
use crate::plan::{ContainerWork, Work};

pub(super) fn compile(
    container: &Container,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Work> {
    if container.image.trim().is_empty() || container.image.contains(char::is_whitespace) {
        let message = "an image is named as a registry does, such as alpine:3.22";
        problems.error("InvalidValue", field.path("container.image"), message);
    } else if container.image.contains("$(") {
        let message = "the image is literal: what runs must be known before it does";
        problems.error("NotLiteral", field.path("container.image"), message);
    }
    for name in container.env.keys() {
        let starts = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if !starts || !name.bytes().all(is_part) {
            let message = format!("`{name}` is no name of a variable: use letters, digits, _, - and .");
            let path = field.path(&format!("container.env.{name}"));
            problems.error("InvalidIdentifier", path, message);
        }
    }
    let env: Map<String, Value> = container
        .env
        .iter()
        .map(|(name, text)| (name.clone(), Value::String(text.clone())))
        .collect();
    let json = |value: Result<Value, serde_json::Error>| value.unwrap_or(Value::Null);
    Some(Work::Container(ContainerWork {
        image: container.image.clone(),
        command: container.command.clone(),
        args: container.args.clone(),
        env: field.map(&env, "container.env", names, problems)?,
        resources: json(serde_json::to_value(&container.resources)),
        files: json(serde_json::to_value(&container.files)),
    }))
}

/// As Kubernetes has it.
fn is_part(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-' | b'.')
}
