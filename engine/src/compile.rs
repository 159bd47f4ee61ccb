//! From a spec to a plan, with everything that one manifest can be checked for.

use std::collections::BTreeSet;

use flowpilot_crds::WorkflowSpec;

use crate::plan::Plan;
use crate::problem::Problem;

/// A plan, and what somebody should look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// What runs.
    pub plan: Plan,
    /// Findings that reject nothing.
    pub warnings: Vec<Problem>,
}

/// What is known of the world outside the manifest.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Names of the variables that the tenant defines; unknown here if absent, so that `vars.x` only warns.
    pub tenant_variables: Option<BTreeSet<String>>,
}

/// Compiles a spec. Every problem at once, errors and warnings, in the order of the manifest.
pub fn compile(spec: &WorkflowSpec, context: &Context) -> Result<Compiled, Vec<Problem>> {
    let _ = (spec, context);
    Err(Vec::new())
}
