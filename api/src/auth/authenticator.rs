//! From a header to a principal. Two true edges: a cluster that reviews tokens, or a fixed list of them.

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{AdminToken, Principal, Root, TokenReviews};
use crate::problem::{Code, Problem};

/// Longest token that is looked at: projected tokens have about 1 KiB.
const LONGEST: usize = 8 * 1024;

/// Who decides what a token proves.
#[derive(Debug)]
pub enum Authenticator {
    /// The bootstrap token for people, Kubernetes for everybody else.
    Cluster {
        /// The token of people.
        admin: AdminToken,
        /// Asks Kubernetes.
        reviews: Box<TokenReviews>,
        /// The user as which the operator is known to Kubernetes.
        operator_user: String,
    },
    /// A list, for one process that has everything in it.
    Static(StaticTokens),
}

/// The tokens of a process without a cluster, and of tests.
#[derive(Clone, Default)]
pub struct StaticTokens {
    /// Of people.
    pub people: String,
    /// Of whoever registers tenants and workflows.
    pub operator: String,
    /// Of runners.
    pub runners: RunnerTokens,
}

/// The tokens of runners by tenant; clones share them, so that a tenant can come later.
#[derive(Clone, Default)]
pub struct RunnerTokens(Arc<RwLock<Vec<(String, String)>>>);

impl std::fmt::Debug for StaticTokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Secrets have no business in logs.
        formatter.debug_struct("StaticTokens").finish_non_exhaustive()
    }
}

impl RunnerTokens {
    /// Lets runners with this token in, for this tenant.
    pub fn add(&self, tenant: &str, token: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.push((tenant.to_owned(), token.to_owned()));
    }

    fn tenant_of(&self, token: &str) -> Option<String> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .find(|(_, of_runner)| same(of_runner, token))
            .map(|(tenant, _)| tenant.clone())
    }
}

impl Authenticator {
    /// Who the bearer is, as far as this part of the API knows them.
    pub async fn authenticate(&self, root: Root, headers: &HeaderMap) -> Result<Principal, Problem> {
        let token = bearer(headers)?;
        match self {
            Self::Static(tokens) => tokens.find(root, token).ok_or_else(unknown),
            Self::Cluster {
                admin,
                reviews,
                operator_user,
            } => match root {
                // People's tokens are not shown to Kubernetes: it does not know them, and strangers could make it work.
                Root::People => admin
                    .matches(token)
                    .then_some(Principal::Admin)
                    .ok_or_else(unknown),
                Root::Runners | Root::Operator => {
                    let user = reviews.user_of(token).await?.ok_or_else(unknown)?;
                    principal(&user, operator_user)
                }
            },
        }
    }

    /// A secret that all replicas share and that never leaves them.
    #[must_use]
    pub fn secret(&self, purpose: &str) -> [u8; 32] {
        let root: [u8; 32] = match self {
            Self::Cluster { admin, .. } => admin.hash(),
            Self::Static(tokens) => Sha256::digest(tokens.people.as_bytes()).into(),
        };
        Sha256::new()
            .chain_update(purpose.as_bytes())
            .chain_update([0])
            .chain_update(root)
            .finalize()
            .into()
    }
}

impl StaticTokens {
    fn find(&self, root: Root, token: &str) -> Option<Principal> {
        match root {
            Root::People => same(&self.people, token).then_some(Principal::Admin),
            Root::Operator | Root::Runners => {
                let runner = self
                    .runners
                    .tenant_of(token)
                    .map(|tenant| Principal::Runner { tenant });
                runner.or_else(|| same(&self.operator, token).then_some(Principal::Operator))
            }
        }
    }
}

fn principal(user: &str, operator_user: &str) -> Result<Principal, Problem> {
    if user == operator_user {
        return Ok(Principal::Operator);
    }
    let account = user
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, flowpilot_crds::names::RUNNER_SERVICE_ACCOUNT)) => {
            flowpilot_crds::names::tenant_of(namespace).map(|tenant| Principal::Runner {
                tenant: tenant.to_owned(),
            })
        }
        _ => None,
    }
    .ok_or_else(|| Problem::new(Code::Forbidden, "this token is of nobody who may call this"))
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || Problem::new(Code::Unauthenticated, "send `Authorization: Bearer <token>`");
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(missing)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    let token = token.trim();
    let good = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= LONGEST;
    if good { Ok(token) } else { Err(missing()) }
}

fn unknown() -> Problem {
    Problem::new(Code::Unauthenticated, "the token is not valid here")
}

/// Equal, without telling by its time how much was equal; an empty secret equals nothing.
fn same(known: &str, given: &str) -> bool {
    let hash = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    !known.is_empty() && bool::from(hash(known).ct_eq(&hash(given)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATOR: &str = "system:serviceaccount:flowpilot-system:flowpilot-operator";

    #[test]
    fn a_service_account_proves_its_tenant_and_nothing_else_does() {
        let runner = principal("system:serviceaccount:fp-acme:flowpilot-runner", OPERATOR).unwrap();
        assert_eq!(
            runner,
            Principal::Runner {
                tenant: "acme".to_owned()
            }
        );
        assert_eq!(principal(OPERATOR, OPERATOR).unwrap(), Principal::Operator);
        for stranger in [
            "system:serviceaccount:fp-acme:default",
            "system:serviceaccount:acme:flowpilot-runner",
            "system:serviceaccount:fp-:flowpilot-runner",
            "system:serviceaccount:fp-acme:flowpilot-runner:x",
            "fp-acme:flowpilot-runner",
            "admin",
        ] {
            assert_eq!(
                principal(stranger, OPERATOR).unwrap_err().code,
                Code::Forbidden,
                "{stranger}"
            );
        }
    }

    #[test]
    fn an_empty_secret_lets_nobody_in() {
        let tokens = StaticTokens::default();
        assert_eq!(tokens.find(Root::People, ""), None);
        assert_eq!(tokens.find(Root::Operator, ""), None);
    }

    #[test]
    fn each_part_of_the_api_knows_only_its_own_tokens() {
        let tokens = StaticTokens {
            people: "p".to_owned(),
            operator: "o".to_owned(),
            runners: RunnerTokens::default(),
        };
        tokens.runners.add("acme", "r");
        assert_eq!(tokens.find(Root::People, "p"), Some(Principal::Admin));
        assert_eq!(tokens.find(Root::People, "r"), None);
        assert_eq!(tokens.find(Root::Operator, "p"), None);
        assert_eq!(
            tokens.find(Root::Runners, "r"),
            Some(Principal::Runner {
                tenant: "acme".to_owned()
            })
        );
    }
}
