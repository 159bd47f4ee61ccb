//! What a class must satisfy beyond its schema.

use std::time::Duration;

use flowpilot_crds::{Reason, RunnerClass};
use kube::ResourceExt;

use crate::controller::Rejection;
use crate::duration;

/// Characters of a class's name: pods carry it behind `flowpilot-runner-`, and labels end at 63.
const NAME_LENGTH: usize = 40;
/// How long a pool stays without work, if the class does not say.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// How a class's pools grow and shrink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) capacity: i32,
    pub(crate) min: i32,
    pub(crate) max: i32,
    pub(crate) idle_timeout: Duration,
}

pub(crate) fn validate(class: &RunnerClass) -> Result<Scale, Rejection> {
    let spec = &class.spec;
    if let unsupported @ [_, ..] = &*spec.unsupported() {
        let message = unsupported
            .iter()
            .map(|field| format!("{}: {}", field.path, field.message))
            .collect::<Vec<_>>();
        return Err(Rejection {
            reason: Reason::NotSupportedYet,
            message: message.join("\n"),
        });
    }
    let mut problems = Vec::new();
    let name = class.name_any();
    if name.len() > NAME_LENGTH {
        problems.push(format!(
            "metadata.name: at most {NAME_LENGTH} characters, because pods carry it"
        ));
    }
    let idle_timeout = spec
        .idle_timeout
        .as_deref()
        .map_or(Some(IDLE_TIMEOUT), duration::parse);
    if idle_timeout.is_none() {
        problems.push("spec.idleTimeout: no duration: write it as 90s or 1h30m".to_owned());
    }
    if spec.min.is_some_and(|min| min < 0) || spec.capacity.is_some_and(|capacity| capacity < 1) {
        problems.push("spec: min is at least 0, and capacity at least 1".to_owned());
    }
    let (min, max) = spec.bounds();
    match idle_timeout {
        Some(idle_timeout) if problems.is_empty() => Ok(Scale {
            capacity: spec.capacity(),
            min,
            max,
            idle_timeout,
        }),
        _ => Err(Rejection {
            reason: Reason::InvalidSpec,
            message: problems.join("\n"),
        }),
    }
}

impl Scale {
    /// The scale of a class, if it is valid.
    pub(crate) fn of(class: &RunnerClass) -> Option<Self> {
        validate(class).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowpilot_crds::RunnerClassSpec;
    use flowpilot_crds::runner_class::Isolation;

    #[test]
    fn unset_fields_have_their_defaults() {
        let scale = validate(&RunnerClass::new("default", RunnerClassSpec::default())).unwrap();
        assert_eq!(
            scale,
            Scale {
                capacity: 32,
                min: 0,
                max: 4,
                idle_timeout: IDLE_TIMEOUT
            }
        );
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let job = RunnerClassSpec {
            isolation: Some(Isolation::Job),
            ..RunnerClassSpec::default()
        };
        assert_eq!(
            validate(&RunnerClass::new("a", job)).unwrap_err().reason,
            Reason::NotSupportedYet
        );
        let wrong = RunnerClassSpec {
            idle_timeout: Some("soon".to_owned()),
            ..RunnerClassSpec::default()
        };
        let rejection = validate(&RunnerClass::new(&"a".repeat(41), wrong)).unwrap_err();
        assert_eq!(rejection.message.lines().count(), 2);
    }
}
