//! `approval`: who is asked, for how long, and what they fill in.

use flowpilot_crds::workflow::{Approval, FieldType, SelfApproval};
use serde_json::Value;

use super::Field;
use crate::compile::place::View;
use crate::compile::reads::Names;
use crate::compile::{Problems, identifiers, limits};
use crate::plan::{ApprovalWork, FormField, Work};

/// People who must approve.
const MOST_REQUIRED: u32 = 50;

pub(super) fn compile(
    approval: &Approval,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Work> {
    let title = field.optional_text(approval.title.as_deref(), "approval.title", names, problems);
    let description = field.optional_text(
        approval.description.as_deref(),
        "approval.description",
        names,
        problems,
    );
    let view = View::Step(field.step);
    let mut people = |texts: &[String], name: &str| {
        let list = Value::Array(texts.iter().cloned().map(Value::String).collect());
        field.seen_from(view, &list, name, names, problems)
    };
    let groups = people(&approval.groups, "approval.groups");
    let users = people(&approval.users, "approval.users");
    let required = limits::number(
        approval.required,
        1,
        MOST_REQUIRED,
        &field.path("approval.required"),
        problems,
    );
    let form = form(approval, field, problems);
    let timeout = match &approval.timeout {
        Some(text) => field
            .duration(text, "approval.timeout", view, names, problems)
            .map(Some),
        None => Some(None),
    };
    Some(Work::Approval(ApprovalWork {
        title: title?,
        description: description?,
        groups: groups?,
        users: users?,
        required,
        form,
        timeout: timeout?,
        self_approval: approval.self_approval != Some(SelfApproval::Deny),
    }))
}

fn form(approval: &Approval, field: Field, problems: &mut Problems) -> Vec<FormField> {
    let path = |index: usize| field.path(&format!("approval.form[{index}].name"));
    let fields = approval.form.iter();
    identifiers::list(
        "DuplicateName",
        fields.clone().map(|form| form.name.as_str()),
        path,
        problems,
    );
    fields
        .map(|form| FormField {
            name: form.name.clone(),
            type_: word(form.type_).to_owned(),
            title: form.title.clone(),
            required: form.required.unwrap_or(false),
            options: form.options.clone(),
        })
        .collect()
}

/// The word of JSON Schema.
pub(in crate::compile) fn word(type_: FieldType) -> &'static str {
    match type_ {
        FieldType::String => "string",
        FieldType::Number => "number",
        FieldType::Integer => "integer",
        FieldType::Boolean => "boolean",
    }
}
