//! Starting a run: from a name and inputs to a stored run, in one commit and without a query in the common case.

use std::borrow::Cow;
use std::sync::Arc;

use flowpilot_engine::journal::{Event, RunMode};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::problem::{Code, Problem};
use crate::queue::{Dedupe, NewRun, Started};
use crate::state::Services;
use crate::store::TenantTx;
use crate::store::directory::Target;
use crate::store::runs::created_at;
use crate::store::tenants::Tenant;
use crate::store::workflows::{self, Revision};

/// What started a run, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A request of a person.
    Api,
    /// A WorkflowRun object.
    Resource(Uuid),
}

/// A run that somebody wants.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Its id, a `UUIDv7` of now.
    pub run: Uuid,
    /// Its tenant.
    pub tenant: &'a Tenant,
    /// Name of the workflow.
    pub workflow: &'a str,
    /// Digest of the revision; the current one if absent.
    pub revision: Option<&'a str>,
    /// Values for inputs.
    pub inputs: &'a Map<String, Value>,
    /// 0 critical to 3 low.
    pub priority: i16,
    /// What starts it.
    pub trigger: Trigger,
    /// Who starts it.
    pub actor: String,
    /// Makes a repeated start find the first one.
    pub dedupe: Option<Dedupe>,
}

/// A run that is stored, now or before.
#[derive(Debug)]
pub struct Launched {
    /// Its id.
    pub run: Uuid,
    /// Digest of its revision.
    pub revision: Arc<str>,
    /// Whether a runner has it already, or another start was first.
    pub started: Started,
    /// When it was accepted.
    pub at: Timestamp,
}

/// Starts it.
pub async fn launch(services: &Services, launch: Launch<'_>) -> Result<Launched, Problem> {
    services.clock.admit()?;
    let tenant_id = launch.tenant.tenant_id;
    let Some(target) = services.directory.target(tenant_id, launch.workflow).await? else {
        return Err(absent(services, &launch).await);
    };
    let revision = revision(services, &launch, &target).await?;
    let plan = services.plans.of(&revision)?;
    let inputs = plan
        .check_inputs(launch.inputs)
        .map_err(|problems| Problem::new(Code::InvalidInputs, "").findings(&problems))?;
    let mut vars: Map<String, Value> =
        serde_json::from_str(&launch.tenant.variables).map_err(|error| Problem::internal(&error))?;
    vars.extend(
        plan.variables()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );

    let at = Timestamp::now();
    let first = [Event::RunStarted {
        at,
        inputs,
        vars,
        mode: RunMode::default(),
    }];
    let body = serde_json::to_string(&first).map_err(|error| Problem::internal(&error))?;
    let (trigger_kind, trigger_id, word) = match launch.trigger {
        Trigger::Api => (0, None, "api"),
        Trigger::Resource(uid) => (5, Some(uid.to_string()), "resource"),
    };
    let run = launch.run;
    let digest: Arc<str> = revision.digest.as_str().into();
    let started = services
        .queue
        .start_run(NewRun {
            tenant_id,
            run_id: run,
            workflow_id: target.workflow.workflow_id,
            workflow: target.workflow.name.as_str().into(),
            revision_id: revision.revision_id,
            revision: Arc::clone(&digest),
            pool_id: target.workflow.pool_id,
            priority: launch.priority,
            trigger_kind,
            trigger_id,
            actor: launch.actor,
            body: body.into(),
            dedupe: launch.dedupe,
        })
        .await?;
    if !matches!(started, Started::Duplicate { .. }) {
        services.metrics.run_started(word);
    }
    Ok(Launched {
        run,
        revision: digest,
        started,
        at: created_at(run),
    })
}

/// The revision that is wanted, of this workflow and no other.
async fn revision<'a>(
    services: &Services,
    launch: &Launch<'_>,
    target: &'a Target,
) -> Result<Cow<'a, Revision>, Problem> {
    let Some(digest) = launch.revision.filter(|digest| *digest != target.revision.digest) else {
        return Ok(Cow::Borrowed(&target.revision));
    };
    let mut tx = TenantTx::begin(&services.pools.app, launch.tenant.tenant_id).await?;
    let found = workflows::revision(&mut tx, digest, Some(target.workflow.workflow_id)).await?;
    tx.commit().await?;
    found.map(Cow::Owned).ok_or_else(|| {
        let text = format!("the workflow `{}` has no revision `{digest}`", launch.workflow);
        Problem::new(Code::InvalidInputs, "").error("/revision", "UnknownRevision", text)
    })
}

/// A workflow that is not registered: not there at all, or there and not ready.
async fn absent(services: &Services, launch: &Launch<'_>) -> Problem {
    match services
        .definitions
        .get(&launch.tenant.name, launch.workflow)
        .await
    {
        Ok(Some(definition)) => {
            let reason = definition.ready().map_or_else(
                || "it was not checked yet; try again in a moment".to_owned(),
                |ready| format!("{}: {}", ready.reason, ready.message),
            );
            Problem::new(Code::WorkflowNotReady, reason)
        }
        Ok(None) => Problem::not_found(),
        Err(problem) => problem,
    }
}
