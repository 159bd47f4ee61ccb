//! Who calls and what they may do: the one door to everything behind the API.
//!
//! A handler reaches the services only through [`Caller<P>`], which names a permission as a type: a route without
//! one has nothing to work with. The checks happen in one order: token, permission, tenant, query parameters. What
//! the caller may not see is answered like what does not exist.

mod admin_token;
mod authenticator;
mod permission;
mod token_review;

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use axum::http::request::Parts;

pub use admin_token::{AdminToken, AdminTokenError};
pub use authenticator::{Authenticator, RunnerTokens, StaticTokens};
pub use permission::*;
pub use token_review::TokenReviews;

use crate::http::query;
use crate::problem::{Code, Problem};
use crate::state::Services;
use crate::store::tenants::Tenant;

/// What the routers carry: closed to handlers, opened by [`Caller`].
#[derive(Clone, Debug)]
pub struct Door(Arc<Services>);

impl Door {
    /// A door to these services.
    #[must_use]
    pub fn new(services: Arc<Services>) -> Self {
        Self(services)
    }

    /// For layers that act for no caller.
    pub(crate) fn services(&self) -> &Arc<Services> {
        &self.0
    }
}

/// Who has proved to be calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The bearer of the bootstrap token: may do everything in all tenants.
    Admin,
    /// A runner of the tenant of this name.
    Runner {
        /// The tenant that its token proves.
        tenant: String,
    },
    /// The operator.
    Operator,
}

impl Principal {
    /// The name in histories.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Admin => "bootstrap-admin",
            Self::Runner { .. } => "runner",
            Self::Operator => "operator",
        }
    }
}

/// An authenticated and authorised caller, and what lies behind the door.
#[derive(Debug)]
pub struct Caller<P: Permission> {
    /// Who it is.
    pub principal: Principal,
    /// What it may act on.
    pub scope: P::Scope,
    services: Arc<Services>,
    permission: PhantomData<P>,
}

impl<P: Permission> Caller<P> {
    /// The services, for work that outlives the request.
    #[must_use]
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }
}

impl<P: Permission> Deref for Caller<P> {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl<P: Permission> FromRequestParts<Door> for Caller<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let services = Arc::clone(&door.0);
        let principal = services
            .authenticator
            .authenticate(P::ROOT, &parts.headers)
            .await?;
        authorize(&principal, P::ROOT)?;
        services.admit()?;
        let scope = P::Scope::resolve(parts, &principal, &services).await?;
        refuse_unknown_parameters(parts, &services)?;
        Ok(Self {
            principal,
            scope,
            services,
            permission: PhantomData,
        })
    }
}

/// The choke point: which principal may come in by which door. With users, grants and roles come in here too.
fn authorize(principal: &Principal, root: Root) -> Result<(), Problem> {
    match (root, principal) {
        (Root::People, Principal::Admin)
        | (Root::Runners, Principal::Runner { .. })
        | (Root::Operator, Principal::Operator) => Ok(()),
        _ => Err(Problem::new(
            Code::Forbidden,
            "this token is not for this part of the API",
        )),
    }
}

fn refuse_unknown_parameters(parts: &Parts, services: &Services) -> Result<(), Problem> {
    let (Some(given), Some(path)) = (parts.uri.query(), parts.extensions.get::<MatchedPath>()) else {
        return Ok(());
    };
    let Some(known) = services.parameters.of(&parts.method, path.as_str()) else {
        return Ok(());
    };
    match query::unknown(given, known) {
        None => Ok(()),
        Some(name) if known.is_empty() => Err(Problem::new(
            Code::UnknownParameter,
            format!("this operation has no parameters, and no `{name}`"),
        )),
        Some(name) => {
            let known = known.join("`, `");
            Err(Problem::new(
                Code::UnknownParameter,
                format!("no parameter `{name}`; there are `{known}`"),
            ))
        }
    }
}

/// What a permission is about, found in the request and checked against the principal.
pub trait Scope: Sized + Send {
    /// Finds it, or answers as if it did not exist.
    fn resolve(
        parts: &mut Parts,
        principal: &Principal,
        services: &Services,
    ) -> impl Future<Output = Result<Self, Problem>> + Send;
}

/// The installation as a whole, or the caller alone.
impl Scope for () {
    async fn resolve(_: &mut Parts, _: &Principal, _: &Services) -> Result<Self, Problem> {
        Ok(())
    }
}

/// One tenant: of the path for people, of the proof for runners.
impl Scope for Arc<Tenant> {
    async fn resolve(parts: &mut Parts, principal: &Principal, services: &Services) -> Result<Self, Problem> {
        let found = match principal {
            Principal::Runner { tenant } => services.directory.tenant(tenant).await?,
            Principal::Admin | Principal::Operator => {
                let parameters = RawPathParams::from_request_parts(parts, &()).await;
                let parameters = parameters.map_err(|_| Problem::not_found())?;
                let name = parameters
                    .iter()
                    .find(|(name, _)| *name == "tenant")
                    .map(|(_, value)| value);
                services
                    .directory
                    .tenant(name.ok_or_else(Problem::not_found)?)
                    .await?
            }
        };
        found.ok_or_else(Problem::not_found)
    }
}
