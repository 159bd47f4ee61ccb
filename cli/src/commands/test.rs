//! `flowpilot test`: WorkflowTest documents, in simulated time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::client::Client;
use crate::journal::{self, Journal};
use crate::testing::case::{Case, Outcome};
use crate::testing::cover::Cover;
use crate::testing::document::TestDocument;
use crate::testing::junit::{self, Entry};
use crate::testing::recorded::{self, Recording};
use crate::testing::text::{TestFile, Unreadable};
use crate::testing::workflows::Workflows;
use crate::testing::{scripts, show, update};
use crate::{Connection, manifests, output, values};

/// Something could not be read.
const UNREADABLE: u8 = 2;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowpilot test flows/
  flowpilot test refund-test.yaml --update
  flowpilot test . --output junit --coverage
  flowpilot test --record run.json > refund-test.yaml

Exit status: 0 all passed, 1 some failed, 2 something could not be read, or no test was found.")]
pub(crate) struct Arguments {
    /// Files, or folders whose .yaml, .yml and .json files are searched for WorkflowTests
    #[arg(required_unless_present = "record")]
    paths: Vec<PathBuf>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Report,
    /// Only tests with this text in their name
    #[arg(long)]
    filter: Option<String>,
    /// What ids and random values come from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write what happened into `expect` of the tests that fail
    #[arg(long)]
    update: bool,
    /// Name the steps, edges and cases that no test took
    #[arg(long)]
    coverage: bool,
    /// Print a test of a real run: its id, or a file with its journal
    #[arg(long, value_name = "RUN|JOURNAL.json")]
    record: Option<String>,
    /// The workflow of the recorded run. A journal of `run --local` or `runs --journal` has it
    #[arg(long, value_name = "FILE", requires = "record")]
    workflow: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Report {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// JUnit XML.
    Junit,
}

/// A test, what came of it, and how long that took.
struct Done {
    case: Case,
    result: Outcome,
    took: Duration,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if let Some(record) = &arguments.record {
        return print_recorded(record, arguments.workflow.as_deref(), &arguments.connection).await;
    }
    match all(&arguments) {
        Ok(code) => Ok(code),
        Err(error) => {
            output::error(&format!("{error:#}"));
            Ok(ExitCode::from(UNREADABLE))
        }
    }
}

fn all(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let files = manifests::files(&arguments.paths)?;
    let files: Vec<TestFile> = files
        .iter()
        .map(|path| TestFile::read(path))
        .collect::<Result<_, _>>()?;
    let (cases, unreadable) = cases(&files, arguments.filter.as_deref());
    let done = run_all(cases, arguments.seed);
    let failed = done
        .iter()
        .filter(|done| !done.result.differences.is_empty())
        .count();
    print(&files, &done, arguments)?;
    for problem in &unreadable {
        output::error(&problem.to_string());
    }
    if done.is_empty() && unreadable.is_empty() {
        // A path or a filter that meets nothing must not pass for success.
        let searched = arguments.filter.as_ref().map_or_else(
            || "write one, or name another path".to_owned(),
            |filter| format!("none has `{filter}` in its name"),
        );
        output::error(&format!("there is no WorkflowTest here: {searched}"));
        return Ok(ExitCode::from(UNREADABLE));
    }
    if arguments.update {
        write_updates(&files, &done)?;
    }
    let summary = format!("{} passed, {failed} failed", done.len() - failed);
    if arguments.output == Report::Text {
        output::line(&summary);
    } else {
        output::note(&summary);
    }
    Ok(match (unreadable.is_empty(), failed) {
        (false, _) => ExitCode::from(UNREADABLE),
        (true, 0) => ExitCode::SUCCESS,
        (true, _) => ExitCode::FAILURE,
    })
}

/// The tests of all files, and what cannot be read.
fn cases(files: &[TestFile], filter: Option<&str>) -> (Vec<Case>, Vec<Unreadable>) {
    let (mut cases, mut unreadable) = (Vec::new(), Vec::new());
    for (number, file) in files.iter().enumerate() {
        for part in &file.parts {
            let document = match file.parse(part) {
                Ok(Some(document)) => document,
                Ok(None) => continue,
                Err(problem) => {
                    unreadable.push(problem);
                    continue;
                }
            };
            let place = |path: &str| document.position(path).unwrap_or((1, 1));
            match TestDocument::read(&document.object) {
                Ok(test) if filter.is_none_or(|filter| test.name.contains(filter)) => cases.push(Case {
                    file: number,
                    part: part.clone(),
                    line: place("apiVersion").0 + part.lines,
                    folder: file.path.parent().unwrap_or(Path::new("")).to_owned(),
                    test,
                }),
                Ok(_) => {}
                Err(wrong) => {
                    let (line, column) = place(&wrong.path);
                    let message = if wrong.path.is_empty() {
                        wrong.message
                    } else {
                        format!("{}: {}", wrong.path, wrong.message)
                    };
                    let message = format!("{} ({})", message, document.name);
                    unreadable.push(Unreadable {
                        file: file.path.clone(),
                        line: line + part.lines,
                        column,
                        message,
                    });
                }
            }
        }
    }
    (cases, unreadable)
}

/// Runs the tests on all processors; the results are in the order of the tests.
fn run_all(cases: Vec<Case>, seed: u64) -> Vec<Done> {
    let workflows = Workflows::default();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(cases.len()));
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(cases.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let work = || {
                let mut own = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { break };
                    let began = Instant::now();
                    let result = case.run(&workflows, seed, &scripts::run);
                    own.push((number, result, began.elapsed()));
                }
                results
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .extend(own);
            };
            // A system that gives no more threads leaves the work to those that there are.
            if std::thread::Builder::new()
                .stack_size(scripts::STACK)
                .spawn_scoped(scope, work)
                .is_err()
            {
                work();
            }
        }
    });
    let mut results = results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(number, ..)| *number);
    cases
        .into_iter()
        .zip(results)
        .map(|(case, (_, result, took))| Done { case, result, took })
        .collect()
}

