//! Mistakes that people make, and what they are told: `mistakes/table.yaml` has for each the manifest and every finding
//! with its line and column. Each points at what is wrong, in words that say what to do.

use flowpilot_engine::compile::Context;
use flowpilot_engine::manifest::{self, Document};
use flowpilot_engine::problem::Problem;
use serde::Deserialize;

/// What stands above each spec: four lines.
const HEAD: &str =
    "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: flow, namespace: fp-acme}\nspec:\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    #[serde(rename = "mistake")]
    name: String,
    spec: String,
    told: Vec<String>,
}

/// A finding as the table writes it. Advice about habits says nothing of the mistake.
fn line(document: &Document, problem: &Problem) -> Option<String> {
    if matches!(problem.code.as_str(), "UnusedOutput" | "NoTimeout") {
        return None;
    }
    let (line, column) = document.place(problem);
    let meant = problem
        .suggestion
        .iter()
        .map(|like| format!("; did you mean `{like}`?"));
    let meant: String = meant.collect();
    Some(format!(
        "{line}:{column} {} {}: {}{meant}",
        problem.code, problem.path, problem.message
    ))
}

fn told(spec: &str) -> Vec<String> {
    let text = format!("{HEAD}{spec}");
    match manifest::parse(text.as_bytes()) {
        Ok(documents) => {
            let document = &documents[0];
            let found = manifest::check(document, &Context::server(Some([].into())));
            found
                .iter()
                .filter_map(|problem| line(document, problem))
                .collect()
        }
        Err(problems) => problems
            .iter()
            .map(|problem| {
                format!(
                    "{}:{} {}: {}",
                    problem.line, problem.column, problem.code, problem.message
                )
            })
            .collect(),
    }
}

#[test]
fn each_mistake_is_told_where_it_is_and_what_to_do() {
    let table: Vec<Mistake> = serde_saphyr::from_str(include_str!("mistakes/table.yaml")).expect("a table");
    assert!(table.len() >= 70, "{}", table.len());
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|entry| {
            let found = told(&entry.spec);
            let differs = found != entry.told;
            differs.then(|| format!("{}\n{}", entry.name, found.join("\n")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
