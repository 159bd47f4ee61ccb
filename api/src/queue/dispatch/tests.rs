//! The interleavings of polls, starts and claims, step by step.

use std::time::Duration;

use super::{Delivery, Dispatcher, poll::Waiting};
use crate::queue::{LeaseRequest, LeasedRun};
use uuid::Uuid;

const POOL: i32 = 7;
const TENANT: Uuid = Uuid::from_u128(1);
const SESSION: Uuid = Uuid::from_u128(2);

fn dispatcher() -> Dispatcher {
    Dispatcher::new(Duration::from_mins(1))
}

impl Dispatcher {
    /// A poll of a session that has looked already and found nothing.
    fn poll(&self, session_id: Uuid, free: usize) -> Waiting<'_> {
        let request = LeaseRequest {
            tenant_id: TENANT,
            session_id,
            free,
            held: Vec::new(),
            wait: Duration::from_secs(1),
        };
        let waiting = self.wait(&request, POOL);
        waiting.open(free);
        waiting
    }

    /// A claim that finds nothing.
    fn claim_nothing(&self) {
        let claim = self.next_claim().unwrap();
        self.claimed(&claim, &[], &claim.slots);
    }

    /// How many slots starts could take.
    fn room(&self) -> usize {
        let slots: Vec<_> = std::iter::from_fn(|| self.reserve(POOL)).collect();
        for slot in &slots {
            self.release(*slot);
        }
        slots.len()
    }
}

fn run() -> LeasedRun {
    LeasedRun {
        tenant_id: TENANT,
        run_id: Uuid::now_v7(),
        epoch: 1,
        workflow: "refund".into(),
        revision_id: 1,
        revision: "sha256:7".into(),
        next_seq: 1,
        priority: 2,
        trigger_kind: 0,
        journal: Vec::new(),
        inbox: Vec::new(),
    }
}

#[tokio::test]
async fn a_run_goes_to_the_poll_whose_slot_it_took_and_to_no_later_one() {
    let dispatcher = dispatcher();
    let first = dispatcher.poll(SESSION, 2);
    dispatcher.claim_nothing();
    let (early, late) = (
        dispatcher.reserve(POOL).unwrap(),
        dispatcher.reserve(POOL).unwrap(),
    );
    assert!(dispatcher.deliver(early, run()));
    assert_eq!(first.finish(Vec::new()).len(), 1);
    assert!(!dispatcher.deliver(late, run()), "nobody waits");
    let mut second = dispatcher.poll(SESSION, 2);
    assert!(dispatcher.deliver(late, run()), "the session waits here");
    assert!(matches!(second.next().await, Delivery::Again));
    assert!(second.finish(Vec::new()).is_empty());
}

#[tokio::test]
async fn a_claim_delivers_to_the_polls_it_was_made_for() {
    let dispatcher = dispatcher();
    let other = Uuid::from_u128(3);
    let (first, stays) = (dispatcher.poll(SESSION, 1), dispatcher.poll(other, 1));
    let claim = dispatcher.next_claim().unwrap();
    assert!(first.finish(Vec::new()).is_empty());
    let mut second = dispatcher.poll(SESSION, 1);
    let runs = claim.slots.iter().map(|slot| (*slot, run()));
    assert!(dispatcher.deliver_all(runs).is_empty());
    assert!(matches!(second.next().await, Delivery::Again));
    assert_eq!(
        (second.finish(Vec::new()).len(), stays.finish(Vec::new()).len()),
        (0, 1)
    );
    let nobody = dispatcher.deliver_all(claim.slots.iter().map(|slot| (*slot, run())));
    assert_eq!(
        nobody.len(),
        2,
        "each session is named once, to be woken elsewhere"
    );
}

#[test]
fn slots_return_to_their_poll_only() {
    let dispatcher = dispatcher();
    let first = dispatcher.poll(SESSION, 1);
    dispatcher.claim_nothing();
    let slot = dispatcher.reserve(POOL).unwrap();
    assert_eq!(dispatcher.room(), 0);
    dispatcher.release(slot);
    assert_eq!(dispatcher.room(), 1);
    let slot = dispatcher.reserve(POOL).unwrap();
    drop(first);
    let _second = dispatcher.poll(SESSION, 1);
    dispatcher.release(slot);
    assert_eq!(dispatcher.room(), 1, "no more than it asked for");
}

#[test]
fn a_poll_offers_nothing_before_it_has_looked() {
    let dispatcher = dispatcher();
    drop(dispatcher.poll(SESSION, 1));
    let request = LeaseRequest {
        tenant_id: TENANT,
        session_id: SESSION,
        free: 1,
        held: Vec::new(),
        wait: Duration::from_secs(1),
    };
    let waiting = dispatcher.wait(&request, POOL);
    dispatcher.ready(POOL);
    assert!(dispatcher.next_claim().is_none());
    waiting.open(1);
    dispatcher.claim_nothing();
    assert_eq!(dispatcher.room(), 1);

    let told = dispatcher.wait(&request, POOL);
    dispatcher.wake(SESSION);
    told.open(1);
    assert_eq!(dispatcher.room(), 0, "it is about to end");
}

#[test]
fn a_poll_that_was_replaced_hands_nothing_out() {
    let dispatcher = dispatcher();
    let first = dispatcher.poll(SESSION, 1);
    dispatcher.claim_nothing();
    assert!(dispatcher.deliver(dispatcher.reserve(POOL).unwrap(), run()));
    let second = dispatcher.poll(SESSION, 1);
    assert!(first.finish(vec![run()]).is_empty(), "the second finds them");
    assert_eq!(second.finish(vec![run()]).len(), 1);
}
