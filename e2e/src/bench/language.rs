//! Figures of the language: compiler, expressions and interpreter, measured by the engine's benches in processor time.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use super::figures::Figure;

/// What a bench should take, by criterion's name of it; the others are only reported.
const AIMS: [(&str, &str); 6] = [
    ("20 steps/parse, check and compile", "≤ 300 µs"),
    ("500 steps/parse, check and compile", "≤ 8 ms"),
    ("expression/filter 50 items", "≤ 10 µs"),
    ("expression/condition", "≤ 150 ns"),
    ("run/three steps", "≥ 1,000,000 events/s"),
    ("restore after 10000 events", "≤ 1 ms"),
];

/// The benches that left their results in `directory`, in the order of their names.
pub fn measured(directory: &Path) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut folders = vec![directory.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("no results in {}", folder.display()))?
        {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == "new") {
                figures.push(result(&path)?);
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    figures.sort_by(|one, other| one.what.cmp(&other.what));
    Ok(figures)
}

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
    throughput: Option<Value>,
}

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    /// Nanoseconds.
    times: Vec<f64>,
}

fn result(folder: &Path) -> anyhow::Result<Figure> {
    let benchmark: Benchmark = serde_json::from_slice(&std::fs::read(folder.join("benchmark.json"))?)?;
    let sample: Sample = serde_json::from_slice(&std::fs::read(folder.join("sample.json"))?)?;
    let nanoseconds: Vec<f64> = sample
        .times
        .iter()
        .zip(&sample.iters)
        .map(|(time, count)| time / count)
        .collect();
    let aim = AIMS
        .iter()
        .find(|(name, _)| *name == benchmark.full_id)
        .map_or("", |(_, aim)| aim);
    let what = format!("{} (processor time)", benchmark.full_id);
    if let Some(events) = benchmark
        .throughput
        .as_ref()
        .and_then(|count| count["Elements"].as_f64())
    {
        let rates = nanoseconds.iter().map(|time| events * 1e9 / time).collect();
        return Ok(Figure::of(what, "events/s", rates, aim));
    }
    let (unit, divisor) = match super::figures::percentile(&nanoseconds, 0.5) {
        median if median < 1e3 => ("ns", 1.0),
        median if median < 1e6 => ("µs", 1e3),
        _ => ("ms", 1e6),
    };
    Ok(Figure::of(
        what,
        unit,
        nanoseconds.iter().map(|time| time / divisor).collect(),
        aim,
    ))
}

/// Figures that a bench printed, one JSON object a line.
pub fn printed(file: &Path) -> anyhow::Result<Vec<Figure>> {
    #[derive(Deserialize)]
    struct Line {
        what: String,
        unit: String,
        values: Vec<f64>,
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines()
        .map(|line| {
            let Line { what, unit, values } = serde_json::from_str(line)?;
            Ok(Figure::of(what, unit, values, ""))
        })
        .collect()
}

/// `flowpilot lint` of a file with a hundred steps, from the start of the process to its end.
pub async fn lint(program: &Path, rounds: usize) -> anyhow::Result<Figure> {
    let folder = std::env::temp_dir().join(format!("flowpilot-bench-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("hundred.yaml");
    std::fs::write(&file, hundred_steps())?;
    let mut times = Vec::new();
    for round in 0..=rounds {
        let start = Instant::now();
        let mut command = Command::new(program);
        command
            .arg("lint")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        ensure!(
            command.status().await?.success(),
            "the workflow of the benchmark has problems"
        );
        if round > 0 {
            times.push(start.elapsed());
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(Figure::milliseconds(
        "`flowpilot lint` of 100 steps, whole process",
        &times,
        "≤ 20 ms",
    ))
}

fn hundred_steps() -> String {
    let mut text =
        "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: hundred, namespace: fp-acme}\n\
                    spec:\n  steps:\n  - {id: s0, uses: core/log@1, with: {message: start}, timeout: 10s}\n"
            .to_owned();
    for step in 1..100 {
        let before = step - 1;
        let _ = writeln!(
            text,
            "  - {{id: s{step}, needs: [s{before}], uses: core/log@1, timeout: 10s, with: {{message: \"{step} after \
             $(steps.s{before}.outcome)\"}}}}"
        );
    }
    text
}
