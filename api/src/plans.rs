//! Compiled revisions by digest.
//!
//! A plan is a function of the spec alone, so its cache knows no tenants: whoever asks must have found the revision
//! in their own tenant first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use flowpilot_crds::WorkflowSpec;
use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::plan::Plan;
use uuid::Uuid;

use crate::problem::{Code, Problem};
use crate::store::workflows::{self, Revision};
use crate::store::{Pools, TenantTx};

/// Plans that are kept: some kilobytes each. When full, all are forgotten, which costs one compilation per plan in use.
const ENTRIES: usize = 1_000;

/// The cache.
#[derive(Debug, Default)]
pub struct Plans {
    known: Mutex<HashMap<String, Arc<Plan>>>,
}

impl Plans {
    /// The plan of a revision that was read in the caller's tenant.
    pub fn of(&self, revision: &Revision) -> Result<Arc<Plan>, Problem> {
        if let Some(plan) = self.lock().get(&revision.digest) {
            return Ok(Arc::clone(plan));
        }
        let spec: WorkflowSpec =
            serde_json::from_str(&revision.spec).map_err(|error| Problem::internal(&error))?;
        let context = Context::server(None);
        let compiled = compile(&spec, &context).map_err(|problems| {
            // It compiled when it was registered: this version is stricter than that one.
            tracing::error!(
                revision = revision.digest,
                ?problems,
                "a stored revision does not compile"
            );
            Problem::new(
                Code::WorkflowNotReady,
                "this version of FlowPilot cannot run that revision",
            )
            .findings(&problems)
        })?;
        let plan = Arc::new(compiled.plan);
        let mut known = self.lock();
        if known.len() >= ENTRIES {
            known.clear();
        }
        known.insert(revision.digest.clone(), Arc::clone(&plan));
        Ok(plan)
    }

    /// The plan of a digest, if the tenant has such a revision.
    pub async fn find(
        &self,
        pools: &Pools,
        tenant_id: Uuid,
        digest: &str,
    ) -> Result<Option<Arc<Plan>>, Problem> {
        let mut tx = TenantTx::begin(&pools.app, tenant_id).await?;
        let revision = workflows::revision(&mut tx, digest, None).await?;
        tx.commit().await?;
        revision.map(|revision| self.of(&revision)).transpose()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Plan>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
