//! Waiting for something that another process does: asked again until it is so, with a limit and a reason.

use std::time::{Duration, Instant};

/// How often is asked. The cluster answers in a few milliseconds; more often would only take its cores away.
const PACE: Duration = Duration::from_millis(100);

/// Asks until there is an answer, at most for `seconds`. An error means "not yet" and is told when time is over.
pub async fn eventually<T, F>(what: &str, seconds: u64, mut ask: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        let last = match ask().await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() > end {
            let detail = last.map(|error| format!(": {error:#}")).unwrap_or_default();
            anyhow::bail!("not within {seconds} s: {what}{detail}");
        }
        tokio::time::sleep(PACE).await;
    }
}
