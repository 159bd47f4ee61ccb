//! One test: run it and judge it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use flowpilot_crds::unknown_fields::nearest;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::problem::{Problem, Severity};
use flowpilot_engine::simulation::{Around, Report, Scene, Seed, Simulation, mapped_inputs};
use serde_json::{Map, Value};

use super::book::{Book, Scripts};
use super::document::TestDocument;
use super::mocks::Mocks;
use super::text::Part;
use super::verdict::{self, Difference};
use super::workflows::{Admitted, Workflows};

/// A test of a file.
#[derive(Debug)]
pub(crate) struct Case {
    /// Number of its file.
    pub(crate) file: usize,
    pub(crate) part: Part,
    /// Where it begins in the file.
    pub(crate) line: u32,
    pub(crate) folder: PathBuf,
    pub(crate) test: TestDocument,
}

/// What came of a test.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Nothing: it passed.
    pub(crate) differences: Vec<Difference>,
    pub(crate) happened: Happened,
    /// What the workflow is told by.
    pub(crate) title: String,
    /// Mocks of steps that no workflow here has, and what was probably meant.
    pub(crate) strays: Vec<(String, Option<String>)>,
    /// What it has, for coverage.
    pub(crate) plan: Option<std::sync::Arc<Plan>>,
}

/// What a test's workflow came to.
#[derive(Debug)]
pub(crate) enum Happened {
    /// There was no workflow to run.
    Nothing(String),
    /// Admission rejected it.
    Rejected(Vec<Problem>),
    /// It was accepted, and the run refused.
    Refused(Vec<Problem>, Vec<Problem>),
    /// It ran.
    Ran(Vec<Problem>, Box<Report>),
}

impl Case {
    /// Runs the test.
    pub(crate) fn run(&self, workflows: &Workflows, seed: u64, scripts: &Scripts) -> Outcome {
        let cast = match workflows.cast(&self.test, &self.folder) {
            Ok(cast) => cast,
            Err(why) => return self.judged(Happened::Nothing(why), self.test.name.clone(), None),
        };
        let admitted = match &cast.main {
            Ok(admitted) => admitted,
            Err(problems) => {
                let errors = problems
                    .iter()
                    .filter(|problem| problem.severity == Severity::Error);
                return self.judged(Happened::Rejected(errors.cloned().collect()), cast.title, None);
            }
        };
        let plan = admitted.plan.clone();
        let happened = match self.simulate(admitted, &cast.others, seed, scripts) {
            Ok(report) => Happened::Ran(admitted.warnings.clone(), Box::new(report)),
            Err(refusals) => Happened::Refused(admitted.warnings.clone(), refusals),
        };
        let others = cast.others.values().map(|other| other.plan.as_ref());
        let strays = strays(&self.test.mocks, others.chain([plan.as_ref()]));
        let mut outcome = self.judged(happened, cast.title, Some(plan.clone()));
        outcome.strays = strays;
        outcome
    }

    fn judged(&self, happened: Happened, title: String, plan: Option<std::sync::Arc<Plan>>) -> Outcome {
        let differences = verdict::differences(&self.test.expect, &happened);
        Outcome {
            differences,
            happened,
            title,
            strays: Vec::new(),
            plan,
        }
    }

    fn simulate(
        &self,
        admitted: &Admitted,
        others: &BTreeMap<String, Admitted>,
        seed: u64,
        scripts: &Scripts,
    ) -> Result<Report, Vec<Problem>> {
        let test = &self.test;
        let variables = test.variables.clone().unwrap_or_default();
        let tenant = test.tenant.clone().or_else(|| {
            let namespace = admitted.namespace.as_deref();
            namespace
                .and_then(|namespace| namespace.strip_prefix("fp-"))
                .map(str::to_owned)
        });
        let tenant = tenant.unwrap_or_else(|| "test".to_owned());
        let around = Around {
            variables: &variables,
            tenant: &tenant,
            workflow: &admitted.name,
            revision: &admitted.revision,
        };
        let inputs = self.inputs(&admitted.plan, around)?;
        let inputs = admitted.plan.check_inputs(&inputs)?;
        let scene = Scene {
            plan: admitted.plan.clone(),
            workflow: admitted.name.clone(),
            revision: admitted.revision.clone(),
            tenant,
            variables,
            inputs,
            started_by: test.started_by.clone(),
            clock: test.clock,
            dry_run: test.dry_run,
            seed: Seed::new(seed, &test.name),
            real_time: false,
        };
        let mut book = Book {
            mocks: &test.mocks,
            main: admitted,
            others,
            scripts,
            used: HashMap::new(),
        };
        match Simulation::new(scene, test.signals.clone(), &mut book) {
            Ok(simulation) => Ok(simulation.run()),
            Err(error) => Err(vec![Problem::error("InvalidInput", "inputs", error.to_string())]),
        }
    }

    /// What the run is given: the trigger's mapping wins over what the document says.
    fn inputs(&self, plan: &Plan, around: Around<'_>) -> Result<Map<String, Value>, Vec<Problem>> {
        let mut inputs = self.test.inputs.clone();
        if let Some(trigger) = &self.test.trigger {
            let mapped = mapped_inputs(plan, trigger, around);
            inputs.extend(
                mapped.map_err(|error| vec![Problem::error("ExpressionError", error.path, error.message)])?,
            );
        }
        Ok(inputs)
    }
}

/// Mocks that no step can take.
fn strays<'a>(mocks: &Mocks, plans: impl Iterator<Item = &'a Plan>) -> Vec<(String, Option<String>)> {
    let ids: Vec<&str> = plans.flat_map(Plan::steps).map(|step| step.id.as_str()).collect();
    let keys = mocks.0.keys().filter_map(|key| {
        let path = key.strip_suffix(".undo").unwrap_or(key);
        let id = path.rsplit(['.', '/']).next().unwrap_or(path);
        let is_there = ids.contains(&id);
        (!is_there).then(|| (key.clone(), nearest(id, ids.iter().copied())))
    });
    keys.collect()
}
