use super::world::{World, facts, fails, gives, mocks};
use crate::journal::{Event, RunOutcome, SkipReason, StepError};
use crate::plan::Work;
use crate::run::{Command, ReplayError, Run};
use serde_json::{Map, json};

/// A run whose runner dies after so many simulated moments; another one takes it over.
fn taken_over(mut world: World, moments: usize) -> World {
    for _ in 0..moments {
        world.step();
    }
    let commands = world.run.decide(world.now);
    world.take(commands);
    world.run = Run::resume(world.plan.clone(), facts(), &world.journal).unwrap();
    world.doing.clear();
    let commands = world.run.recover(world.now);
    world.take(commands);
    world
}

#[test]
fn reads_and_writes_with_a_key_are_performed_again_as_the_same_attempt() {
    for action in [
        "core/log@1, with: {message: x}",
        "core/http@1, with: {url: x, method: POST}",
    ] {
        let slow = gives(json!({})).after(9);
        let world = World::new(
            &format!("- {{id: a, uses: {action}}}"),
            mocks([("a", vec![slow])]),
        );
        let world = taken_over(world, 0).finish();
        assert_eq!(
            (
                world.outcome(),
                world.performed.len(),
                world.of_step("a").attempts
            ),
            (RunOutcome::Succeeded, 2, 1)
        );
        assert_eq!(world.performed[0], world.performed[1]);
        assert_eq!(
            world.performed[0].idempotency_key,
            "00000000-0000-0000-0000-000000000007:a"
        );
    }
}

#[test]
fn other_writes_are_interrupted_and_may_have_happened() {
    let mut plan =
        super::world::compiled("- {id: a, uses: core/http@1, with: {url: x, method: POST}, retry: {}}").plan;
    if let Work::Uses { idempotency_key, .. } = &mut plan.steps[0].work {
        *idempotency_key = false;
    }
    let world = World::of(
        plan.into(),
        json!({}),
        mocks([("a", vec![gives(json!({})).after(9)])]),
    );
    let world = taken_over(world, 0).finish();
    assert_eq!((world.outcome(), world.performed.len()), (RunOutcome::Failed, 1));
    assert_eq!(
        (world.error().code.as_str(), world.error().may_have_happened),
        ("Interrupted", true)
    );
}

#[test]
fn waits_retries_and_timeouts_go_on_where_they_were() {
    let steps = "
- {id: nap, wait: {duration: 90s}}
- {id: a, uses: core/log@1, with: {message: x}, retry: {attempts: 2, backoff: 1h}}
- {id: b, uses: core/log@1, with: {message: x}, timeout: 50s}
- {id: rescue, needs: [b.failed], set: {x: 1}}";
    let slow = gives(json!({})).after(1000);
    let limited = fails("RateLimited").with(|error| error.retry_after_ms = Some(30_000));
    let world = World::new(
        steps,
        mocks([("a", vec![limited, gives(json!({}))]), ("b", vec![slow])]),
    );
    let world = taken_over(world, 1).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 90));
    assert_eq!(world.of_step("a").started_at.unwrap().as_second(), 0);
    assert_eq!(
        (world.of_step("a").attempts, world.end("b").as_str()),
        (2, "failed:Timeout")
    );
    assert_eq!(
        world.of_step("b").ended_at.unwrap().as_second(),
        50,
        "the takeover gives no more time"
    );
}

#[test]
fn a_run_that_ends_while_it_is_taken_over_performs_nothing_again() {
    let steps = "
- {id: read, uses: core/log@1, with: {message: x}}
- {id: write, uses: core/http@1, with: {url: x, method: POST}}
- {id: close, needs: [write.done], uses: core/log@1, with: {message: x}}";
    let slow = || vec![gives(json!({})).after(50)];
    let world = World::new(steps, mocks([("read", slow()), ("write", slow())])).cancel_at(1);
    let world = taken_over(world, 1).finish();
    assert_eq!(world.outcome(), RunOutcome::Cancelled);
    assert_eq!(
        (world.end("read").as_str(), world.end("write").as_str()),
        ("cancelled", "failed:Interrupted")
    );
    assert_eq!(world.calls(), ["read", "write", "close"]);
}

