//! The Deployment of a tenant's runners, constructed from typed fields: nothing of a user's reaches a pod but what
//! has a field of its own.

use std::collections::BTreeMap;

use flowpilot_crds::runner_class::{Resources, RunnerClassSpec};
use flowpilot_crds::{RunnerClass, names};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, ObjectFieldSelector,
    PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ProjectedVolumeSource, ResourceRequirements,
    SeccompProfile, SecurityContext, ServiceAccountTokenProjection, Toleration, Volume, VolumeMount,
    VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use super::dereference::User;
use super::validate::Scale;
use crate::objects::{self, NAME_LABEL, RUNNER, texts};
use crate::world::Settings;

/// The user that our images are made for.
const USER: i64 = 65532;
/// Port of health and metrics.
const METRICS_PORT: i32 = 9090;
/// Where the token is mounted.
const TOKEN_FOLDER: &str = "/var/run/secrets/flowpilot";
/// Name of the token's volume.
const TOKEN: &str = "token";
/// Seconds that a token is valid; the kubelet renews it before.
const TOKEN_SECONDS: i64 = 3600;
/// Seconds from SIGTERM to SIGKILL: a runner gives its runs back within 2.
const GRACE_SECONDS: i64 = 10;

/// What is wanted, not yet applied.
#[derive(Debug)]
pub(super) struct Prepared {
    /// One per tenant, in the order of the users, with the tenant's name. They say nothing of replicas.
    pub(super) deployments: Vec<(String, Deployment)>,
    /// How the pools grow.
    pub(super) scale: Scale,
    /// Name of the class.
    pub(super) class: String,
}

pub(super) fn build(class: &RunnerClass, scale: Scale, users: &[User], settings: &Settings) -> Prepared {
    let deployments = users
        .iter()
        .map(|user| (user.tenant.clone(), deployment(class, scale, user, settings)));
    Prepared {
        deployments: deployments.collect(),
        scale,
        class: class.name_any(),
    }
}

fn deployment(class: &RunnerClass, scale: Scale, user: &User, settings: &Settings) -> Deployment {
    let name = class.name_any();
    let selector = texts([(NAME_LABEL, RUNNER), (names::RUNNER_CLASS_LABEL, &name)]);
    let labels = with(objects::labels(&user.tenant), &selector);
    let mut metadata = objects::metadata(&format!("{RUNNER}-{name}"), &user.tenant);
    metadata.labels = Some(labels.clone());
    metadata.owner_references = objects::owned_by(class);
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            selector: LabelSelector {
                match_labels: Some(selector),
                match_expressions: None,
            },
            revision_history_limit: Some(1),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(&name, scale, class, user, settings)),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn pod(name: &str, scale: Scale, class: &RunnerClass, user: &User, settings: &Settings) -> PodSpec {
    let RunnerClassSpec {
        // Read through `scale`, or rejected where it is not supported.
        capacity: _,
        min: _,
        max: _,
        idle_timeout: _,
        isolation: _,
        resources,
        runtime_class_name,
        node_selector,
        tolerations,
    } = &class.spec;
    PodSpec {
        service_account_name: Some(names::RUNNER_SERVICE_ACCOUNT.to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(GRACE_SECONDS),
        runtime_class_name: runtime_class_name.clone(),
        node_selector: (!node_selector.is_empty()).then(|| node_selector.clone()),
        tolerations: (!tolerations.is_empty()).then(|| {
            let toleration = |toleration: &flowpilot_crds::runner_class::Toleration| Toleration {
                key: toleration.key.clone(),
                operator: toleration.operator.clone(),
                value: toleration.value.clone(),
                effect: toleration.effect.clone(),
                toleration_seconds: None,
            };
            tolerations.iter().map(toleration).collect()
        }),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            fs_group: Some(USER),
            seccomp_profile: Some(runtime_default()),
            ..PodSecurityContext::default()
        }),
        containers: vec![Container {
            name: "runner".to_owned(),
            image: Some(settings.runner_image.clone()),
            image_pull_policy: Some(settings.runner_image_pull_policy.clone()),
            env: Some(environment(name, scale, user, settings)),
            ports: Some(vec![ContainerPort {
                name: Some("metrics".to_owned()),
                container_port: METRICS_PORT,
                ..ContainerPort::default()
            }]),
            startup_probe: Some(probe("/livez", 1, 60)),
            liveness_probe: Some(probe("/livez", 10, 3)),
            readiness_probe: Some(probe("/readyz", 5, 2)),
            resources: Some(requirements(resources.as_ref().unwrap_or(&Resources::default()))),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                run_as_non_root: Some(true),
                capabilities: Some(Capabilities {
                    add: None,
                    drop: Some(vec!["ALL".to_owned()]),
                }),
                seccomp_profile: Some(runtime_default()),
                ..SecurityContext::default()
            }),
            volume_mounts: Some(vec![VolumeMount {
                name: TOKEN.to_owned(),
                mount_path: TOKEN_FOLDER.to_owned(),
                read_only: Some(true),
                ..VolumeMount::default()
            }]),
            ..Container::default()
        }],
        volumes: Some(vec![token_volume()]),
        ..PodSpec::default()
    }
}

