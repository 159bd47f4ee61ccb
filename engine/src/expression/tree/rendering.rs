//! `{template: "…", data: {…}}` in a tree: a text that a template makes of computed data.

use super::{Branch, compute, gather, grow};
use crate::expression::{Budget, EvaluationError, ParseError, Scope, Text, suggest::nearest};
use crate::template::{Target, Targets, Template, TemplateError, is_template};
use serde_json::{Map, Value as Json};

/// A template, what its text is for, and its data.
pub(in crate::expression) struct Rendering {
    template: Template,
    target: Target,
    data: Branch,
}

/// The source, if a map stands for a text.
pub(super) fn template(fields: &Map<String, Json>) -> Option<&str> {
    is_template(fields)
        .then(|| fields.get("template")?.as_str())
        .flatten()
}

impl Rendering {
    pub(super) fn grow(
        source: &str,
        fields: &Map<String, Json>,
        path: &str,
        depth: usize,
        targets: &Targets,
    ) -> Result<Branch, (String, ParseError)> {
        let empty = Json::Object(Map::new());
        let data = fields.get("data").unwrap_or(&empty);
        let Json::Object(keys) = data else {
            let message = "the data of a template is a map: a name, and what it stands for";
            return Err((format!("{path}/data"), ParseError::new(message, 0)));
        };
        if let Some(key) = keys.keys().find(|key| !is_name(key)) {
            let message = format!("a template cannot read `{key}`: a name has letters, digits and `_`");
            return Err((
                format!("{path}/data/{}", super::escaped(key)),
                ParseError::new(message, 0),
            ));
        }
        let here = |error: ParseError| (format!("{path}/template"), error);
        let template = Template::parse(source).map_err(|error| here(parse_error(&error)))?;
        if let Some(name) = template.reads().iter().find(|name| !keys.contains_key(**name)) {
            let there: Vec<&str> = keys.keys().map(String::as_str).collect();
            let message = format!("the template reads `{name}`, and its data has {}", listed(&there));
            let error = ParseError::new(message, template.position(name).unwrap_or(0));
            return Err(here(error.suggesting(nearest(name, there.iter().copied()))));
        }
        // Templates do not nest: data is what they are given.
        let data = grow(data, &format!("{path}/data"), depth + 1, None)?;
        Ok(Branch::Rendering(Box::new(Self {
            target: targets.at(path),
            template,
            data,
        })))
    }

    pub(in crate::expression) fn data(&self) -> &Branch {
        &self.data
    }

    pub(super) fn gather<'a>(&'a self, path: &str, found: &mut Vec<(String, &'a Text)>) {
        gather(&self.data, &format!("{path}/data"), found);
    }

    pub(super) fn compute(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Json, EvaluationError> {
        let Json::Object(data) = compute(&self.data, scope, budget)? else {
            return Err(EvaluationError::plain(
                "the data of the template is no map",
                self.template.source(),
            ));
        };
        // A unit of a template's fuel is about a step of an expression.
        let text = self.template.render_within(&data, self.target, &mut budget.steps);
        text.map(Json::String)
            .map_err(|error| evaluation_error(&error, &self.template))
    }
}

fn is_name(key: &str) -> bool {
    key.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && key
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "no keys".to_owned();
    }
    format!("only `{}`", names.join("`, `"))
}

fn parse_error(error: &TemplateError) -> ParseError {
    let message = format!("{} (line {}, column {})", error.message, error.line, error.column);
    ParseError::new(message, error.offset)
}

fn evaluation_error(error: &TemplateError, template: &Template) -> EvaluationError {
    EvaluationError {
        code: if error.limit {
            "LimitExceeded"
        } else {
            "ExpressionError"
        },
        message: format!("template: {error}"),
        offset: error.offset,
        expression: template.source().to_owned(),
    }
}
