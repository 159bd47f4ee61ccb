//! Manifest files of a folder, as `flowpilot dev` serves them.
//!
//! Nothing is kept beside what a file said when it was last looked at: files are edited by people, and the newest
//! one is right. A changed file is written beside the old one and renamed over it, so that nobody sees half of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use flowpilot_crds::Workflow;
use flowpilot_crds::names::{namespace_of, tenant_of};
use flowpilot_engine::digest::digest_of;

use super::{Change, Definition, Manifest, Precondition};
use crate::problem::{Code, Problem};

/// Files that are looked at: a folder of manifests, not a home directory.
const FILES: usize = 2_000;
/// Depth of folders in the folder.
const DEPTH: usize = 8;

/// A folder of manifests.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// The tenant of manifests without a namespace.
    tenant: String,
    seen: Arc<Mutex<HashMap<PathBuf, Seen>>>,
    writing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Seen {
    modified: Option<SystemTime>,
    length: u64,
    found: Vec<Found>,
    documents: usize,
}

#[derive(Clone, Debug)]
struct Found {
    tenant: String,
    definition: Arc<Definition>,
}

/// A workflow and the file it stands in.
struct Place {
    path: PathBuf,
    alone: bool,
    found: Found,
}

impl Folder {
    /// The manifests below `root`; those without a namespace are of `tenant`.
    #[must_use]
    pub fn new(root: PathBuf, tenant: String) -> Self {
        Self {
            root,
            tenant,
            seen: Arc::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    pub(super) async fn list(&self, tenant: &str) -> Result<Vec<Arc<Definition>>, Problem> {
        let mut places = self.look().await?;
        places.retain(|place| place.found.tenant == tenant);
        let mut all: Vec<_> = places.into_iter().map(|place| place.found.definition).collect();
        all.sort_by(|left, right| left.workflow.metadata.name.cmp(&right.workflow.metadata.name));
        all.dedup_by(|left, right| left.workflow.metadata.name == right.workflow.metadata.name);
        Ok(all)
    }

    pub(super) async fn get(&self, tenant: &str, name: &str) -> Result<Option<Arc<Definition>>, Problem> {
        Ok(self.find(tenant, name).await?.map(|place| place.found.definition))
    }

    pub(super) async fn apply(
        &self,
        change: &Change<'_>,
        manifest: &Manifest,
    ) -> Result<Definition, Problem> {
        let _guard = self.writing.lock().await;
        let place = self.find(change.tenant, change.name).await?;
        check(change, place.as_ref())?;
        let mut object = manifest.object(change.tenant, change.name);
        if change.tenant == self.tenant
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("namespace");
        }
        let workflow: Workflow = serde_json::from_value(object.clone())
            .map_err(|error| Problem::new(Code::MalformedRequest, error.to_string()))?;
        let definition = definition(workflow, change.tenant, &object);
        if !change.dry_run {
            let text = serde_saphyr::to_string(&object).map_err(|error| Problem::internal(&error))?;
            let path = place.map_or_else(
                || self.root.join(format!("{}.yaml", change.name)),
                |place| place.path,
            );
            if path.exists() && change.precondition == Precondition::Absent {
                return Err(Problem::new(
                    Code::AlreadyExists,
                    format!("the file {} exists", path.display()),
                ));
            }
            let beside = path.with_extension("yaml.new");
            let written = async {
                tokio::fs::write(&beside, text).await?;
                tokio::fs::rename(&beside, &path).await
            };
            written.await.map_err(|error| Problem::internal(&error))?;
        }
        Ok(definition)
    }

    pub(super) async fn delete(&self, change: &Change<'_>) -> Result<(), Problem> {
        let _guard = self.writing.lock().await;
        let place = self.find(change.tenant, change.name).await?;
        check(change, place.as_ref())?;
        let Some(place) = place.filter(|_| !change.dry_run) else {
            return Ok(());
        };
        tokio::fs::remove_file(&place.path)
            .await
            .map_err(|error| Problem::internal(&error))
    }

    async fn find(&self, tenant: &str, name: &str) -> Result<Option<Place>, Problem> {
        let places = self.look().await?;
        Ok(places.into_iter().find(|place| {
            place.found.tenant == tenant
                && place.found.definition.workflow.metadata.name.as_deref() == Some(name)
        }))
    }

    async fn look(&self) -> Result<Vec<Place>, Problem> {
        let (root, tenant, seen) = (self.root.clone(), self.tenant.clone(), Arc::clone(&self.seen));
        let looked = tokio::task::spawn_blocking(move || {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            look(&root, &tenant, &mut seen)
        });
        looked.await.map_err(|error| Problem::internal(&error))
    }
}

fn check(change: &Change<'_>, place: Option<&Place>) -> Result<(), Problem> {
    let Some(place) = place else {
        return if change.precondition == Precondition::Absent {
            Ok(())
        } else {
            Err(Problem::not_found())
        };
    };
    match &change.precondition {
        Precondition::Absent => {
            return Err(Problem::new(
                Code::AlreadyExists,
                format!("the workflow `{}` exists", change.name),
            ));
        }
        Precondition::Version(versions) if !versions.contains(&place.found.definition.version) => {
            return Err(Problem::new(
                Code::PreconditionFailed,
                "the file changed since it was read",
            ));
        }
        Precondition::Version(_) | Precondition::Exists => {}
    }
    if place.alone {
        return Ok(());
    }
    let file = place.path.display().to_string();
    Err(Problem::new(
        Code::ManagedElsewhere,
        format!("{file} holds other manifests too: change it by hand"),
    )
    .with("manager", file))
}

fn look(root: &Path, tenant: &str, seen: &mut HashMap<PathBuf, Seen>) -> Vec<Place> {
    let mut files = Vec::new();
    walk(root, DEPTH, &mut files);
    seen.retain(|path, _| files.contains(path));
    let mut places = Vec::new();
    for path in files {
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        let (modified, length) = (metadata.modified().ok(), metadata.len());
        let known = seen
            .get(&path)
            .filter(|known| known.modified == modified && known.length == length);
        let entry = known.cloned().unwrap_or_else(|| {
            let (found, documents) = read(&path, tenant);
            Seen {
                modified,
                length,
                found,
                documents,
            }
        });
        places.extend(entry.found.iter().map(|found| Place {
            path: path.clone(),
            alone: entry.documents == 1,
            found: found.clone(),
        }));
        seen.insert(path, entry);
    }
    places
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || files.len() >= FILES {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                walk(&path, depth - 1, files);
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
        {
            files.push(path);
        }
    }
}

/// The workflows of a file; one that cannot be read has none, and whoever watches the folder says why.
fn read(path: &Path, tenant: &str) -> (Vec<Found>, usize) {
    let documents = std::fs::read(path)
        .ok()
        .and_then(|bytes| flowpilot_engine::manifest::parse(&bytes).ok());
    let documents = documents.unwrap_or_default();
    let workflows = documents
        .iter()
        .filter(|document| document.kind == "Workflow")
        .filter_map(|document| {
            let tenant = match document.namespace.as_deref() {
                Some(namespace) => tenant_of(namespace)?,
                None => tenant,
            };
            let workflow: Workflow = serde_json::from_value(document.object.clone()).ok()?;
            Some(Found {
                tenant: tenant.to_owned(),
                definition: Arc::new(definition(workflow, tenant, &document.object)),
            })
        });
    (workflows.collect(), documents.len())
}

fn definition(mut workflow: Workflow, tenant: &str, object: &serde_json::Value) -> Definition {
    let digest = digest_of(object);
    workflow.metadata.namespace = Some(namespace_of(tenant));
    Definition {
        workflow,
        version: digest.trim_start_matches("sha256:").chars().take(16).collect(),
        managed_by: None,
    }
}
