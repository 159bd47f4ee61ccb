//! The list of those whom the API server may act as: one user, and the groups of the tenants that exist.
//!
//! It is one `ClusterRole` for all tenants. It is compared before it is written, and read again only from time to
//! time: nobody else writes it.

use std::time::{Duration, Instant};

use flowpilot_crds::{Tenant, names};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::runtime::reflector::Store;
use kube::{Api, Resource, ResourceExt};
use serde_json::json;
use snafu::ResultExt;
use tokio::sync::Mutex;

use super::MANAGER;
use crate::Guarded;
use crate::cluster::{Cluster, Error, ReadSnafu};

/// How long what was seen is believed.
const BELIEVED: Duration = Duration::from_mins(5);

/// Keeps the list.
pub(crate) struct Impersonator {
    /// Name of the `ClusterRole`; empty if none is kept.
    role: String,
    seen: Mutex<Option<(Vec<PolicyRule>, Instant)>>,
}

impl Impersonator {
    /// For the role of this name.
    #[must_use]
    pub(crate) fn new(role: String) -> Self {
        Self {
            role,
            seen: Mutex::new(None),
        }
    }

    /// Makes the list that of the tenants which are not being deleted.
    pub(crate) async fn ensure(
        &self,
        tenants: &Store<Guarded<Tenant>>,
        cluster: &Cluster,
    ) -> Result<(), Error> {
        if self.role.is_empty() {
            return Ok(());
        }
        // Held while writing, so that an older list never overwrites a newer one.
        let mut seen = self.seen.lock().await;
        let alive = tenants.state_filter(|tenant| tenant.meta().deletion_timestamp.is_none());
        let wanted = rules(alive.iter().map(|tenant| tenant.name_any()).collect());
        if let Some((rules, at)) = &*seen
            && at.elapsed() < BELIEVED
            && *rules == wanted
        {
            return Ok(());
        }
        let api = Api::<ClusterRole>::all(cluster.client());
        let role = api.get_opt(&self.role).await.context(ReadSnafu {
            kind: "ClusterRole",
            name: &self.role,
        })?;
        if role.and_then(|role| role.rules).as_ref() != Some(&wanted) {
            cluster
                .apply_fields::<ClusterRole>(&self.role, None, &json!({"rules": wanted}), MANAGER)
                .await?;
        }
        *seen = Some((wanted, Instant::now()));
        Ok(())
    }
}

fn rules(mut tenants: Vec<String>) -> Vec<PolicyRule> {
    tenants.sort_unstable();
    let groups: Vec<String> = tenants
        .iter()
        .flat_map(|tenant| names::ROLES.map(|role| names::role_group(tenant, role)))
        .collect();
    let user = rule("users", vec![names::BOOTSTRAP_USER.to_owned()]);
    // An empty list of names would mean: all groups.
    std::iter::once(user)
        .chain((!groups.is_empty()).then(|| rule("groups", groups)))
        .collect()
}

fn rule(resource: &str, names: Vec<String>) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec![resource.to_owned()]),
        resource_names: Some(names),
        verbs: vec!["impersonate".to_owned()],
        non_resource_urls: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tenants_no_group_may_be_impersonated() {
        let rules = rules(Vec::new());
        assert_eq!(rules.len(), 1);
        assert_eq!(
            rules[0].resource_names.as_deref(),
            Some(&["flowpilot:bootstrap-admin".to_owned()][..])
        );
    }

    #[test]
    fn exactly_the_groups_of_the_tenants_are_listed_in_a_stable_order() {
        let left = rules(vec!["b".to_owned(), "a".to_owned()]);
        assert_eq!(left, rules(vec!["a".to_owned(), "b".to_owned()]));
        let groups = left[1].resource_names.as_ref().unwrap();
        assert_eq!(groups.len(), 2 * names::ROLES.len());
        assert_eq!(groups[0], "flowpilot:a:owner");
        assert!(left.iter().all(|rule| {
            rule.resource_names
                .as_ref()
                .is_some_and(|names| !names.is_empty())
        }));
    }
}