#[test]
fn every_prefix_of_a_journal_can_be_taken_up() {
    let steps = "
timeout: 2h
steps:
- {id: a, set: {x: 1}}
- {id: b, needs: [a], uses: core/log@1, with: {message: x}, retry: {attempts: 3, backoff: 1s}}
- {id: c, needs: [b.failed], wait: {duration: 5s}}
- {id: d, needs: [c], fail: {code: Enough}}
- {id: e, needs: [d.done], uses: core/log@1, with: {message: x}}
- {id: f, wait: {duration: 1h}}";
    let whole = World::new(steps, mocks([("b", vec![fails("Unavailable")])])).finish();
    for length in 1..whole.journal.len() {
        let mut world = World::new(steps, mocks([("b", vec![fails("Unavailable")])]));
        world.journal = whole.journal[..length].to_vec();
        world.now = world.journal.last().unwrap().at();
        world.run = Run::resume(world.plan.clone(), facts(), &world.journal).unwrap();
        let commands = world.run.recover(world.now);
        world.take(commands);
        let world = world.finish();
        assert_eq!(
            (world.outcome(), world.error().code.as_str()),
            (RunOutcome::Failed, "Enough"),
            "prefix {length}"
        );
        for step in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(world.end(step), whole.end(step), "{step} after prefix {length}");
        }
    }
}

#[test]
fn a_journal_that_does_not_fit_is_refused() {
    let world = World::new("- {id: a, set: {x: 1}}", mocks([])).finish();
    let resume = |journal: &[Event]| Run::resume(world.plan.clone(), facts(), journal).err();
    let start = world.journal[0].clone();
    let at = world.now;
    assert_eq!(resume(&[]), Some(ReplayError::NoStart));
    assert_eq!(resume(&world.journal[1..]), Some(ReplayError::NoStart));
    let step = |step: &str, attempt| Event::StepStarted {
        step: step.to_owned(),
        at,
        attempt,
    };
    assert!(matches!(
        resume(&[start.clone(), step("b", 1)]),
        Some(ReplayError::UnknownStep { .. })
    ));
    for bad in [
        vec![step("a", 2)],
        vec![step("a", 1), step("a", 1)],
        vec![Event::StepSucceeded {
            step: "a".to_owned(),
            at,
            attempt: 1,
            output: None,
            named: None,
            cached: false,
            message: None,
        }],
        vec![Event::RunStarted {
            at,
            inputs: Map::new(),
            vars: Map::new(),
            mode: crate::journal::RunMode::Run,
        }],
    ] {
        let journal: Vec<Event> = std::iter::once(start.clone()).chain(bad).collect();
        assert!(
            matches!(resume(&journal), Some(ReplayError::Unexpected { .. })),
            "{journal:?}"
        );
    }
    let mut after: Vec<Event> = world.journal.clone();
    after.push(Event::CancelRequested {
        at,
        by: "ann".to_owned(),
    });
    assert!(resume(&after).is_some(), "nothing comes after the end");
    let mut plan = (*world.plan).clone();
    plan.version += 1;
    let error = Run::resume(plan.into(), facts(), &world.journal).err();
    assert!(matches!(error, Some(ReplayError::PlanVersion { .. })));
}

