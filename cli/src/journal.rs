//! A run in a file: its journal, and those of the runs it started, with what is needed to play them again.
//!
//! Written by `run --local --journal` and `runs --journal`; read by `replay` and `test --record`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use flowpilot_crds::{GROUP, VERSION};
use flowpilot_engine::compile::Context;
use flowpilot_engine::digest::digest_of;
use flowpilot_engine::journal::Event;
use flowpilot_engine::manifest;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::Facts;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{output, values};

/// The kind of the document.
const KIND: &str = "RunJournal";
/// The largest file that is read.
pub(crate) const FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Runs of one file: one for each item of the longest forEach, and as many again.
const RUNS: usize = 20_000;
/// Events of one run: twice as many as the engine lets a run have.
pub(crate) const EVENTS: usize = 100_000;

/// The document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Journal {
    api_version: String,
    kind: String,
    /// The run, then those that it started.
    pub(crate) runs: Vec<Recorded>,
}

/// What a document says it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    #[serde(default)]
    api_version: Value,
    #[serde(default)]
    kind: Value,
}

/// Whether a text is such a document, rather than bare events.
pub(crate) fn is_journal(text: &str) -> bool {
    serde_json::from_str::<Kind>(text).is_ok_and(|kind| kind.kind == KIND)
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recorded {
    /// Stands before the paths of its steps: empty for the run itself, `call/` for one that a step called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) path: String,
    /// What it knew of itself.
    pub(crate) facts: Facts,
    /// Digest of the plan that it followed.
    pub(crate) plan: String,
    /// The manifest.
    pub(crate) workflow: Value,
    /// What happened.
    pub(crate) events: Vec<Event>,
}

impl Journal {
    pub(crate) fn new(runs: Vec<Recorded>) -> Self {
        Self {
            api_version: format!("{GROUP}/{VERSION}"),
            kind: KIND.to_owned(),
            runs,
        }
    }

    /// Reads a file.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        Self::parse(&values::text(file, FILE_BYTES)?, &file.display().to_string())
    }

    /// Reads a text; `name` is that of its file. Places in errors are line and column.
    pub(crate) fn parse(text: &str, name: &str) -> anyhow::Result<Self> {
        let wanted = format!("{GROUP}/{VERSION}");
        let kind: Kind = serde_json::from_str(text)
            .map_err(|error| anyhow::anyhow!("{name}:{}:{}: {error}", error.line(), error.column()))?;
        ensure!(
            kind.kind == KIND && kind.api_version == wanted.as_str(),
            "{name} is not the journal of a run: it has apiVersion {} and kind {}, not {wanted} and {KIND}. \
             `flowpilot run --local --journal FILE` and `flowpilot runs RUN --journal FILE` write one",
            kind.api_version,
            kind.kind
        );
        let mut reader = serde_json::Deserializer::from_str(text);
        let journal: Self = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner());
            anyhow::anyhow!("{name}:{}:{}: {path}: {inner}", inner.line(), inner.column())
        })?;
        ensure!(!journal.runs.is_empty(), "{name} has no runs");
        ensure!(journal.runs.len() <= RUNS, "{name} has more than {RUNS} runs");
        for run in &journal.runs {
            ensure!(
                run.events.len() <= EVENTS,
                "{name}: run {} has more than {EVENTS} events",
                run.facts.run
            );
        }
        Ok(journal)
    }

    /// Writes a file that only its owner reads: it holds everything that the run saw.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        if text.len() as u64 > FILE_BYTES {
            output::note(&format!(
                "the journal has {} bytes: `replay` and `test --record` read {FILE_BYTES} at most",
                text.len()
            ));
        }
        let mut options = std::fs::OpenOptions::new();
        let opened = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(file);
        opened
            .and_then(|mut opened| writeln!(opened, "{text}"))
            .with_context(|| format!("failed to write the journal {}", file.display()))
    }
}

impl Recorded {
    /// The plan of its workflow, as this version makes it.
    pub(crate) fn plan(&self) -> anyhow::Result<Arc<Plan>> {
        plan(&self.workflow).with_context(|| {
            format!(
                "the workflow {} in the journal cannot be read any more",
                self.facts.workflow
            )
        })
    }
}

/// The plan of a workflow.
pub(crate) fn plan(workflow: &Value) -> anyhow::Result<Arc<Plan>> {
    let (_, compiled) = manifest::check_workflow(workflow, &Context::default()).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", words.join("; "))
    })?;
    Ok(Arc::new(compiled.plan))
}

/// The digest of a plan.
pub(crate) fn digest(plan: &Plan) -> anyhow::Result<String> {
    Ok(digest_of(&serde_json::to_value(plan)?))
}
