//! The workflows of some files, and the tenant among them: what a run without a server can find.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use flowpilot_crds::names::tenant_of;
use flowpilot_crds::{TenantSpec, WorkflowSpec};
use flowpilot_engine::compile::{Compiled, Context, Support, WorkflowInterface};
use flowpilot_engine::digest::digest_of;
use flowpilot_engine::manifest::{self, Document};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::problem::Problem;
use flowpilot_runner::Egress;
use serde_json::{Map, Value};

use crate::{manifests, output};

/// A workflow that can run here.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) name: String,
    pub(crate) revision: String,
    pub(crate) plan: Arc<Plan>,
    pub(crate) object: Value,
}

/// What stands around a run.
#[derive(Debug)]
pub(crate) struct Stage {
    main: String,
    ready: BTreeMap<String, Ready>,
    tenant: String,
    spec: TenantSpec,
}

impl Stage {
    /// Reads a file or a folder. The workflow of this name is to run; without a name, the only one there is. It and all
    /// that it calls must be able to run here.
    pub(crate) fn load(file: &Path, name: Option<&str>) -> anyhow::Result<Self> {
        let documents = read(file)?;
        let mut found: BTreeMap<&str, &Document> = BTreeMap::new();
        for document in documents.iter().filter(|document| document.kind == "Workflow") {
            if found.insert(&document.name, document).is_some() {
                bail!("{} has two workflows {}", file.display(), document.name);
            }
        }
        let main = choose(&found, name, file)?;
        let (tenant, spec) = tenant(&documents, found[main].namespace.as_deref())?;
        let compiled = compile(&found, spec.variables.keys().cloned().collect());
        check(main, &found, &compiled)?;
        let mut ready = BTreeMap::new();
        for (name, result) in compiled {
            let object = &found[name.as_str()].object;
            match result {
                Ok((_, compiled)) => {
                    ready.insert(
                        name.clone(),
                        Ready {
                            name,
                            revision: digest_of(&object["spec"]),
                            plan: Arc::new(compiled.plan),
                            object: object.clone(),
                        },
                    );
                }
                // It is not called; an event might have started it.
                Err(problems) => output::note(&format!(
                    "{name} cannot run here, and no event starts it: {}",
                    words(&problems)
                )),
            }
        }
        Ok(Self {
            main: main.to_owned(),
            ready,
            tenant,
            spec,
        })
    }

    /// The workflow to run.
    pub(crate) fn main(&self) -> &Ready {
        &self.ready[&self.main]
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Ready> {
        self.ready.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.ready.keys()
    }

    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(crate) fn variables(&self) -> &Map<String, Value> {
        &self.spec.variables
    }

    /// Which addresses the tenant opens.
    pub(crate) fn egress(&self) -> anyhow::Result<Egress> {
        let egress = self.spec.egress.clone().unwrap_or_default();
        Egress::new(&egress).with_context(|| format!("the egress of tenant {}", self.tenant))
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    for source in manifests::load(&[file.to_owned()])? {
        match source.content {
            Ok(content) => documents.extend(content),
            Err(problems) => {
                let name = source.file.display();
                let words: Vec<String> = problems
                    .iter()
                    .map(|problem| {
                        format!(
                            "{name}:{}:{}: {} [{}]",
                            problem.line, problem.column, problem.message, problem.code
                        )
                    })
                    .collect();
                bail!("{}", words.join("\n"));
            }
        }
    }
    Ok(documents)
}

fn choose<'a>(
    found: &BTreeMap<&'a str, &Document>,
    name: Option<&str>,
    file: &Path,
) -> anyhow::Result<&'a str> {
    let names = || found.keys().copied().collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => match found.get_key_value(name) {
            Some((name, _)) => Ok(name),
            None => bail!(
                "{} has no workflow {name}: it has {}",
                file.display(),
                if found.is_empty() {
                    "none".to_owned()
                } else {
                    names()
                }
            ),
        },
        None => match found.keys().collect::<Vec<_>>().as_slice() {
            [only] => Ok(only),
            [] => bail!("{} has no Workflow", file.display()),
            _ => bail!(
                "{} has several workflows: name one of {} after the file",
                file.display(),
                names()
            ),
        },
    }
}

/// The tenant of a namespace, if it is among the documents; without a namespace, the only one.
fn tenant(documents: &[Document], namespace: Option<&str>) -> anyhow::Result<(String, TenantSpec)> {
    let tenants: Vec<&Document> = documents
        .iter()
        .filter(|document| document.kind == "Tenant")
        .collect();
    let name = match namespace {
        Some(namespace) => Some(tenant_of(namespace).unwrap_or(namespace)),
        None => None,
    };
    let found = match (name, tenants.as_slice()) {
        (Some(name), tenants) => tenants.iter().find(|tenant| tenant.name == name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let Some(found) = found else {
        return Ok((name.unwrap_or("local").to_owned(), TenantSpec::default()));
    };
    let spec = serde_json::from_value(found.object["spec"].clone())
        .with_context(|| format!("the Tenant {} cannot be read: lint it", found.name))?;
    Ok((found.name.clone(), spec))
}

type Outcome = Result<(WorkflowSpec, Compiled), Vec<Problem>>;

/// Compiles all of them, each knowing what the others take and give.
fn compile(found: &BTreeMap<&str, &Document>, variables: BTreeSet<String>) -> BTreeMap<String, Outcome> {
    let mut context = Context {
        tenant_variables: Some(variables),
        ..Context::default()
    };
    let all = |context: &Context| -> BTreeMap<String, Outcome> {
        found
            .iter()
            .map(|(name, document)| {
                let outcome = manifest::check_workflow(&document.object, context);
                ((*name).to_owned(), outcome)
            })
            .collect()
    };
    let interfaces = all(&context).into_iter().filter_map(|(name, outcome)| {
        let (_, compiled) = outcome.ok()?;
        Some((name, WorkflowInterface::of(&compiled.plan)))
    });
    context.workflows = Some(interfaces.collect());
    context.support = Support::Local;
    all(&context)
        .into_iter()
        .map(|(name, outcome)| {
            let outcome = outcome.and_then(|(spec, compiled)| match compiled.unresolved.as_slice() {
                [] => Ok((spec, compiled)),
                missing => Err(missing.to_vec()),
            });
            (name, outcome)
        })
        .collect()
}

/// The workflow and all that it calls can run here.
fn check(
    main: &str,
    found: &BTreeMap<&str, &Document>,
    compiled: &BTreeMap<String, Outcome>,
) -> anyhow::Result<()> {
    let (mut open, mut seen) = (vec![main], BTreeSet::new());
    let mut wrong = Vec::new();
    while let Some(name) = open.pop() {
        // One that is not here is a problem of whoever calls it.
        let Some(document) = found.get(name).filter(|_| seen.insert(name)) else {
            continue;
        };
        let steps = document.object["spec"]["steps"].as_array();
        let calls = steps.into_iter().flatten();
        open.extend(calls.filter_map(|step| step["workflow"]["name"].as_str()));
        if let Some(Err(problems)) = compiled.get(name) {
            wrong.push(format!("{name} cannot run here:"));
            wrong.extend(problems.iter().map(|problem| {
                let (line, _) = document.position(&problem.path).unwrap_or((1, 1));
                format!("  line {line}: {problem}")
            }));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn words(problems: &[Problem]) -> String {
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    words.join("; ")
}
