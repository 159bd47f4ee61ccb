//! A run that takes long enough for something to be taken away in its middle, and what must be true at its end.

use std::collections::BTreeMap;

use anyhow::ensure;
use flowpilot_e2e::{Tenant, eventually};

/// Twenty calls, one after another, each 200 ms long: time enough to take something away in the middle.
pub(crate) fn twenty_calls() -> String {
    let steps = (0..20).map(|n| {
        let needs = if n == 0 { String::new() } else { format!("needs: [s{}], ", n - 1) };
        format!(
            "{{id: s{n}, {needs}uses: core/http@1, with: {{url: \"http://data.samples.svc/slow?ms=200\"}}, retry: {{attempts: 20, backoff: 200ms, maxBackoff: 2s}}}}"
        )
    });
    format!("{{steps: [{}]}}", steps.collect::<Vec<_>>().join(", "))
}

/// Each step of a run ended exactly once, and well.
pub(crate) async fn each_step_once(tenant: &Tenant, run: &str) -> anyhow::Result<()> {
    let seen = tenant.finished(run).await?;
    ensure!(seen["state"] == "succeeded", "{seen}");
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for event in tenant.events(run).await? {
        if event["type"] == "StepSucceeded" {
            *ends
                .entry(event["step"].as_str().unwrap_or_default().to_owned())
                .or_default() += 1;
        }
    }
    ensure!(
        ends.len() == 20 && ends.values().all(|count| *count == 1),
        "{ends:?}"
    );
    Ok(())
}

/// Waits until a run is well under way.
pub(crate) async fn under_way(tenant: &Tenant, run: &str) -> anyhow::Result<()> {
    eventually("the run is under way", 60, || async {
        let events = tenant.events(run).await?;
        let done = events
            .iter()
            .filter(|event| event["type"] == "StepSucceeded")
            .count();
        Ok((done >= 3).then_some(()))
    })
    .await
}
