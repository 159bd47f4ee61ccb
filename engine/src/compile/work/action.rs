//! `uses`: the action exists, and what is known of `with` fits its schema.

use flowpilot_crds::workflow::Step;
use serde_json::{Map, Value};

use super::Field;
use crate::action::{self, Effect};
use crate::compile::names::{listed, nearest_of};
use crate::compile::place::{Place, Spot, View};
use crate::compile::reads::Names;
use crate::compile::{Context, Problems, Support, shapes, templates, values};
use crate::plan::{PlanAction, Work};
use crate::template::With;

/// Families of built-in actions: an unknown one of them will never exist.
const BUILT_IN: [&str; 2] = ["core/", "ai/"];

/// What an action declares; nothing if nobody declares it, which is reported.
pub(in crate::compile) fn declared<'a>(
    uses: &str,
    path: &str,
    context: &'a Context,
    problems: &mut Problems,
) -> Option<&'a PlanAction> {
    if let Some(action) = context.actions.get(uses) {
        return Some(action);
    }
    if let Some(action) = action::find(uses) {
        if context.support != Support::Everything && !action.is_performed {
            let message = format!("{uses} is not supported yet: no runner performs it");
            problems.error("NotSupportedYet", path, message);
        }
        return action::declaration(uses);
    }
    // What no runner performs helps nobody; a test can have it.
    let all = context.support == Support::Everything;
    let of = move |all: bool| {
        let built_in = action::built_in()
            .iter()
            .filter(move |action| all || action.is_performed);
        let declared = context.actions.keys().map(String::as_str);
        built_in.map(|action| action.name).chain(declared)
    };
    let name = |action: &str| action.split('@').next().unwrap_or_default().to_owned();
    let of_that_name = of(all).filter(|known| name(known) == name(uses)).max();
    let like = of_that_name
        .map(str::to_owned)
        .or_else(|| nearest_of(uses, of(all)));
    let there = || listed(uses, of(false), "there are", "");
    let message = match of_that_name {
        Some(known) if uses.contains('@') => format!("there is no action {uses}: its version is {known}"),
        Some(known) => format!("an action is named with its version: {known}"),
        None if !is_name(uses) => {
            format!(
                "`{uses}` is no name of an action, such as <connector>/<action>@<version>: {}",
                there()
            )
        }
        None => format!("there is no action {uses}: {}", there()),
    };
    let is_family = BUILT_IN.iter().any(|family| uses.starts_with(family));
    if is_family || !is_name(uses) {
        problems.suggesting("UnknownAction", path, message, like);
    } else {
        problems.unresolved("UnknownAction", path, message, like);
    }
    None
}

/// `<connector>/<action>@<major>`.
fn is_name(uses: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
    };
    uses.split_once('/').is_some_and(|(family, rest)| {
        rest.split_once('@').is_some_and(|(name, major)| {
            let number = !major.is_empty() && major.bytes().all(|letter| letter.is_ascii_digit());
            word(family) && word(name) && number
        })
    })
}

pub(super) fn compile(step: &Step, field: Field, names: &Names<'_>, problems: &mut Problems) -> Option<Work> {
    let uses = step.uses.as_ref()?;
    let declared = names.actions[field.step];
    let call = Call {
        uses,
        with: &step.with,
        connection: step.connection.as_deref(),
        declared,
    };
    let with = call.with(field, "", View::Step(field.step), names, problems);
    Some(Work::Uses {
        action: uses.clone(),
        connection: step.connection.clone(),
        with: with?,
        effect: effect(uses, declared, &step.with),
        idempotency_key: declared.is_some_and(|action| action.idempotency_key),
    })
}

/// What a call does to the world; one that nobody declares only reads.
pub(in crate::compile) fn effect(
    uses: &str,
    declared: Option<&PlanAction>,
    with: &Map<String, Value>,
) -> Effect {
    declared.map_or(Effect::Read, |declared| {
        action::effect_of(uses, declared.effect, with)
    })
}

/// A call of an action, in a step or in its undo.
pub(in crate::compile) struct Call<'a> {
    pub(in crate::compile) uses: &'a str,
    pub(in crate::compile) with: &'a Map<String, Value>,
    pub(in crate::compile) connection: Option<&'a str>,
    pub(in crate::compile) declared: Option<&'a PlanAction>,
}

impl Call<'_> {
    /// Checks everything that is written beside `uses`. `prefix` is empty, or `undo.`.
    pub(in crate::compile) fn with(
        &self,
        field: Field,
        prefix: &str,
        view: View,
        names: &Names<'_>,
        problems: &mut Problems,
    ) -> Option<With> {
        if let Some(connection) = self.connection {
            check_connection(
                connection,
                &field.path(&format!("{prefix}connection")),
                names,
                problems,
            );
        }
        let name = format!("{prefix}with");
        let path = field.path(&name);
        let source = Value::Object(self.with.clone());
        let targets = self
            .declared
            .map(|declared| templates::targets(&declared.templates))
            .unwrap_or_default();
        let with = values::with(&source, &targets, names, Place { view, path: &path }, problems);
        if let Some(declared) = self.declared {
            self.check_shape(declared, &source, &path, problems);
        }
        if self.uses == "core/table@1" {
            table(self.with, &path, problems);
        }
        with
    }

    fn check_shape(&self, declared: &PlanAction, with: &Value, path: &str, problems: &mut Problems) {
        let built_in = action::find(self.uses);
        let built_in = built_in
            .filter(|_| action::declaration(self.uses).is_some_and(|own| std::ptr::eq(own, declared)));
        match built_in.and_then(action::input_validator) {
            Some(validator) => shapes::check_with(validator, &declared.input, with, path, problems),
            None => shapes::check(&declared.input, with, path, problems),
        }
    }
}

fn check_connection(connection: &str, path: &str, names: &Names<'_>, problems: &mut Problems) {
    if connection.contains("$(") {
        let message = "a connection is literal: it must be known before the workflow runs";
        return problems.error("NotLiteral", path, message);
    }
    if let Some(known) = &names.context.connections
        && !known.contains(connection)
    {
        let known = || known.iter().map(String::as_str);
        let there = listed(connection, known(), "there are", "there are none");
        let message = format!("there is no connection {connection}: {there}");
        problems.unresolved(
            "UnknownConnection",
            path,
            message,
            nearest_of(connection, known()),
        );
    }
}

/// Expressions over rows, which the action evaluates itself.
fn table(with: &Map<String, Value>, path: &str, problems: &mut Problems) {
    if let Some(Value::String(filter)) = with.get("filter") {
        column(filter, &["row"], &format!("{path}.filter"), problems);
    }
    for (name, roots) in [
        ("select", ["row"].as_slice()),
        ("aggregate", ["rows", "key"].as_slice()),
    ] {
        for (column_name, text) in with.get(name).and_then(Value::as_object).into_iter().flatten() {
            if let Value::String(text) = text {
                column(text, roots, &format!("{path}.{name}.{column_name}"), problems);
            }
        }
    }
}

fn column(text: &str, roots: &[&str], path: &str, problems: &mut Problems) {
    let Some(program) = values::bare(text, path, problems) else {
        return;
    };
    for read in program.reads() {
        if let Some(root) = read.path.first()
            && !roots.contains(&root.as_str())
        {
            let message = format!("{root} cannot be read here: there is {}", roots.join(" and "));
            problems.suggesting(
                "UnknownName",
                Spot::new(path, read.offset),
                message,
                nearest_of(root, roots.iter().copied()),
            );
        }
    }
}
