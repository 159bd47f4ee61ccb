//! The workflows of tests: read from files or documents, compiled once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flowpilot_engine::compile::{Context, Support, WorkflowInterface};
use flowpilot_engine::digest::digest_of;
use flowpilot_engine::manifest;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::problem::Problem;
use flowpilot_engine::simulation::simulated;
use serde_json::{Value, json};

use super::document::{Source, TestDocument};

/// A workflow that admission accepted.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    pub(crate) plan: Arc<Plan>,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) revision: String,
    /// What admission warns of.
    pub(crate) warnings: Vec<Problem>,
}

/// What admission says.
pub(crate) type Admission = Result<Admitted, Vec<Problem>>;

/// The main workflow of a test and those that it calls.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// What admission says of the workflow.
    pub(crate) main: Admission,
    pub(crate) others: BTreeMap<String, Admitted>,
    /// What the workflow is told by, in coverage: its file or its name.
    pub(crate) title: String,
}

/// Workflows that were compiled, by file and by what was known around them.
#[derive(Debug, Default)]
pub(crate) struct Workflows {
    objects: Mutex<HashMap<PathBuf, Arc<Value>>>,
    compiled: Mutex<HashMap<(PathBuf, String), Admission>>,
}

impl Workflows {
    /// The workflows of a test, or why there are none.
    pub(crate) fn cast(&self, test: &TestDocument, folder: &Path) -> Result<Cast, String> {
        let actions = test.actions.clone();
        let variables: BTreeSet<String> = test
            .variables
            .iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        let mut context = Context {
            tenant_variables: Some(variables),
            actions,
            workflows: None,
            connections: Some(BTreeSet::new()),
            support: Support::Everything,
        };
        let mut others = BTreeMap::new();
        for (name, source) in &test.workflows {
            match self.admit(source, folder, &context)? {
                Ok(admitted) => others.insert(name.clone(), admitted),
                Err(problems) => {
                    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    return Err(format!("the workflow `{name}` is rejected: {}", words.join("; ")));
                }
            };
        }
        let interface = |admitted: &Admitted| WorkflowInterface {
            inputs: admitted.plan.inputs().to_vec(),
            outputs: json!({}),
        };
        context.workflows = Some(
            others
                .iter()
                .map(|(name, admitted)| (name.clone(), interface(admitted)))
                .collect(),
        );
        let main = self.admit(&test.workflow, folder, &context)?;
        let title = match (&test.workflow, &main) {
            (Source::File(file), _) => folder.join(file).display().to_string(),
            (Source::Inline(_), Ok(admitted)) => admitted.name.clone(),
            (Source::Inline(_), Err(_)) => test.name.clone(),
        };
        Ok(Cast { main, others, title })
    }

    /// The plan of a file's workflow, whatever is around it.
    pub(crate) fn plan(&self, path: &Path) -> Result<Arc<Plan>, String> {
        let object = self.object(path)?;
        let context = Context::default();
        admit(&object, &context)
            .map(|admitted| admitted.plan)
            .map_err(|problems| {
                problems
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; ")
            })
    }

    fn admit(&self, source: &Source, folder: &Path, context: &Context) -> Result<Admission, String> {
        match source {
            Source::Inline(object) => Ok(admit(object, context)),
            Source::File(file) => {
                let path = folder.join(file);
                let object = self.object(&path)?;
                let key = (path, format!("{context:?}"));
                if let Some(known) = lock(&self.compiled).get(&key) {
                    return Ok(known.clone());
                }
                let admission = admit(&object, context);
                lock(&self.compiled).insert(key, admission.clone());
                Ok(admission)
            }
        }
    }

    /// The Workflow of a file.
    fn object(&self, path: &Path) -> Result<Arc<Value>, String> {
        if let Some(known) = lock(&self.objects).get(path) {
            return Ok(known.clone());
        }
        let bytes =
            std::fs::read(path).map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        let documents = manifest::parse(&bytes).map_err(|problems| {
            let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
            format!("{}: {}", path.display(), words.join("; "))
        })?;
        let mut workflows = documents
            .into_iter()
            .filter(|document| document.kind == "Workflow");
        match (workflows.next(), workflows.next()) {
            (Some(only), None) => {
                let object = Arc::new(only.object);
                lock(&self.objects).insert(path.to_owned(), object.clone());
                Ok(object)
            }
            (Some(_), Some(_)) => Err(format!(
                "{} has several Workflows: a test names one",
                path.display()
            )),
            (None, _) => Err(format!("{} has no Workflow", path.display())),
        }
    }
}

fn admit(object: &Value, context: &Context) -> Admission {
    if object.get("kind").and_then(Value::as_str) != Some("Workflow") {
        return Err(vec![Problem::error(
            "UnknownKind",
            "kind",
            "write kind: Workflow",
        )]);
    }
    let (_, compiled) = manifest::check_workflow(object, context)?;
    let word = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let mut warnings = compiled.warnings;
    warnings.extend(compiled.unresolved);
    Ok(Admitted {
        plan: Arc::new(simulated(compiled.plan, word("/spec/timeout").is_some())),
        name: word("/metadata/name").unwrap_or_default(),
        namespace: word("/metadata/namespace"),
        revision: digest_of(&object["spec"]),
        warnings,
    })
}

/// A thread that panicked leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
