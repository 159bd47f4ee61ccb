//! Hands the run over. The API server makes it once per UID, so this is also how an unfinished run is asked for.

use flowpilot_crds::{Reason, WorkflowRun};
use flowpilot_engine::protocol::operator::RunReport;
use snafu::ResultExt;

use super::Context;
use super::build::Prepared;
use super::dereference::Found;
use crate::api::Refusal;
use crate::controller::{ApiSnafu, Error, KubernetesSnafu, Rejection};

/// Proof that the API server has the run.
pub(super) struct Applied {
    pub(super) report: RunReport,
}

pub(super) async fn apply(
    run: &WorkflowRun,
    prepared: Prepared,
    found: Found,
    context: &Context,
) -> Result<Result<Applied, Rejection>, Error> {
    let Prepared { request } = prepared;
    let Found { report } = found;
    // The finalizer comes first: a run that was handed over must be cancelled if its object goes.
    context.cluster.hold(run).await.context(KubernetesSnafu)?;
    if let Some(report) = report {
        return Ok(Ok(Applied { report }));
    }
    match context.world.api.request_run(&request).await {
        Ok(report) => Ok(Ok(Applied { report })),
        Err(error) => match error.refusal().map(rejection) {
            Some(rejection) => Ok(Err(rejection)),
            None => Err(error).context(ApiSnafu),
        },
    }
}

fn rejection(refusal: &Refusal) -> Rejection {
    let reason = match (refusal.status, refusal.code.as_str()) {
        // The API server knows no such tenant or workflow, or no revision of it that can run.
        (404, _) | (_, "WorkflowNotReady") => Reason::UnknownWorkflow,
        (_, "InvalidInputs") => Reason::InvalidInputs,
        _ => Reason::Failed,
    };
    Rejection {
        reason,
        message: refusal.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_their_reasons() {
        let refused = |status, code: &str| {
            let (code, message) = (code.to_owned(), String::new());
            rejection(&Refusal {
                status,
                code,
                message,
                retry_after: None,
            })
            .reason
        };
        assert_eq!(refused(404, "NotFound"), Reason::UnknownWorkflow);
        assert_eq!(refused(409, "WorkflowNotReady"), Reason::UnknownWorkflow);
        assert_eq!(refused(422, "InvalidInputs"), Reason::InvalidInputs);
        assert_eq!(refused(422, "SomethingElse"), Reason::Failed);
    }
}
