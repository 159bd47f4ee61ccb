//! The permissions, each a type that a route names in its [`Caller`](super::Caller).

use std::sync::Arc;

use super::Scope;
use crate::store::tenants::Tenant;

/// Which part of the API a route belongs to; each has principals of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `/api/v1`.
    People,
    /// `/runner/v1`.
    Runners,
    /// `/operator/v1`.
    Operator,
}

/// A right, with what it is a right to.
pub trait Permission: Send + Sync + 'static {
    /// The word in documents.
    const NAME: &'static str;
    /// The part of the API.
    const ROOT: Root;
    /// What it is about.
    type Scope: Scope;
}

macro_rules! permissions {
    ($($name:ident $word:literal $root:ident $scope:ty: $text:literal,)+) => {
        $(
            #[doc = $text]
            #[derive(Debug)]
            pub enum $name {}

            impl Permission for $name {
                const NAME: &'static str = $word;
                const ROOT: Root = Root::$root;
                type Scope = $scope;
            }
        )+
        /// Every permission of people, for documents and tests.
        pub const PERMISSIONS: &[&str] = &[$($word,)+];
    };
}

permissions! {
    Myself "self" People (): "Any caller, about themselves and the installation.",
    TenantRead "tenant.read" People Arc<Tenant>: "Name and state of a tenant.",
    WorkflowsRead "workflows.read" People Arc<Tenant>: "Definitions and revisions.",
    WorkflowsWrite "workflows.write" People Arc<Tenant>: "Create and change workflows.",
    WorkflowsDelete "workflows.delete" People Arc<Tenant>: "Delete workflows.",
    RunsRead "runs.read" People Arc<Tenant>: "Runs, their states and histories.",
    RunsStart "runs.start" People Arc<Tenant>: "Start runs.",
    RunsOperate "runs.operate" People Arc<Tenant>: "Cancel runs.",
    RunnerProtocol "runner" Runners Arc<Tenant>: "Execute runs of the tenant that the token proves.",
    OperatorProtocol "operator" Operator (): "Tell about custom resources of all tenants.",
}
