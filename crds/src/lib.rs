//! The words of FlowPilot: its custom resource types and what one object alone can be checked for.
//!
//! No client and no I/O: the operator, the API, the command line and the tests share these types. Each field's
//! comment is its manual page: `kubectl explain` prints it. What needs the compiler is `engine`'s; what needs
//! other objects is the operator's.

#![expect(
    clippy::duplicated_attributes,
    reason = "each printer column repeats its type; the lint sees one list"
)]

pub mod condition;
pub mod connection;
pub mod connector;
pub mod field_order;
pub mod names;
pub mod runner_class;
pub mod schema;
pub mod tenant;
pub mod unknown_fields;
pub mod unsupported;
pub mod workflow;
pub mod workflow_run;

pub use condition::{Condition, ConditionStatus, Reason};
pub use connection::{Connection, ConnectionSpec};
pub use connector::{Connector, ConnectorSpec};
pub use runner_class::{RunnerClass, RunnerClassSpec, RunnerClassStatus};
pub use tenant::{Tenant, TenantSpec, TenantStatus};
pub use unsupported::Unsupported;
pub use workflow::{Workflow, WorkflowSpec, WorkflowStatus};
pub use workflow_run::{WorkflowRun, WorkflowRunSpec, WorkflowRunStatus};

/// API group of every kind here.
pub const GROUP: &str = "flowpilot.io";
/// Version of every kind here.
pub const VERSION: &str = "v1alpha1";

/// The CustomResourceDefinitions of all six kinds, in the order in which people read about them.
#[must_use]
pub fn definitions()
-> Vec<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition> {
    use kube::CustomResourceExt;
    [
        Tenant::crd(),
        RunnerClass::crd(),
        Connector::crd(),
        Connection::crd(),
        Workflow::crd(),
        WorkflowRun::crd(),
    ]
    .into_iter()
    .map(schema::finish)
    .collect()
}
