//! How names relate to each other: tenants, their namespaces, labels, roles.

/// Prefix of a tenant's namespace: tenant `acme` lives in `fp-acme`.
pub const NAMESPACE_PREFIX: &str = "fp-";
/// Label on everything made for a tenant; its value is the tenant's name.
pub const TENANT_LABEL: &str = "flowpilot.io/tenant";
/// Label on what belongs to one RunnerClass in a tenant's namespace.
pub const RUNNER_CLASS_LABEL: &str = "flowpilot.io/runner-class";
/// Label that marks what FlowPilot owns, so that orphans can be found.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY_LABEL`].
pub const MANAGED_BY: &str = "flowpilot";
/// Finalizer on kinds whose rows live in Postgres.
pub const FINALIZER: &str = "flowpilot.io/registration";
/// Field manager of the API server when it changes a custom resource for a person.
pub const BUILDER_MANAGER: &str = "flowpilot-builder";
/// ServiceAccount of a tenant's runners.
pub const RUNNER_SERVICE_ACCOUNT: &str = "flowpilot-runner";
/// Audience of every token that the API server accepts.
pub const TOKEN_AUDIENCE: &str = "flowpilot-api";
/// The user that the bootstrap token stands for, in Kubernetes' eyes.
pub const BOOTSTRAP_USER: &str = "flowpilot:bootstrap-admin";
/// The RunnerClass of a tenant that names none.
pub const DEFAULT_RUNNER_CLASS: &str = "default";
/// The built-in roles of a tenant, strongest first.
pub const ROLES: [&str; 7] = [
    "owner", "admin", "manager", "member", "operator", "approver", "viewer",
];

/// The namespace of a tenant.
#[must_use]
pub fn namespace_of(tenant: &str) -> String {
    format!("{NAMESPACE_PREFIX}{tenant}")
}

/// The tenant whose namespace this is; `None` for any other namespace.
#[must_use]
pub fn tenant_of(namespace: &str) -> Option<&str> {
    namespace
        .strip_prefix(NAMESPACE_PREFIX)
        .filter(|name| !name.is_empty())
}

/// The Kubernetes group of a role in a tenant.
#[must_use]
pub fn role_group(tenant: &str, role: &str) -> String {
    format!("flowpilot:{tenant}:{role}")
}

/// An `id`, input, case or variable name: `[A-Za-z][A-Za-z0-9_]{0,62}` and no word of CEL.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    name.len() <= 63
        && characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !CEL_WORDS.contains(&name)
}

/// Words that CEL reserves (cel-spec, syntax): none of them can be selected as `steps.<word>`.
pub const CEL_WORDS: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_what_cel_can_select() {
        for good in ["a", "Read2", "a_b", &"x".repeat(63)] {
            assert!(is_identifier(good), "{good}");
        }
        for bad in ["", "2a", "_a", "a-b", "in", "true", "ä", &"x".repeat(64)] {
            assert!(!is_identifier(bad), "{bad}");
        }
    }

    #[test]
    fn a_namespace_names_its_tenant_and_no_other_does() {
        assert_eq!(tenant_of(&namespace_of("acme")), Some("acme"));
        assert_eq!(tenant_of("kube-system"), None);
        assert_eq!(tenant_of("fp-"), None);
    }
}
