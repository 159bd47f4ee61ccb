use super::world::{World, fails, gives, mocks};
use crate::journal::{Event, RunOutcome};
use jiff::Timestamp;
use serde_json::json;

const LOG: &str = "uses: core/log@1, with: {message: x}";

fn times(world: &World) -> Vec<i64> {
    let started = |event: &Event| match event {
        Event::StepStarted { at, .. } => Some(at.as_millisecond()),
        _ => None,
    };
    world.journal.iter().filter_map(started).collect()
}

#[test]
fn errors_of_the_moment_are_tried_again_up_to_the_attempts() {
    let steps = format!("- {{id: a, {LOG}, retry: {{attempts: 5, backoff: 2s, factor: 2, maxBackoff: 1m}}}}");
    let answers = vec![fails("Unavailable"), fails("RateLimited"), gives(json!({"v": 3}))];
    let world = World::new(&steps, mocks([("a", answers)])).finish();
    assert_eq!(
        (world.outcome(), world.of_step("a").attempts),
        (RunOutcome::Succeeded, 3)
    );
    let times = times(&world);
    assert!(times[1] <= 2000 && times[2] - times[1] <= 4000, "{times:?}");
    assert!(times[2] > 0, "jitter of this run is not zero twice");
    let again = vec![fails("Unavailable"), fails("RateLimited"), gives(json!({"v": 3}))];
    assert_eq!(
        self::times(&World::new(&steps, mocks([("a", again)])).finish()),
        times,
        "jitter is derived"
    );

    let world = World::new(&steps, mocks([("a", vec![fails("Unavailable")])])).finish();
    assert_eq!(
        (
            world.outcome(),
            world.of_step("a").attempts,
            world.performed.len()
        ),
        (RunOutcome::Failed, 5, 5)
    );
    assert_eq!(
        (world.error().code.as_str(), world.error().attempt),
        ("Unavailable", Some(5))
    );
    assert!(world.performed.iter().all(|perform| perform.max_attempts == 5));
}

/// Which errors are tried again: action, `retry`, what the error says, and how many attempts come of it.
#[test]
fn what_is_tried_again() {
    let read = LOG;
    let keyed = "uses: core/http@1, with: {url: x, method: POST}";
    let cases = [
        (read, "{}", "Unavailable", None, 3),
        (read, "{}", "Conflict", None, 3),
        (read, "{}", "BadRequest", None, 1),
        (read, "{}", "BadRequest", Some(true), 3),
        (read, "{}", "Unavailable", Some(false), 1),
        (read, "{codes: [BadRequest]}", "BadRequest", None, 3),
        (read, "{codes: [BadRequest]}", "Unavailable", Some(true), 1),
        (read, "{attempts: 1}", "Unavailable", None, 1),
        (keyed, "{}", "Timeout", None, 3),
    ];
    for (action, retry, code, retryable, attempts) in cases {
        let steps = format!("- {{id: a, {action}, retry: {retry}}}");
        let answer = fails(code).with(|error| error.retryable = retryable);
        let world = World::new(&steps, mocks([("a", vec![answer])])).finish();
        assert_eq!(
            world.performed.len(),
            attempts,
            "{action} {retry} {code} {retryable:?}"
        );
    }
    let world = World::new(
        &format!("- {{id: a, {LOG}}}"),
        mocks([("a", vec![fails("Unavailable")])]),
    )
    .finish();
    assert_eq!(world.performed.len(), 1, "without `retry` there is one attempt");
}

#[test]
fn a_write_without_idempotency_key_is_not_repeated_when_it_may_have_happened() {
    for (retry, code, attempts) in [
        ("{}", "Timeout", 1),
        ("{}", "Interrupted", 1),
        ("{codes: [Timeout]}", "Timeout", 3),
        ("{}", "Unavailable", 3),
    ] {
        let steps = format!("- {{id: a, uses: core/http@1, with: {{url: x, method: POST}}, retry: {retry}}}");
        let mut plan = super::world::compiled(&steps).plan;
        if let crate::plan::Work::Uses { idempotency_key, .. } = &mut plan.steps[0].work {
            *idempotency_key = false;
        }
        let answer = fails(code).with(|error| error.retryable = (code == "Timeout").then_some(true));
        let world = World::of(plan.into(), json!({}), mocks([("a", vec![answer])])).finish();
        assert_eq!(world.performed.len(), attempts, "{retry} {code}");
    }
}

#[test]
fn a_retry_after_wins_and_counts_at_most_an_hour() {
    let steps = format!("- {{id: a, {LOG}, retry: {{attempts: 2}}}}");
    for (asked, waited) in [(45_000, 45_000), (0, 0), (u64::MAX, 3_600_000)] {
        let limited = fails("RateLimited").with(|error| error.retry_after_ms = Some(asked));
        let world = World::new(&steps, mocks([("a", vec![limited, gives(json!({}))])])).finish();
        assert_eq!(times(&world), [0, waited], "{asked}");
    }
}

#[test]
fn a_timeout_covers_one_attempt_and_a_late_answer_changes_nothing() {
    let steps = format!("- {{id: a, {LOG}, timeout: 10s, retry: {{attempts: 2, backoff: 1ms}}}}");
    let slow = gives(json!({"late": true})).after(30);
    let mut world = World::new(&steps, mocks([("a", vec![slow, gives(json!({})).after(5)])]));
    world.step();
    let first = world.performed[0].clone();
    assert_eq!(first.deadline, Some(Timestamp::from_second(10).unwrap()));
    let mut world = world.finish();
    assert_eq!(
        (world.outcome(), world.aborted.as_slice()),
        (RunOutcome::Succeeded, ["a".to_owned()].as_slice())
    );
    assert_eq!((world.of_step("a").attempts, world.seconds()), (2, 15));
    let now = world.now;
    assert!(world.run.attempt_succeeded("a", 1, json!({}), now).is_empty());
    let world = World::new(&steps, mocks([("a", vec![gives(json!({})).after(30)])])).finish();
    assert_eq!(
        (world.error().code.as_str(), world.error().may_have_happened),
        ("Timeout", false)
    );
    let post = "- {id: a, uses: core/http@1, with: {url: x, method: POST}, timeout: 10s}";
    let world = World::new(post, mocks([("a", vec![gives(json!({})).after(30)])])).finish();
    assert!(world.error().may_have_happened);
}

#[test]
fn an_output_over_the_limit_fails_the_step() {
    let large = gives(json!({"text": "x".repeat(super::super::OUTPUT_BYTES)}));
    let world = World::new(&format!("- {{id: a, {LOG}}}"), mocks([("a", vec![large])])).finish();
    assert_eq!(world.error().code, "LimitExceeded");
    let deep = (0..110).fold(json!(1), |inner, _| json!([inner]));
    let world = World::new(&format!("- {{id: a, {LOG}}}"), mocks([("a", vec![gives(deep)])])).finish();
    assert_eq!(world.error().code, "LimitExceeded");
}
