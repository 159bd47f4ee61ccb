//! Manifests in files and folders, read together: what one of them says may matter to another.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use flowpilot_crds::names::tenant_of;
use flowpilot_engine::compile::Context;
use flowpilot_engine::manifest::{self, Document, MANIFEST_BYTES, ManifestProblem};
use serde_json::Value;

pub(crate) mod one;

/// Files that one call looks at: a folder by mistake, such as `/`, ends soon.
const MAX_FILES: usize = 10_000;
/// Bytes of all files together; what is made of them takes several times as much.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A file that was read.
pub(crate) struct Source {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// What it declares, or why nothing is known of it.
    pub(crate) content: Result<Vec<Document>, Vec<ManifestProblem>>,
}

/// Reads the files among `paths`, and the manifest files in folders below them, in order; `-` is standard input.
pub(crate) fn load(paths: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let mut bytes = 0;
    let mut sources = Vec::new();
    for file in files(paths)? {
        let content = match read(&file) {
            Ok(text) => {
                bytes += text.len();
                ensure!(
                    bytes <= MAX_BYTES,
                    "more than {} MiB of manifests: name fewer files",
                    MAX_BYTES >> 20
                );
                manifest::parse(&text)
            }
            Err(error) => Err(vec![unreadable(&error)]),
        };
        sources.push(Source { file, content });
    }
    Ok(sources)
}

/// A file that cannot be read.
pub(crate) fn unreadable(error: &std::io::Error) -> ManifestProblem {
    ManifestProblem {
        line: 1,
        column: 1,
        code: "Unreadable".to_owned(),
        message: format!("failed to read the file: {error}"),
    }
}

/// No more of a file than shows that it is too large.
pub(crate) fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(MANIFEST_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut text = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut text)?;
    } else {
        std::fs::File::open(file)?.take(limit).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// The files among `paths`, and the manifest files in folders below them, in order.
pub(crate) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open: Vec<(PathBuf, bool)> = paths.iter().rev().map(|path| (path.clone(), true)).collect();
    while let Some((path, named)) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path);
            let entries = entries.with_context(|| format!("failed to read the folder {}", path.display()))?;
            let mut inside: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            inside.sort_by(|left, right| right.cmp(left));
            let seen = inside.into_iter().filter(|path| !hidden(path));
            open.extend(seen.map(|path| (path, false)));
        } else if named || is_manifest(&path) {
            found.push(path);
        }
        ensure!(
            found.len() <= MAX_FILES,
            "more than {MAX_FILES} files: name a folder of manifests"
        );
    }
    Ok(found)
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

/// The tenants among some files, with the names of their variables.
pub(crate) struct Tenants(BTreeMap<String, BTreeSet<String>>);

impl Tenants {
    /// Those that are declared, whether or not all of their manifest is right.
    pub(crate) fn among(sources: &[Source]) -> Self {
        let documents = sources
            .iter()
            .filter_map(|source| source.content.as_ref().ok())
            .flatten();
        let tenants = documents.filter(|document| document.kind == "Tenant");
        Self(
            tenants
                .map(|tenant| (tenant.name.clone(), variables(tenant)))
                .collect(),
        )
    }

    /// The variables of one of them.
    pub(crate) fn variables(&self, tenant: &str) -> Option<&BTreeSet<String>> {
        self.0.get(tenant)
    }

    /// What is known of the tenant of a manifest: that of its namespace; without one, the only one there is.
    pub(crate) fn context(&self, document: &Document) -> Context {
        let variables = match (&document.namespace, self.0.len()) {
            (Some(namespace), _) => tenant_of(namespace).and_then(|tenant| self.variables(tenant)),
            (None, 1) => self.0.values().next(),
            (None, _) => None,
        };
        Context::server(variables.cloned())
    }
}

fn variables(tenant: &Document) -> BTreeSet<String> {
    let declared = tenant
        .object
        .pointer("/spec/variables")
        .and_then(Value::as_object);
    declared
        .into_iter()
        .flat_map(|variables| variables.keys().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_hidden_files_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", ".c.yaml", "d.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = files(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy())
            .collect();
        assert_eq!(names, ["a.yml", "b.yaml"]);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large.yaml");
        std::fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
        let sources = load(&[file]).unwrap();
        assert_eq!(sources[0].content.as_ref().unwrap_err()[0].code, "LimitExceeded");
    }
}
