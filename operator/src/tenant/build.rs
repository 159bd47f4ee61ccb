//! What a tenant's namespace consists of. Everything is constructed from typed fields; names do not depend on time.

use std::collections::BTreeMap;

use flowpilot_crds::tenant::Quotas;
use flowpilot_crds::{Tenant, names};
use k8s_openapi::api::core::v1::{
    LimitRange, LimitRangeItem, LimitRangeSpec, Namespace, ResourceQuota, ResourceQuotaSpec, ServiceAccount,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;

use super::network;
use super::validate::Valid;
use crate::objects::{self, texts};
use crate::world::Settings;

pub(super) const QUOTA: &str = "flowpilot";
pub(super) const LIMITS: &str = "flowpilot";
pub(super) const DEFAULT_DENY: &str = "flowpilot-default-deny";
pub(super) const RUNNER_EGRESS: &str = "flowpilot-runner-egress";
/// API group of roles and users.
const RBAC: &str = "rbac.authorization.k8s.io";

/// Everything that is wanted, not yet applied.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) namespace: Namespace,
    pub(super) quota: ResourceQuota,
    pub(super) limits: LimitRange,
    pub(super) default_deny: NetworkPolicy,
    pub(super) runner_egress: NetworkPolicy,
    pub(super) account: ServiceAccount,
    /// In the order of the roles.
    pub(super) bindings: Vec<RoleBinding>,
}

pub(super) fn build(tenant: &Tenant, valid: &Valid, settings: &Settings) -> Prepared {
    let name = tenant.name_any();
    Prepared {
        namespace: namespace(tenant, &name),
        quota: quota(tenant.spec.quotas.as_ref().unwrap_or(&Quotas::default()), &name),
        limits: limits(&name),
        default_deny: network::default_deny(DEFAULT_DENY, &name),
        runner_egress: network::runner_egress(RUNNER_EGRESS, &name, &valid.openings, settings),
        account: ServiceAccount {
            metadata: objects::metadata(names::RUNNER_SERVICE_ACCOUNT, &name),
            // Runners get a token for the API server alone; the one for Kubernetes is nobody's here.
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        },
        bindings: names::ROLES
            .iter()
            .map(|role| binding(tenant, &name, role))
            .collect(),
    }
}

/// `flowpilot-tenant-<role>`: the chart's `ClusterRole`, and the binding of it.
pub(super) fn role_name(role: &str) -> String {
    format!("flowpilot-tenant-{role}")
}

fn namespace(tenant: &Tenant, name: &str) -> Namespace {
    let mut labels = objects::labels(name);
    for mode in ["enforce", "audit", "warn"] {
        labels.insert(
            format!("pod-security.kubernetes.io/{mode}"),
            "restricted".to_owned(),
        );
    }
    Namespace {
        metadata: ObjectMeta {
            name: Some(names::namespace_of(name)),
            labels: Some(labels),
            owner_references: objects::owned_by(tenant),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }
}

/// Workflows are not among it: the quota controller of Kubernetes learns of new kinds only every few minutes, and refuses
/// them until then. They are counted in [`crate::workflow::quota`].
fn quota(quotas: &Quotas, tenant: &str) -> ResourceQuota {
    let cpu = quotas.cpu.as_deref().unwrap_or("4");
    let memory = quotas.memory.as_deref().unwrap_or("8Gi");
    let pods = quotas.pods.unwrap_or(50).to_string();
    let hard = [
        ("requests.cpu", cpu),
        ("limits.cpu", cpu),
        ("requests.memory", memory),
        ("limits.memory", memory),
        ("pods", &pods),
    ];
    ResourceQuota {
        metadata: objects::metadata(QUOTA, tenant),
        spec: Some(ResourceQuotaSpec {
            hard: Some(quantities(hard)),
            ..ResourceQuotaSpec::default()
        }),
        status: None,
    }
}

/// A pod that says nothing of its resources would not be let in by the quota.
fn limits(tenant: &str) -> LimitRange {
    LimitRange {
        metadata: objects::metadata(LIMITS, tenant),
        spec: Some(LimitRangeSpec {
            limits: vec![LimitRangeItem {
                type_: "Container".to_owned(),
                default: Some(quantities([("cpu", "1"), ("memory", "256Mi")])),
                default_request: Some(quantities([("cpu", "50m"), ("memory", "64Mi")])),
                ..LimitRangeItem::default()
            }],
        }),
    }
}

fn binding(tenant: &Tenant, name: &str, role: &str) -> RoleBinding {
    let own = names::role_group(name, role);
    let members = tenant
        .spec
        .members
        .get(role)
        .map_or(&[][..], |members| &members.groups);
    let group = |group: &String| Subject {
        api_group: Some(RBAC.to_owned()),
        kind: "Group".to_owned(),
        name: group.clone(),
        namespace: None,
    };
    RoleBinding {
        metadata: objects::metadata(&role_name(role), name),
        role_ref: RoleRef {
            api_group: RBAC.to_owned(),
            kind: "ClusterRole".to_owned(),
            name: role_name(role),
        },
        subjects: Some(std::iter::once(&own).chain(members).map(group).collect()),
    }
}

fn quantities<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, Quantity> {
    texts(pairs)
        .into_iter()
        .map(|(name, amount)| (name, Quantity(amount)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::validate::Opening;
    use flowpilot_crds::TenantSpec;
    use flowpilot_crds::tenant::Groups;

    fn prepared() -> Prepared {
        let spec = TenantSpec {
            members: [(
                "viewer".to_owned(),
                Groups {
                    groups: vec!["auditors".to_owned()],
                },
            )]
            .into(),
            ..TenantSpec::default()
        };
        let mut tenant = Tenant::new("acme", spec);
        tenant.metadata.uid = Some("8d1f0a3e-0000-4000-8000-000000000001".to_owned());
        let openings = vec![
            Opening::Range {
                cidr: "10.9.0.0/16".to_owned(),
                ports: vec![80],
            },
            Opening::Namespace("samples".to_owned()),
        ];
        let settings = Settings {
            namespace: "flowpilot-system".to_owned(),
            api_url: "http://flowpilot-api.flowpilot-system.svc:8081".to_owned(),
            api_port: 8081,
            runner_image: "runner:1".to_owned(),
            runner_image_pull_policy: "IfNotPresent".to_owned(),
        };
        build(&tenant, &Valid { openings }, &settings)
    }

    #[test]
    fn a_tenants_namespace_is_restricted_and_closed() {
        let Prepared {
            namespace,
            quota,
            limits,
            default_deny,
            runner_egress,
            account,
            bindings,
        } = prepared();
        insta::assert_yaml_snapshot!("namespace", (&namespace, &quota, &limits));
        insta::assert_yaml_snapshot!("network", (&default_deny, &runner_egress));
        insta::assert_yaml_snapshot!("identity", (&account, &bindings[0], &bindings[6]));
        assert_eq!(bindings.len(), names::ROLES.len());
    }

    #[test]
    fn private_and_metadata_addresses_are_closed_unless_opened() {
        let text = serde_json::to_string(&prepared().runner_egress).unwrap();
        for range in [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "127.0.0.0/8",
            "fc00::/7",
        ] {
            assert_eq!(text.matches(range).count(), 1, "{range} only as an exception");
        }
    }
}
