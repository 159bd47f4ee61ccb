//! Log lines on standard error: JSON for machines, text for a terminal.
//!
//! `FLOWPILOT_LOG` is a filter such as `info` or `warn,flowpilot_runner=debug` (unset: `info`);
//! `FLOWPILOT_LOG_FORMAT` is `json` or `text` (unset: text on a terminal, JSON otherwise).

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use snafu::{ResultExt, Snafu};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// The variable with the filter.
const FILTER: &str = "FLOWPILOT_LOG";
/// The variable with the format.
const FORMAT: &str = "FLOWPILOT_LOG_FORMAT";

/// Why logging could not be started.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum Error {
    /// The filter has a syntax error.
    #[snafu(display(
        "failed to read {FILTER} `{filter}`: write a level such as `info`, or `warn,crate_name=debug`"
    ))]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The format is not known.
    #[snafu(display("failed to read {FORMAT} `{format}`: write `json` or `text`"))]
    Format {
        /// What was given.
        format: String,
    },
    /// Somebody else set a subscriber before.
    #[snafu(display("failed to start logging: it was started before"))]
    Started {
        /// Where it failed.
        source: TryInitError,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Text,
}

/// Sends the log lines of this process to standard error, panics among them, and says that `service` starts.
pub fn start(service: &str) -> Result<(), Error> {
    begin(service, "info", std::io::stderr().is_terminal())
}

/// The same for a command that a person runs: as text, and with this filter unless the environment says otherwise.
pub fn start_for_person(service: &str, filter: &str) -> Result<(), Error> {
    begin(service, filter, true)
}

fn begin(service: &str, usual: &str, text: bool) -> Result<(), Error> {
    let terminal = std::io::stderr().is_terminal();
    let filter = filter(variable(FILTER).as_deref().unwrap_or(usual))?;
    let format = format(variable(FORMAT).as_deref(), text)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        // Fields on the top level: log stores index them without a rule of their own.
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .finish()
            .try_init(),
        Format::Text => lines.with_ansi(terminal).with_target(false).finish().try_init(),
    }
    .context(StartedSnafu)?;
    std::panic::set_hook(Box::new(log_panic));
    tracing::info!(service, version = env!("CARGO_PKG_VERSION"), "starting");
    Ok(())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn filter(filter: &str) -> Result<EnvFilter, Error> {
    EnvFilter::builder().parse(filter).context(FilterSnafu { filter })
}

fn format(given: Option<&str>, terminal: bool) -> Result<Format, Error> {
    match given {
        Some("json") => Ok(Format::Json),
        Some("text") => Ok(Format::Text),
        Some(format) => FormatSnafu { format }.fail(),
        None if terminal => Ok(Format::Text),
        None => Ok(Format::Json),
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let location = panic.location().map(ToString::to_string);
    tracing::error!(location, "panicked: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_terminal_unless_it_is_given() {
        assert_eq!(format(None, true).unwrap(), Format::Text);
        assert_eq!(format(None, false).unwrap(), Format::Json);
        assert_eq!(format(Some("text"), false).unwrap(), Format::Text);
        assert_eq!(format(Some("json"), true).unwrap(), Format::Json);
    }

    #[test]
    fn wrong_values_are_named_with_what_to_write_instead() {
        let error = format(Some("xml"), true).unwrap_err().to_string();
        assert_eq!(
            error,
            "failed to read FLOWPILOT_LOG_FORMAT `xml`: write `json` or `text`"
        );
        let error = filter("api=loud").unwrap_err().to_string();
        assert!(error.contains("`api=loud`"), "{error}");
        assert_eq!(filter("info").unwrap().to_string(), "info");
    }
}