fn environment(class: &str, scale: Scale, user: &User, settings: &Settings) -> Vec<EnvVar> {
    let value = |name: &str, value: String| EnvVar {
        name: name.to_owned(),
        value: Some(value),
        value_from: None,
    };
    let mut environment = vec![
        value("FLOWPILOT_API_URL", settings.api_url.clone()),
        value("FLOWPILOT_TOKEN_FILE", format!("{TOKEN_FOLDER}/{TOKEN}")),
        EnvVar {
            name: "FLOWPILOT_RUNNER".to_owned(),
            value: None,
            value_from: Some(EnvVarSource {
                field_ref: Some(ObjectFieldSelector {
                    api_version: Some("v1".to_owned()),
                    field_path: "metadata.name".to_owned(),
                }),
                ..EnvVarSource::default()
            }),
        },
        value("FLOWPILOT_POOL", class.to_owned()),
        value("FLOWPILOT_CAPACITY", scale.capacity.to_string()),
    ];
    if let Some(egress) = &user.egress
        && let Ok(egress) = serde_json::to_string(egress)
    {
        environment.push(value("FLOWPILOT_EGRESS", egress));
    }
    environment
}

fn requirements(resources: &Resources) -> ResourceRequirements {
    let Resources {
        cpu_request,
        cpu_limit,
        memory_request,
        memory_limit,
    } = resources;
    let amounts = |cpu: &Option<String>, memory: &Option<String>, defaults: (&str, &str)| {
        let amount =
            |given: &Option<String>, default: &str| Quantity(given.as_deref().unwrap_or(default).to_owned());
        Some(BTreeMap::from([
            ("cpu".to_owned(), amount(cpu, defaults.0)),
            ("memory".to_owned(), amount(memory, defaults.1)),
        ]))
    };
    ResourceRequirements {
        requests: amounts(cpu_request, memory_request, ("50m", "32Mi")),
        limits: amounts(cpu_limit, memory_limit, ("1", "256Mi")),
        claims: None,
    }
}

fn token_volume() -> Volume {
    Volume {
        name: TOKEN.to_owned(),
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(0o440),
            sources: Some(vec![VolumeProjection {
                service_account_token: Some(ServiceAccountTokenProjection {
                    audience: Some(names::TOKEN_AUDIENCE.to_owned()),
                    expiration_seconds: Some(TOKEN_SECONDS),
                    path: TOKEN.to_owned(),
                }),
                ..VolumeProjection::default()
            }]),
        }),
        ..Volume::default()
    }
}

fn probe(path: &str, period_seconds: i32, failure_threshold: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::Int(METRICS_PORT),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        failure_threshold: Some(failure_threshold),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

fn runtime_default() -> SeccompProfile {
    SeccompProfile {
        type_: "RuntimeDefault".to_owned(),
        localhost_profile: None,
    }
}

fn with(mut labels: BTreeMap<String, String>, more: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner_class::validate::validate;
    use flowpilot_crds::tenant::{Egress, EgressRule};

    fn prepared(spec: RunnerClassSpec) -> Deployment {
        let mut class = RunnerClass::new("default", spec);
        class.metadata.uid = Some("8d1f0a3e-0000-4000-8000-000000000002".to_owned());
        let rule = EgressRule {
            host: Some("data.samples.svc".to_owned()),
            cidr: None,
            ports: vec![80],
        };
        let user = User {
            tenant: "acme".to_owned(),
            egress: Some(Egress { allow: vec![rule] }),
        };
        let settings = Settings {
            namespace: "flowpilot-system".to_owned(),
            api_url: "http://flowpilot-api.flowpilot-system.svc:8081".to_owned(),
            api_port: 8081,
            runner_image: "runner:1".to_owned(),
            runner_image_pull_policy: "IfNotPresent".to_owned(),
        };
        let scale = validate(&class).unwrap();
        build(&class, scale, &[user], &settings).deployments.remove(0).1
    }

    #[test]
    fn runners_are_restricted_and_say_nothing_of_replicas() {
        let deployment = prepared(RunnerClassSpec::default());
        insta::assert_yaml_snapshot!("deployment", &deployment);
        assert_eq!(deployment.spec.unwrap().replicas, None);
    }

    #[test]
    fn what_a_class_says_reaches_the_pod() {
        let spec = RunnerClassSpec {
            capacity: Some(8),
            runtime_class_name: Some("gvisor".to_owned()),
            node_selector: texts([("pool", "runners")]),
            resources: Some(Resources {
                memory_limit: Some("1Gi".to_owned()),
                ..Resources::default()
            }),
            ..RunnerClassSpec::default()
        };
        let pod = prepared(spec).spec.unwrap().template.spec.unwrap();
        assert_eq!(pod.runtime_class_name.as_deref(), Some("gvisor"));
        assert_eq!(pod.node_selector, Some(texts([("pool", "runners")])));
        let container = &pod.containers[0];
        assert_eq!(
            container.resources.as_ref().unwrap().limits.as_ref().unwrap()["memory"].0,
            "1Gi"
        );
        let capacity = container
            .env
            .as_ref()
            .unwrap()
            .iter()
            .find(|variable| variable.name == "FLOWPILOT_CAPACITY");
        assert_eq!(capacity.unwrap().value.as_deref(), Some("8"));
    }
}
