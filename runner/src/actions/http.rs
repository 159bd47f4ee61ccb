//! `core/http@1`: one HTTP request, with redirects, limits and typed errors.
//!
//! ```text
//! with ─► request ─► guard ─► send ─┬─ 3xx ─► next hop, judged again
//!                                   ├─ expected ─► body ─► output
//!                                   └─ otherwise ─► error by status
//! ```

mod input;
mod outcome;
mod redirect;
mod response;

#[cfg(test)]
mod tests;

use std::time::Duration;

use flowpilot_engine::journal::StepError;
use jiff::Timestamp;
use reqwest::Response;
use serde_json::Value;

use super::failure::failure;
use super::{Call, read_input};
use crate::guard::{Guard, Refused};
use input::{Input, Request};
use outcome::{Sent, transport_error};

/// Time for the whole exchange where the step has no timeout.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

pub(super) async fn perform(guard: &Guard, call: Call) -> Result<Value, StepError> {
    let Call {
        run: _,
        epoch,
        step: _,
        action: _,
        with,
        idempotency_key,
        deadline,
    } = call;
    let request = Request::new(read_input::<Input>(with)?, &idempotency_key, epoch)?;
    let timeout = deadline.map_or(DEFAULT_TIMEOUT, time_until);
    let sent = Sent::new(&request.method);
    match tokio::time::timeout(timeout, exchange(guard, request, &sent)).await {
        Ok(result) => result,
        Err(_) => Err(sent.mark(failure(
            "Timeout",
            format!("no complete answer within {} s", timeout.as_secs_f64()),
        ))),
    }
}

fn time_until(deadline: Timestamp) -> Duration {
    // A deadline that is over already gives a zero timeout, and so a `Timeout`.
    Duration::try_from(deadline.duration_since(Timestamp::now())).unwrap_or_default()
}

async fn exchange(guard: &Guard, mut request: Request, sent: &Sent) -> Result<Value, StepError> {
    let mut followed = 0;
    loop {
        let response = send(guard, &request, sent).await?;
        match redirect::location(&response) {
            Some(location) if request.follow > 0 && !request.expects(response.status()) => {
                followed += 1;
                if followed > request.follow {
                    return Err(sent.mark(redirect::too_many(request.follow)));
                }
                let status = response.status();
                request = redirect::follow(request, status, &location).map_err(|error| sent.mark(error))?;
            }
            _ if request.expects(response.status()) => {
                return response::output(response, &request)
                    .await
                    .map_err(|error| sent.mark(error));
            }
            _ => return Err(outcome::status_error(response, sent).await),
        }
    }
}

async fn send(guard: &Guard, request: &Request, sent: &Sent) -> Result<Response, StepError> {
    let client = guard.client(&request.url).map_err(|refused| match refused {
        Refused::Address { blocked } => outcome::not_allowed(&blocked),
        Refused::Url { message } => super::failure::invalid_input(format!("with.url: {message}")),
        Refused::Client { message } => super::failure::internal(message),
    });
    let client = client.map_err(|error| sent.mark(error))?;
    let mut builder = client
        .request(request.method.clone(), request.url.clone())
        .headers(request.headers.clone());
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    // From here on until the connection is refused, the other side may have seen it.
    let before = sent.begin();
    builder
        .send()
        .await
        .map_err(|error| transport_error(&error, sent, before))
}
