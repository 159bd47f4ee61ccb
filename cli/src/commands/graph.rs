//! `flowpilot graph`: a workflow as a picture. Steps are boxes, blocks are boxes around them, and arrows say which end of
//! a step leads to which other. One graph is made of the plan, and three writers draw it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use super::lint::Finding;
use crate::manifests::one::Workflow;
use crate::output;

mod dot;
mod layout;
mod mermaid;
mod model;
mod svg;

#[cfg(test)]
mod tests;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  flowpilot graph refund.yaml                      Mermaid, for Markdown\n  flowpilot graph \
                        refund.yaml -o svg > refund.svg  a picture by itself\n  flowpilot graph all.yaml refund -o dot | dot -Tpng \
                        > a.png"
)]
pub(crate) struct Arguments {
    /// The file (or a folder); `-` is standard input
    file: PathBuf,
    /// Name of the workflow, if there are several
    workflow: Option<String>,
    /// Language of the picture
    #[arg(short, long, value_enum, default_value_t)]
    output: Picture,
}

/// Languages of pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Picture {
    /// For Markdown.
    #[default]
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For browsers.
    Svg,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let workflow = Workflow::find(&arguments.file, arguments.workflow.as_deref())?;
    let (spec, compiled) = match workflow.compile() {
        Ok(compiled) => compiled,
        Err(problems) => {
            for problem in problems {
                output::note(&Finding::of(&workflow.file, &workflow.document, problem).to_string());
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let title = spec.title.as_deref().unwrap_or(&workflow.document.name);
    let text = arguments.output.draw(&model::Graph::of(&compiled.plan, title))?;
    output::line(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

impl Picture {
    fn draw(self, graph: &model::Graph) -> Result<String, std::fmt::Error> {
        match self {
            Self::Mermaid => mermaid::written(graph),
            Self::Dot => dot::written(graph),
            Self::Svg => svg::written(graph),
        }
    }
}
