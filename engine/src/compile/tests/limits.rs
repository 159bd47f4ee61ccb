//! Durations and numbers.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[
        (
            "[{id: a, wait: {duration: 5 minutes}}]",
            &["InvalidDuration steps[0].wait.duration -> 5m"],
        ),
        (
            "[{id: a, wait: {duration: 0s}}]",
            &["InvalidDuration steps[0].wait.duration"],
        ),
        (
            "{timeout: 1.5h, steps: [{id: a, set: {x: 1}}]}",
            &["InvalidDuration timeout -> 1h30m"],
        ),
        (
            "[{id: a, uses: core/log@1, with: {message: x}, timeout: 1d, retry: {attempts: 0, factor: 0.5, backoff: x, maxBackoff: 0s}}]",
            &[
                "InvalidDuration steps[0].timeout -> 24h",
                "LimitExceeded steps[0].retry.attempts",
                "LimitExceeded steps[0].retry.factor",
                "InvalidDuration steps[0].retry.backoff",
                "InvalidDuration steps[0].retry.maxBackoff",
            ],
        ),
    ]);
}