#[test]
fn a_plan_survives_the_wire() {
    let plan = super::world::plan(
        "
inputs: [{name: n, type: integer, default: 1}]
variables: {a: [1, {b: 2}]}
steps:
- {id: a, set: {x: \"$(inputs.n) and $$(y)\"}}
- {id: b, needs: [a, a.failed], when: inputs.n > 0, uses: core/http@1, with: {url: x}, timeout: 5s, retry: {codes: [X]}}
- {id: c, needs: [b.done], wait: {duration: $(inputs.n)s}}
- {id: d, needs: [c], stop: {status: Failed, message: done}}
outputs: {x: $(steps.a.?output)}",
    );
    let wire = serde_json::to_string(&*plan).unwrap();
    assert_eq!(serde_json::from_str::<crate::plan::Plan>(&wire).unwrap(), *plan);
}

#[test]
fn deciding_twice_does_nothing_twice() {
    let mut world = World::new("- {id: a, uses: core/log@1, with: {message: x}}", mocks([]));
    let now = world.now;
    assert_eq!(world.run.decide(now).len(), 2);
    assert!(world.run.decide(now).is_empty());
    assert_eq!(world.run.running(), 1);
    let commands = world.run.attempt_succeeded("a", 1, json!({}), now);
    assert!(matches!(
        commands.as_slice(),
        [Command::Record(Event::StepSucceeded { .. })]
    ));
    assert!(world.run.attempt_succeeded("a", 1, json!({}), now).is_empty());
    let commands = world.run.decide(now);
    assert!(matches!(
        commands.as_slice(),
        [Command::Record(Event::RunFinished { .. }), Command::Finish { .. }]
    ));
    assert!(world.run.decide(now).is_empty() && world.run.next_timer().is_none());
}

#[test]
fn a_snapshot_of_another_plan_or_engine_is_refused() {
    let mut world = World::new("- {id: nap, wait: {duration: 1h}}", mocks([]));
    world.step();
    let snapshot = world.run.snapshot();
    assert!(Run::restore(world.plan.clone(), facts(), snapshot.clone()).is_ok());
    let mut other = facts();
    other.revision = "sha256:1".to_owned();
    let error = Run::restore(world.plan.clone(), other, snapshot).err();
    assert_eq!(error, Some(ReplayError::ForeignSnapshot));
}

/// "sub-workflows are cancelled in turn": also after a takeover, whichever way the state was taken up.
#[test]
fn what_was_told_to_stop_is_told_again_by_the_next_runner() {
    let world = World::new("- {id: call, workflow: {name: other}}", mocks([]));
    let (mut run, mut journal, now) = (world.run, world.journal, world.now);
    let mut commands = run.decide(now);
    commands.extend(run.cancel("ann", now));
    commands.extend(run.decide(now));
    journal.extend(commands.iter().filter_map(|command| match command {
        Command::Record(event) => Some(event.clone()),
        _ => None,
    }));
    let stop = Command::Abort {
        step: "call".to_owned(),
    };
    assert!(commands.contains(&stop));
    let replayed = Run::resume(world.plan.clone(), facts(), &journal).unwrap();
    let restored = Run::restore(world.plan.clone(), facts(), run.snapshot()).unwrap();
    for mut next in [replayed, restored] {
        let mut told = next.recover(now);
        told.extend(next.decide(now));
        assert!(matches!(told.first(), Some(Command::Perform(perform)) if perform.step == "call"));
        assert!(told.contains(&stop), "{told:?}");
    }
}

/// "Steps inside a skipped block are skipped with its reason": also when clean-up was cut short.
#[test]
fn a_block_skipped_after_clean_up_was_cut_short_gives_its_steps_its_reason() {
    let post = "uses: core/http@1, with: {url: x, method: POST}";
    let plan = super::world::plan(&format!(
        "timeout: 1h\nsteps:\n- {{id: a, fail: {{code: No}}}}\n- {{id: x, needs: [a.done], {post}}}\n- {{id: g, needs: [x, a.done], group: {{}}}}\n- {{id: m, in: g, set: {{x: 1}}}}"
    ));
    let mut run = World::of(plan, json!({}), mocks([])).run;
    let mut now = jiff::Timestamp::UNIX_EPOCH;
    let _ = run.decide(now);
    now = run.next_timer().unwrap();
    // Its answer comes at that very moment.
    let error = StepError {
        code: "BadRequest".to_owned(),
        ..StepError::default()
    };
    let _ = run.attempt_failed("x", 1, error, now);
    let _ = run.decide(now);
    let reason = |step: &str| {
        run.view()
            .steps
            .into_iter()
            .find(|view| view.step == step)
            .unwrap()
            .reason
    };
    assert_eq!(
        (reason("g"), reason("m")),
        (Some(SkipReason::UpstreamFailed), Some(SkipReason::UpstreamFailed))
    );
}

#[test]
fn an_event_that_does_not_fit_changes_nothing() {
    let mut world = World::new(
        "- {id: g, group: {}}\n- {id: a, in: g, wait: {duration: 5s}}",
        mocks([]),
    );
    world.step();
    let before = serde_json::to_value(world.run.snapshot()).unwrap();
    let at = world.now;
    let group = "g".to_owned();
    let unfit = [
        Event::StepStarted {
            step: "a".to_owned(),
            at,
            attempt: 9,
        },
        // Blocks end after their steps, and so does the run.
        Event::StepCancelled {
            step: group.clone(),
            at,
        },
        Event::StepFailed {
            step: group,
            at,
            attempt: 1,
            error: StepError::default(),
            retry_at: None,
            named: None,
            output: None,
        },
        Event::RunFinished {
            at,
            outcome: RunOutcome::Succeeded,
            outputs: None,
            error: None,
            message: None,
        },
    ];
    for event in unfit {
        assert!(
            matches!(world.run.apply(&event), Err(ReplayError::Unexpected { .. })),
            "{event:?}"
        );
    }
    assert_eq!(serde_json::to_value(world.run.snapshot()).unwrap(), before);
}

#[test]
fn a_snapshot_that_was_changed_is_not_taken_up() {
    let world = World::new("- {id: a, wait: {duration: 5s}}", mocks([]));
    let mut text = serde_json::to_value(world.run.snapshot()).unwrap();
    text["running"] = json!(7);
    let changed = serde_json::from_value(text).unwrap();
    let refused = Run::restore(world.plan.clone(), facts(), changed).err();
    assert_eq!(refused, Some(ReplayError::DamagedSnapshot));
}
