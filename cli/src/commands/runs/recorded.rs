//! A run of the server, with all that is needed to play it again.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use flowpilot_crds::WorkflowSpec;
use flowpilot_engine::digest::digest_of;
use flowpilot_engine::journal::Event;
use flowpilot_engine::run::Facts;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::journal::{EVENTS, Recorded, digest, plan};
use crate::{manifests, output};

/// Events of one page.
const PAGE: usize = 200;

/// A run with its journal, from the server.
pub(crate) async fn fetch(
    client: &Client,
    tenant: &str,
    id: &str,
    manifest: Option<&Path>,
) -> anyhow::Result<Recorded> {
    let base = format!("/api/v1/tenants/{tenant}");
    let run = client
        .json(Method::GET, &format!("{base}/runs/{id}"), None)
        .await?;
    let (workflow, revision) = (output::text(&run, "/workflow"), output::text(&run, "/revision"));
    let object = if let Some(file) = manifest {
        of_file(file, &workflow, &revision)?
    } else {
        let current = client
            .json(Method::GET, &format!("{base}/workflows/{workflow}"), None)
            .await?;
        ensure!(
            output::text(&current, "/revision") == revision,
            "{workflow} was changed since this run, which followed revision {revision}: give the manifest of then \
             with --manifest"
        );
        current["manifest"].clone()
    };
    let mut events: Vec<Event> = Vec::new();
    let mut after = -1;
    loop {
        let path = format!("{base}/runs/{id}/events?after={after}&limit={PAGE}");
        let page = client.json(Method::GET, &path, None).await?;
        for event in page["items"].as_array().into_iter().flatten() {
            let number = events.len();
            let event = Event::deserialize(event);
            events.push(event.with_context(|| format!("event {number} is not known to this version"))?);
        }
        ensure!(
            events.len() <= EVENTS,
            "the run has more than {EVENTS} events: that is more than is saved"
        );
        match page["nextAfter"].as_i64() {
            Some(next) if next > after => after = next,
            _ => break,
        }
    }
    Ok(Recorded {
        path: String::new(),
        facts: Facts {
            run: id.parse().with_context(|| format!("{id} is no id of a run"))?,
            tenant: tenant.to_owned(),
            workflow,
            revision,
            // The server does not say them, and runners know no starter yet.
            url: String::new(),
            started_by: String::new(),
            attempt: 1,
            jitter: true,
        },
        plan: digest(&*plan(&object)?)?,
        workflow: object,
        events,
    })
}

/// The manifest in a file, if it is of this revision.
fn of_file(file: &Path, workflow: &str, revision: &str) -> anyhow::Result<Value> {
    for source in manifests::load(&[file.to_owned()])? {
        let found = source.content.ok().into_iter().flatten();
        for document in found.filter(|document| document.kind == "Workflow" && document.name == workflow) {
            let spec = document.object.get("spec").cloned().unwrap_or_default();
            // The operator registers what the spec means, without fields that say nothing.
            let typed = WorkflowSpec::deserialize(&spec)
                .ok()
                .and_then(|spec| serde_json::to_value(spec).ok());
            let digests = [Some(digest_of(&spec)), typed.as_ref().map(digest_of)];
            if digests.iter().flatten().any(|digest| digest == revision) {
                return Ok(document.object);
            }
        }
    }
    bail!(
        "{} has no workflow {workflow} of revision {revision}, which the run followed",
        file.display()
    )
}
