//! What a WorkflowTest document says, read strictly.

use std::collections::BTreeMap;

use flowpilot_crds::field_order::FieldOrder;
use flowpilot_engine::plan::PlanAction;
use flowpilot_engine::simulation::Signal;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::expect::Expect;
use super::fields::{self, Fields, Read, wrong};
use super::mocks::Mocks;
use super::signals;

/// The fields of a document, in the order in which they are read.
const FIELDS: [&str; 16] = [
    "apiVersion",
    "kind",
    "metadata",
    "why",
    "workflow",
    "workflows",
    "actions",
    "tenant",
    "clock",
    "startedBy",
    "inputs",
    "trigger",
    "mode",
    "mocks",
    "signals",
    "expect",
];

/// Where simulated time starts unless a document says otherwise.
const CLOCK: &str = "2026-01-01T00:00:00Z";

/// A test.
#[derive(Debug)]
pub(crate) struct TestDocument {
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) workflow: Source,
    pub(crate) workflows: BTreeMap<String, Source>,
    pub(crate) actions: BTreeMap<String, PlanAction>,
    pub(crate) tenant: Option<String>,
    pub(crate) variables: Option<Map<String, Value>>,
    pub(crate) clock: Timestamp,
    pub(crate) started_by: String,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) trigger: Option<Map<String, Value>>,
    pub(crate) dry_run: bool,
    pub(crate) mocks: Mocks,
    pub(crate) signals: Vec<Signal>,
    pub(crate) expect: Expect,
}

/// Where a workflow comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// A file, beside the document's.
    File(String),
    /// The document itself.
    Inline(Value),
}

impl TestDocument {
    /// Reads the object of a document.
    pub(crate) fn read(object: &Value) -> Read<Self> {
        let mut fields = Fields::of(object, "")?;
        if fields.text("apiVersion")? != Some("flowpilot.io/v1alpha1") {
            return wrong("apiVersion", "write apiVersion: flowpilot.io/v1alpha1");
        }
        fields.word("kind", &["WorkflowTest"])?;
        let metadata = fields.required("metadata")?;
        let mut metadata = Fields::of(metadata, "metadata")?;
        let name = metadata.text("name")?.unwrap_or_default().to_owned();
        for known in ["labels", "annotations", "namespace"] {
            metadata.take(known);
        }
        metadata.end()?;
        let why = fields.text("why")?.unwrap_or_default().to_owned();
        let workflow = source(fields.required("workflow")?, "workflow")?;
        let workflows = fields.map("workflows")?.into_iter().flatten();
        let workflows = workflows
            .map(|(name, value)| Ok((name.clone(), source(value, &fields::join("workflows", name))?)))
            .collect::<Read<_>>()?;
        let actions = fields.map("actions")?.into_iter().flatten();
        let actions = actions
            .map(|(name, value)| Ok((name.clone(), action(value, &fields::join("actions", name))?)))
            .collect::<Read<_>>()?;
        let (tenant, variables) = tenant(&mut fields)?;
        let clock = fields.text("clock")?.unwrap_or(CLOCK);
        let Ok(clock) = clock.parse() else {
            return wrong("clock", format!("`{clock}` is no time: write one like {CLOCK}"));
        };
        let started_by = fields.text("startedBy")?.unwrap_or("tester").to_owned();
        let inputs = fields.map("inputs")?.cloned().unwrap_or_default();
        let trigger = trigger(&mut fields)?;
        let dry_run = fields.word("mode", &["run", "dryRun"])? == Some("dryRun");
        let mocks = Mocks::read(fields.map("mocks")?)?;
        let signals = signals::read(fields.list("signals")?)?;
        let nothing = json!({});
        let expect = Expect::read(fields.take("expect").unwrap_or(&nothing))?;
        debug_assert_eq!(fields.known(), FIELDS);
        fields.end()?;
        Ok(Self {
            name,
            why,
            workflow,
            workflows,
            actions,
            tenant,
            variables,
            clock,
            started_by,
            inputs,
            trigger,
            dry_run,
            mocks,
            signals,
            expect,
        })
    }
}

/// The order in which people read a document; that of a workflow in it is the workflow's own.
pub(crate) fn field_order() -> FieldOrder {
    let workflow = FieldOrder::of_kind("Workflow").unwrap_or_default();
    FieldOrder::of(FIELDS.map(|name| {
        let inner = match name {
            "workflow" => workflow.clone(),
            "workflows" => FieldOrder::each(workflow.clone()),
            _ => FieldOrder::default(),
        };
        (name, inner)
    }))
}

fn source(value: &Value, path: &str) -> Read<Source> {
    match value {
        Value::String(file) => Ok(Source::File(file.clone())),
        Value::Object(_) => Ok(Source::Inline(value.clone())),
        _ => wrong(path, "this is the path of a file, or a whole Workflow"),
    }
}

/// Its name, and its variables.
type Tenant = (Option<String>, Option<Map<String, Value>>);

fn tenant(fields: &mut Fields<'_>) -> Read<Tenant> {
    let Some(value) = fields.take("tenant") else {
        return Ok((None, None));
    };
    let mut tenant = Fields::of(value, "tenant")?;
    let name = tenant.text("name")?.map(str::to_owned);
    let variables = tenant.map("variables")?.cloned();
    tenant.end()?;
    Ok((name, variables))
}

/// What is known of the call that starts the run. Its fields are those that `trigger` has in expressions.
fn trigger(fields: &mut Fields<'_>) -> Read<Option<Map<String, Value>>> {
    let Some(value) = fields.take("trigger") else {
        return Ok(None);
    };
    let mut known = Fields::of(value, "trigger")?;
    if known.text("id")?.is_none() {
        return wrong("trigger", "`id` is missing: which trigger of the workflow?");
    }
    known.word("type", &["webhook", "schedule", "event"])?;
    for field in ["body", "headers", "query", "scheduledAt"] {
        known.raw(field);
    }
    if let Some(at) = known.text("scheduledAt")?
        && at.parse::<Timestamp>().is_err()
    {
        return wrong(
            "trigger.scheduledAt",
            format!("`{at}` is no time: write one like {CLOCK}"),
        );
    }
    known.end()?;
    Ok(value.as_object().cloned())
}

fn action(value: &Value, path: &str) -> Read<PlanAction> {
    let mut fields = Fields::of(value, path)?;
    let effect = fields
        .word("effect", &["None", "Read", "Write", "Irreversible"])?
        .unwrap_or("Read");
    let idempotency_key = fields.flag("idempotencyKey")?.unwrap_or(false);
    let mut schema = |name| {
        let schema = fields.map(name)?.cloned();
        Ok(schema.map_or_else(|| json!({}), Value::Object))
    };
    let (input, output) = (schema("input")?, schema("output")?);
    for known in ["title", "description", "hosts", "undo"] {
        fields.take(known);
    }
    let targets = fields.map("templates")?.cloned().unwrap_or_default();
    let mut templates = BTreeMap::new();
    for (field, target) in &targets {
        let place = fields::join(&fields.path("templates"), field);
        let target = fields::text(target, &place)?;
        if !["text", "html", "json"].contains(&target) {
            return wrong(place, format!("`{target}` is not one of text, html, json"));
        }
        templates.insert(field.clone(), target.to_owned());
    }
    fields.end()?;
    let Ok(effect) = serde_json::from_value(json!(effect)) else {
        return wrong(path, format!("there is no effect {effect}"));
    };
    Ok(PlanAction {
        effect,
        idempotency_key,
        input,
        output,
        templates,
    })
}
