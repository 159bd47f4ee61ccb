//! `flowpilot fmt`: manifests in their canonical form. Keys stand in the order in which the types declare them, lines are
//! indented by two, and comments stay with what they speak of. Scalars are never written anew: ranges of the text move.
//! Nothing is written unless the new text is read as the same objects, with the same comments.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use flowpilot_engine::manifest::{self, ManifestProblem};
use similar::TextDiff;

use super::lint::Finding;
use crate::{manifests, output};

mod block;
mod flow;
mod gap;
mod same;
mod text;
mod tree;

#[cfg(test)]
mod tests;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  flowpilot fmt .                  all manifests below this folder\n  flowpilot fmt --check workflows  \
                        for CI: nothing is written, and it fails if something would be\n  flowpilot fmt - < a.yaml         from \
                        standard input to standard output"
)]
pub(crate) struct Arguments {
    /// Files, or folders whose .yaml, .yml and .json files are read; `-` is standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Write nothing; show what would change, and fail if there is anything
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (mut changed, mut same, mut failed) = (0, 0, 0);
    for file in manifests::files(&arguments.paths)? {
        let name = file.display().to_string();
        match read(&file) {
            Err(problems) => {
                failed += 1;
                for problem in &problems {
                    output::note(&Finding::unreadable(&name, problem).to_string());
                }
            }
            Ok((old, new)) => {
                let differs = old != new;
                changed += usize::from(differs);
                same += usize::from(!differs);
                match (arguments.check, file == Path::new("-")) {
                    (true, _) if differs => output::line(diff(&name, &old, &new).trim_end()),
                    (false, true) => print(&new)?,
                    (false, false) if differs => {
                        write(&file, &new).with_context(|| format!("failed to write {name}"))?;
                        output::note(&format!("formatted {name}"));
                    }
                    (true, _) | (false, false) => {}
                }
            }
        }
    }
    let verb = if arguments.check {
        "would change"
    } else {
        "changed"
    };
    output::note(&format!(
        "{changed} files {verb}, {same} are as they should be, {failed} cannot be read"
    ));
    let is_good = failed == 0 && (changed == 0 || !arguments.check);
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The text of a file as it is and as it should be.
fn read(file: &Path) -> Result<(String, String), Vec<ManifestProblem>> {
    let bytes = manifests::read(file).map_err(|error| vec![manifests::unreadable(&error)])?;
    let before = manifest::parse(&bytes)?;
    // It was read, so it is UTF-8.
    let old = String::from_utf8_lossy(&bytes).into_owned();
    let new = text::formatted(&old).map_err(|refused| vec![problem(&old, &refused)])?;
    match same::check(&old, &before, &new) {
        Ok(()) => Ok((old, new)),
        Err(why) => Err(vec![ManifestProblem {
            line: 1,
            column: 1,
            code: "NotFormatted".to_owned(),
            message: format!("the file is left as it is, since {why}: format it by hand, and report this"),
        }]),
    }
}

fn problem(text: &str, refused: &tree::Refused) -> ManifestProblem {
    let before = &text[..text.floor_char_boundary(refused.at)];
    let number = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
    ManifestProblem {
        line: number(before.matches('\n').count()),
        column: number(before.rsplit('\n').next().map_or(0, |line| line.chars().count())),
        code: "NotFormatted".to_owned(),
        message: refused.why.clone(),
    }
}

fn diff(name: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().header(name, name).to_string()
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("failed to write to standard output")
}

/// Writes a file whole or not at all, behind a link, too.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let file = file.canonicalize()?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(file.metadata()?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}