fn print(files: &[TestFile], done: &[Done], arguments: &Arguments) -> anyhow::Result<()> {
    let file = |done: &Done| files[done.case.file].path.display().to_string();
    match arguments.output {
        Report::Text => {
            for done in done {
                output::line(&show::line(&done.case, &done.result, &file(done)));
                if !done.result.differences.is_empty() {
                    output::line(show::details(&done.case, &done.result).trim_end());
                }
            }
        }
        Report::Json => output::document(
            &done
                .iter()
                .map(|done| document(done, &file(done)))
                .collect::<Vec<_>>(),
            crate::Format::Json,
        )?,
        Report::Junit => {
            let entries: Vec<Entry<'_>> = done
                .iter()
                .map(|done| Entry {
                    file: file(done),
                    case: &done.case,
                    result: &done.result,
                    took: done.took,
                })
                .collect();
            output::line(junit::document(&entries).trim_end());
        }
    }
    if arguments.coverage {
        let mut cover = Cover::default();
        for done in done {
            cover.add(&done.result);
        }
        let print = if arguments.output == Report::Text {
            output::line
        } else {
            output::note
        };
        for line in cover.lines() {
            print(&line);
        }
    }
    Ok(())
}

fn document(done: &Done, file: &str) -> Value {
    let differences = done.result.differences.iter().map(|difference| {
        json!({"place": difference.place, "expected": difference.expected, "actual": difference.actual})
    });
    json!({
        "name": done.case.test.name,
        "file": file,
        "line": done.case.line,
        "why": done.case.test.why,
        "passed": done.result.differences.is_empty(),
        "seconds": done.took.as_secs_f64(),
        "differences": differences.collect::<Vec<_>>(),
    })
}

/// Writes what happened into the files, from each file's end so that places before stay what they are.
fn write_updates(files: &[TestFile], done: &[Done]) -> anyhow::Result<()> {
    for (number, file) in files.iter().enumerate() {
        let mut text = file.text.clone();
        for done in done.iter().rev().filter(|done| done.case.file == number) {
            let object = file
                .parse(&done.case.part)
                .ok()
                .flatten()
                .map(|document| document.object);
            let new =
                object.and_then(|object| update::updated(file.part(&done.case.part), &object, &done.result));
            if let Some(new) = new {
                text.replace_range(done.case.part.bytes.clone(), &new);
            }
        }
        if text != file.text {
            std::fs::write(&file.path, text)
                .with_context(|| format!("failed to write {}", file.path.display()))?;
            output::note(&format!("updated {}", file.path.display()));
        }
    }
    Ok(())
}

/// Prints the test of a real run.
async fn print_recorded(
    record: &str,
    workflow: Option<&Path>,
    connection: &Connection,
) -> anyhow::Result<ExitCode> {
    let (whole, bare) = if Path::new(record).exists() {
        let text = values::text(Path::new(record), journal::FILE_BYTES)?;
        if journal::is_journal(&text) {
            (Journal::parse(&text, record)?.runs, Vec::new())
        } else {
            (Vec::new(), recorded::events(&text)?)
        }
    } else {
        anyhow::ensure!(
            uuid::Uuid::parse_str(record).is_ok(),
            "there is no file {record}, and it is no id of a run"
        );
        let client = Client::new(connection)?;
        let tenant = connection.tenant()?;
        if workflow.is_none() {
            let run = super::runs::recorded::fetch(&client, &tenant, record, None).await?;
            (vec![run], Vec::new())
        } else {
            let text = stream(record, &client, &tenant).await?;
            (Vec::new(), recorded::events(&text)?)
        }
    };
    let recorded = whole.first();
    let plan = match (workflow, recorded) {
        (Some(file), _) => Workflows::default().plan(file).map_err(anyhow::Error::msg)?,
        (None, Some(recorded)) => recorded.plan()?,
        (None, None) => bail!("{record} has no manifest: give it with --workflow"),
    };
    let others = whole.iter().skip(1);
    let others = others
        .map(|other| Ok((other, other.plan()?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let recording = Recording {
        events: recorded.map_or(&bare, |recorded| &recorded.events),
        plan: &plan,
        recorded,
        others: &others,
    };
    let called = recorded.map(|recorded| recorded.facts.workflow.clone());
    let stem = workflow.and_then(Path::file_stem);
    let name = stem.map_or(called.unwrap_or_default(), |stem| {
        stem.to_string_lossy().into_owned()
    });
    let file = workflow.map(|file| file.display().to_string());
    let document = recorded::test(&recording, &format!("recorded-{name}"), file.as_deref())?;
    output::line(document.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// The events of a run, one per line, once it has ended.
async fn stream(run: &str, client: &Client, tenant: &str) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    super::logs::follow(client, tenant, run, None, |event| {
        lines.push(event.to_string());
    })
    .await?;
    Ok(lines.join("\n"))
}
