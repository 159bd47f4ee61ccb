//! `flowpilot logs`: what happens in a run, as it happens, from its stream of events.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use serde_json::Value;

use crate::client::Client;
use crate::{Connection, Format, output};

/// Tries to take a broken stream up again before giving up.
const RECONNECTS: u32 = 30;
/// Wait between them.
const RECONNECT_WAIT: Duration = Duration::from_secs(1);
/// The largest message of a stream: a step's output is at most 1 MiB, escaped at most twice that.
const MAX_MESSAGE: usize = 4 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Id of the run
    run: String,
    /// Only events after this number
    #[arg(long)]
    after: Option<i64>,
    /// How to print: a line per event, or each event as JSON
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.connection)?;
    let tenant = arguments.connection.tenant()?;
    let format = arguments.output;
    follow(
        &client,
        &tenant,
        &arguments.run,
        arguments.after,
        |event| match format {
            Format::Table => print(event),
            Format::Json => output::line(&event.to_string()),
            Format::Yaml => {
                output::line("---");
                let _ = output::document(event, Format::Yaml);
            }
        },
    )
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the run's events until it ends, taking the stream up again where it broke off.
pub(crate) async fn follow(
    client: &Client,
    tenant: &str,
    run: &str,
    mut after: Option<i64>,
    mut each: impl FnMut(&Value),
) -> anyhow::Result<()> {
    let path = format!("/api/v1/tenants/{tenant}/runs/{run}/stream");
    let mut failures = 0;
    loop {
        match client.stream(&path, after).await {
            Ok(response) => {
                let mut messages = Messages::default();
                let mut chunks = response.bytes_stream();
                while let Some(Ok(chunk)) = chunks.next().await {
                    for message in messages.push(&chunk)? {
                        failures = 0;
                        after = message.id.or(after);
                        let event: Value = serde_json::from_str(&message.data).unwrap_or_default();
                        each(&event);
                        if event["type"] == "RunFinished" {
                            return Ok(());
                        }
                    }
                }
            }
            Err(error) if failures == 0 && after.is_none() => return Err(error),
            Err(_) => {}
        }
        failures += 1;
        if failures > RECONNECTS {
            bail!("the stream of run {run} broke off and could not be taken up again");
        }
        tokio::time::sleep(RECONNECT_WAIT).await;
    }
}

/// Prints one event as a line.
pub(crate) fn print(event: &Value) {
    output::line(&line(event));
}

/// One event as a line: time, step, what happened.
pub(crate) fn line(event: &Value) -> String {
    let text = |pointer: &str| output::text(event, pointer);
    let what = match event["type"].as_str().unwrap_or_default() {
        "RunStarted" => "run started".to_owned(),
        "StepStarted" if event["attempt"].as_u64() > Some(1) => {
            format!("started, attempt {}", text("/attempt"))
        }
        "StepStarted" => "started".to_owned(),
        "StepSucceeded" => "succeeded".to_owned(),
        "StepFailed" => {
            let again = text("/retry_at");
            let next = if again.is_empty() {
                String::new()
            } else {
                format!("; next attempt at {again}")
            };
            format!(
                "failed: {}: {}{next}",
                text("/error/code"),
                text("/error/message")
            )
        }
        "StepSkipped" => format!("skipped: {}", text("/reason")),
        "StepCancelled" => "cancelled".to_owned(),
        "WaitStarted" if event["until"].is_null() => "waits".to_owned(),
        "WaitStarted" => format!("waits until {}", text("/until")),
        "IterationsOpened" => match event["items"].as_array() {
            Some(items) => format!("has {} items", items.len()),
            None => "turns begin".to_owned(),
        },
        "IterationStarted" => "begun".to_owned(),
        "IterationEnded" => text("/end/outcome"),
        "BlockFailing" => format!("is failing: {}: {}", text("/error/code"), text("/error/message")),
        "UndoGivenUp" => "undo took too long".to_owned(),
        "CleanUpTimedOut" => "clean-up took too long".to_owned(),
        "Voted" if event["vote"]["approve"] == true => format!("approved by {}", text("/vote/by")),
        "Voted" => format!("rejected by {}", text("/vote/by")),
        "CancelRequested" => format!("cancel requested by {}", text("/by")),
        "RunFinished" => format!("run {}", text("/outcome")),
        other => other.to_owned(),
    };
    told(text("/at"), &text("/step"), &what)
}

/// A line about a step.
pub(crate) fn told(at: impl std::fmt::Display, step: &str, what: &str) -> String {
    format!("{at}  {step:<24}  {what}")
}

/// Puts server-sent events together from the chunks in which they arrive (HTML standard, "server-sent events").
#[derive(Default)]
struct Messages {
    buffer: Vec<u8>,
}

struct Message {
    id: Option<i64>,
    data: String,
}

impl Messages {
    fn push(&mut self, chunk: &[u8]) -> anyhow::Result<Vec<Message>> {
        self.buffer.extend_from_slice(chunk);
        let mut complete = Vec::new();
        while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let block = std::str::from_utf8(&block).context("the server's stream is not UTF-8")?;
            complete.extend(Message::parse(block));
        }
        anyhow::ensure!(
            self.buffer.len() <= MAX_MESSAGE,
            "an event of the stream is larger than {MAX_MESSAGE} bytes"
        );
        Ok(complete)
    }
}

impl Message {
    /// The message in a block, unless it is a comment or not about the journal.
    fn parse(block: &str) -> Option<Self> {
        let mut message = Self {
            id: None,
            data: String::new(),
        };
        for line in block.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => message.id = value.parse().ok(),
                "data" => message.data.push_str(value),
                "event" if value == "bye" || value == "reset" => return None,
                _ => {}
            }
        }
        (!message.data.is_empty()).then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_put_together_from_any_chunks() {
        let stream = ": hello\n\nid: 3\nevent: StepStarted\ndata: {\"a\":1}\n\nevent: bye\ndata: {}\n\nid: 4\ndata: {}\n\n";
        for size in 1..stream.len() {
            let mut messages = Messages::default();
            let mut seen = Vec::new();
            for chunk in stream.as_bytes().chunks(size) {
                seen.extend(
                    messages
                        .push(chunk)
                        .unwrap()
                        .into_iter()
                        .map(|message| (message.id, message.data)),
                );
            }
            assert_eq!(
                seen,
                [(Some(3), "{\"a\":1}".to_owned()), (Some(4), "{}".to_owned())],
                "chunks of {size}"
            );
        }
    }

    #[test]
    fn a_message_without_end_is_refused() {
        let mut messages = Messages::default();
        assert!(messages.push(&vec![b'x'; MAX_MESSAGE + 1]).is_err());
    }
}
