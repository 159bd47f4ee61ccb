//! What a folder of manifests declares: tenants, workflows, and runs that are wanted.
//!
//! A file that cannot be read or a manifest that does not check is reported and left out; what it declared before
//! stays registered, as it would in a cluster that refused the change.

use std::collections::BTreeMap;
use std::path::Path;

use flowpilot_crds::names::{namespace_of, tenant_of};
use flowpilot_crds::{RunnerClassSpec, TenantSpec, WorkflowRunSpec, WorkflowSpec};
use flowpilot_engine::compile::Context;
use flowpilot_engine::digest::digest_of;
use flowpilot_engine::manifest::{self, Document};
use flowpilot_engine::problem::Severity;
use serde_json::Value;

use crate::manifests::{self, Source, Tenants};

/// Tenant of manifests without a namespace.
pub(crate) const DEFAULT_TENANT: &str = "dev";

/// What a folder declares.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct World {
    /// Tenants by name: those with a manifest, and those whose namespace a workflow names.
    pub(crate) tenants: BTreeMap<String, TenantSpec>,
    /// Runner classes by name.
    pub(crate) classes: BTreeMap<String, RunnerClassSpec>,
    /// Workflows by tenant and name.
    pub(crate) workflows: BTreeMap<(String, String), Declared>,
    /// Runs that are wanted, by tenant and name.
    pub(crate) runs: BTreeMap<(String, String), WorkflowRunSpec>,
    /// What is wrong, as `lint` says it.
    pub(crate) problems: Vec<String>,
    /// Workflows whose manifest is there and wrong: they are not forgotten.
    pub(crate) broken: Vec<(String, String)>,
}

/// A workflow as a file declares it.
#[derive(Debug, PartialEq)]
pub(crate) struct Declared {
    /// Its spec as written.
    pub(crate) spec: Value,
    /// Digest of the spec.
    pub(crate) digest: String,
}

/// Reads all manifests below a folder.
pub(crate) fn read(folder: &Path) -> World {
    let mut world = World::default();
    match manifests::load(&[folder.to_owned()]) {
        Ok(sources) => {
            let tenants = Tenants::among(&sources);
            for source in &sources {
                world.read_file(source, &tenants);
            }
        }
        Err(error) => world.problems.push(format!("{error:#}")),
    }
    let named: Vec<String> = world
        .workflows
        .keys()
        .chain(world.runs.keys())
        .map(|(tenant, _)| tenant.clone())
        .collect();
    for tenant in named.into_iter().chain([DEFAULT_TENANT.to_owned()]) {
        world.tenants.entry(tenant).or_default();
    }
    world.hold_quotas();
    world
}

impl World {
    fn read_file(&mut self, source: &Source, tenants: &Tenants) {
        let name = source.file.display();
        match &source.content {
            Ok(documents) => documents
                .iter()
                .for_each(|document| self.declare(&source.file, document, tenants)),
            Err(problems) => self
                .problems
                .extend(problems.iter().map(|problem| format!("{name}: {problem}"))),
        }
    }

    /// Tenant and name of a workflow to try: one that needs no inputs, if there is one.
    pub(crate) fn example(&self) -> (&str, &str) {
        let needs = |declared: &Declared| {
            let inputs = declared.spec["inputs"].as_array();
            inputs.is_some_and(|inputs| inputs.iter().any(|input| input["required"] == true))
        };
        let first = self.workflows.iter().min_by_key(|(_, declared)| needs(declared));
        first.map_or((DEFAULT_TENANT, "<workflow>"), |((tenant, name), _)| {
            (tenant.as_str(), name.as_str())
        })
    }

    /// Leaves out the workflows of a tenant that are too many. Files have no age, so names decide which.
    fn hold_quotas(&mut self) {
        for (tenant, spec) in &self.tenants {
            let limit = spec.workflow_quota();
            let names = self.workflows.keys().filter(|(of, _)| of == tenant);
            let over: Vec<_> = names.skip(limit).cloned().collect();
            for key in over {
                self.problems.push(format!(
                    "error: workflow {tenant}/{} is one too many: the tenant may have {limit} (QuotaExceeded)",
                    key.1
                ));
                self.workflows.remove(&key);
                self.broken.push(key);
            }
        }
    }

