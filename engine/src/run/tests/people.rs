use super::world::{World, mocks, vote};
use crate::journal::{RunOutcome, Vote};
use serde_json::json;

const ASK: &str = "
- {id: ask, approval: {groups: [managers], users: [eve], required: 2, timeout: 2h, selfApproval: Deny, title: Really,
   form: [{name: limit, type: integer, required: true}, {name: kind, type: string, options: [a, b]}]}}
- {id: pay, needs: [ask.approved], set: {by: $(steps.ask.output.by), limit: $(steps.ask.output.form.limit), n: $(steps.ask.output.comment)}}
- {id: no, needs: [ask.rejected], set: {by: $(steps.ask.output.by), code: $(steps.ask.error.code)}}
- {id: late, needs: [ask.expired], set: {has: $(has(steps.ask.output))}}";

fn filled(by: &str, limit: i64) -> Vote {
    let mut vote = vote(by, true);
    vote.form.insert("limit".to_owned(), json!(limit));
    vote.comment = Some(format!("from {by}"));
    vote
}

#[test]
fn so_many_different_people_approve_and_the_last_vote_counts() {
    let world = World::new(ASK, mocks([]))
        .vote_at(1, "ask", filled("bob", 1))
        .vote_at(2, "ask", filled("bob", 2))
        .vote_at(3, "ask", filled("cid", 3))
        .finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 3));
    assert_eq!(
        (world.ended("ask").as_str(), world.ended("no").as_str()),
        ("approved", "skipped:nottaken")
    );
    let output = world.journal.iter().find_map(|event| match event {
        crate::journal::Event::StepSucceeded { step, output, .. } if step == "ask" => output.clone(),
        _ => None,
    });
    let expected = json!({"decision": "approved", "by": ["bob", "cid"], "at": "1970-01-01T00:00:03Z", "comment": "from cid", "form": {"limit": 3}});
    assert_eq!(output, Some(expected));
    assert_eq!(world.asked[0].title.as_deref(), Some("Really"));
}

#[test]
fn one_rejection_rejects_and_nobody_in_time_expires() {
    let world = World::new(ASK, mocks([]))
        .vote_at(1, "ask", filled("bob", 1))
        .vote_at(3, "ask", vote("cid", false))
        .finish();
    assert_eq!(
        (world.ended("ask").as_str(), world.ended("no").as_str()),
        ("failed:Rejected", "succeeded")
    );
    assert_eq!(world.ended("pay"), "skipped:upstreamfailed");
    let world = World::new(ASK, mocks([])).finish();
    assert_eq!(
        (world.ended("ask").as_str(), world.seconds()),
        ("failed:Expired", 7200)
    );
    assert_eq!(world.ended("late"), "succeeded");
}

#[test]
fn votes_that_do_not_count() {
    let with = |name: &str, value| {
        let mut vote = filled("bob", 1);
        vote.form.insert(name.to_owned(), value);
        vote
    };
    let mut stranger = filled("mallory", 1);
    stranger.groups = vec!["interns".to_owned()];
    let bad = [
        stranger,
        filled("ann", 1),
        vote("bob", true),
        with("limit", json!("x")),
        with("kind", json!("c")),
        with("other", json!(1)),
    ];
    let count = bad.len();
    let mut world = World::new(ASK, mocks([]));
    for (second, vote) in (1..).zip(bad) {
        world = world.vote_at(second, "ask", vote);
    }
    let mut eve = filled("eve", 5);
    eve.groups = Vec::new();
    let world = world
        .vote_at(50, "ask", eve)
        .vote_at(51, "ask", filled("bob", 5))
        .vote_at(52, "ask", filled("cid", 5))
        .finish();
    assert_eq!(world.refused.len(), count, "{:?}", world.refused);
    assert_eq!((world.ended("ask").as_str(), world.seconds()), ("approved", 51));
}

#[test]
fn a_wait_takes_the_first_event_that_its_step_has_not_taken() {
    let text = "
steps:
- {id: again, loop: {while: turn.n < 2, init: {n: 0}, next: {n: $(turn.n + 1)}}}
- {id: hold, in: again, wait: {event: {type: order.paid, match: event.data.id != 'bad' && event.data.n > 0, timeout: 1h}}}
- {id: say, in: again, needs: [hold], uses: core/log@1, with: {message: $(steps.hold.output.data.id)}}
- {id: other, wait: {event: {type: order.paid}}}";
    let event = |id: &str| json!({"id": id, "n": 1});
    let world = World::new(text, mocks([]))
        .event_at(1, "order.lost", event("x"))
        .event_at(2, "order.paid", json!({"id": "no n"}))
        .event_at(3, "order.paid", event("bad"))
        .event_at(4, "order.paid", event("one"))
        .event_at(5, "order.paid", event("two"))
        .finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 5));
    assert_eq!(
        (world.with(0)["message"].clone(), world.with(1)["message"].clone()),
        (json!("one"), json!("two"))
    );
    let expired = World::new(text, mocks([]))
        .event_at(4, "order.paid", event("one"))
        .finish();
    assert_eq!(
        (expired.outcome(), expired.error().code.as_str()),
        (RunOutcome::Failed, "Expired")
    );
}

#[test]
fn an_event_that_came_before_the_wait_is_taken_and_an_emit_reaches_the_own_run() {
    let text = "
- {id: nap, wait: {duration: 10s}}
- {id: tell, needs: [nap], emit: {type: here, data: {n: 7}}}
- {id: early, needs: [nap], wait: {event: {type: went.by}}}
- {id: own, needs: [tell], wait: {event: {type: here, match: event.data.n == 7}}}
- {id: all, needs: [early, own], set: {x: $(steps.own.output.data.n), t: $(steps.early.output.type)}}";
    let world = World::new(text, mocks([]))
        .event_at(3, "went.by", json!({}))
        .finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 10));
    assert_eq!(
        (world.published.len(), world.published[0].event.as_str()),
        (1, "here")
    );
}

#[test]
fn waits_for_a_time_and_what_is_no_time() {
    let of = |until: &str| {
        let text = format!("- {{id: nap, wait: {{until: \"{until}\"}}}}");
        World::new(&text, mocks([])).finish()
    };
    assert_eq!(of("1970-01-01T00:01:00Z").seconds(), 60);
    assert_eq!(
        of("$(timestamp('1970-01-01T00:01:00Z') + duration('30s'))").seconds(),
        90
    );
    assert_eq!(of("1969-01-01T00:00:00Z").seconds(), 0);
    assert_eq!(of("$(run.id)").error().code, "ExpressionError");
}

#[test]
fn a_cancelled_run_asks_nobody() {
    let world = World::new(ASK, mocks([]))
        .cancel_at(9)
        .vote_at(10, "ask", filled("bob", 1))
        .finish();
    assert_eq!(
        (world.outcome(), world.ended("ask").as_str()),
        (RunOutcome::Cancelled, "cancelled")
    );
}