    fn declare(&mut self, file: &Path, document: &Document, tenants: &Tenants) {
        let tenant = match document.namespace.as_deref() {
            None => DEFAULT_TENANT.to_owned(),
            Some(namespace) => tenant_of(namespace).unwrap_or(DEFAULT_TENANT).to_owned(),
        };
        let context = Context::server(
            // A tenant that no file declares is made, and has none.
            Some(tenants.variables(&tenant).cloned().unwrap_or_default()),
        );
        let key = (tenant, document.name.clone());
        let mut wrong = false;
        for problem in manifest::check(document, &context) {
            let (line, column) = document.place(&problem);
            wrong |= problem.severity == Severity::Error;
            let kind = if problem.severity == Severity::Error {
                "error"
            } else {
                "warning"
            };
            self.problems
                .push(format!("{}:{line}:{column}: {kind}: {problem}", file.display()));
        }
        if wrong {
            if document.kind == "Workflow" {
                self.broken.push(key);
            }
            return;
        }
        let spec = document.object.get("spec").cloned().unwrap_or_default();
        match document.kind.as_str() {
            "Workflow" => {
                // As the operator does it: what is left out and what is empty are the same revision.
                let spec = serde_json::from_value::<WorkflowSpec>(spec).and_then(serde_json::to_value);
                if let Ok(spec) = spec {
                    let digest = digest_of(&spec);
                    self.workflows.insert(key, Declared { spec, digest });
                }
            }
            "Tenant" => insert(&mut self.tenants, document.name.clone(), spec),
            "RunnerClass" => insert(&mut self.classes, document.name.clone(), spec),
            "WorkflowRun" if document.name.is_empty() => {}
            "WorkflowRun" => insert(&mut self.runs, key, spec),
            _ => {}
        }
    }
}

/// Keeps a spec that was checked before, so that it is of its kind.
fn insert<K: Ord, S: serde::de::DeserializeOwned>(into: &mut BTreeMap<K, S>, key: K, spec: Value) {
    if let Ok(spec) = serde_json::from_value(spec) {
        into.insert(key, spec);
    }
}

/// The namespace of a tenant in messages to the API server.
pub(crate) fn namespace(tenant: &str) -> String {
    namespace_of(tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_declares_tenants_and_workflows_and_keeps_broken_ones_apart() {
        let folder = tempfile::tempdir().unwrap();
        let workflow = |name: &str, namespace: &str, steps: &str| {
            format!(
                "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}{namespace}}}\nspec: {{steps: [{steps}]}}\n"
            )
        };
        let good = workflow("good", "", "{id: a, set: {x: 1}}");
        let other = workflow("other", ", namespace: fp-acme", "{id: a, set: {x: 1}}");
        let broken = workflow("broken", "", "{id: a, needs: [b], set: {x: 1}}");
        std::fs::write(
            folder.path().join("all.yaml"),
            [good, other, broken].join("---\n"),
        )
        .unwrap();
        let world = read(folder.path());
        let names: Vec<_> = world
            .workflows
            .keys()
            .map(|(tenant, name)| format!("{tenant}/{name}"))
            .collect();
        assert_eq!(names, ["acme/other", "dev/good"]);
        assert_eq!(world.tenants.keys().collect::<Vec<_>>(), ["acme", "dev"]);
        assert_eq!(world.example(), ("acme", "other"));
        assert_eq!(World::default().example(), ("dev", "<workflow>"));
        assert_eq!(world.broken, [("dev".to_owned(), "broken".to_owned())]);
        assert!(
            world
                .problems
                .iter()
                .any(|problem| problem.contains("UnknownStep")),
            "{:?}",
            world.problems
        );
    }

    #[test]
    fn a_tenant_has_no_more_workflows_than_it_may_and_no_other_variables() {
        let folder = tempfile::tempdir().unwrap();
        let head = "apiVersion: flowpilot.io/v1alpha1\nkind:";
        let workflow = |name: &str, variable: &str| {
            format!(
                "{head} Workflow\nmetadata: {{name: {name}, namespace: fp-acme}}\nspec: {{steps: [{{id: a, set: {{x: $(vars.{variable})}}}}]}}\n"
            )
        };
        let tenant = format!(
            "{head} Tenant\nmetadata: {{name: acme}}\nspec: {{quotas: {{workflows: 1}}, variables: {{limit: 1}}}}\n"
        );
        let all = [
            workflow("b", "limit"),
            workflow("a", "limit"),
            workflow("c", "other"),
            tenant,
        ];
        std::fs::write(folder.path().join("all.yaml"), all.join("---\n")).unwrap();
        let world = read(folder.path());
        let key = |name: &str| ("acme".to_owned(), name.to_owned());
        assert_eq!(world.workflows.keys().collect::<Vec<_>>(), [&key("a")]);
        assert_eq!(world.broken, [key("c"), key("b")]);
        let said = world.problems.join("\n");
        assert!(
            said.contains("UnknownVariable") && said.contains("acme/b is one too many"),
            "{said}"
        );
    }
}
