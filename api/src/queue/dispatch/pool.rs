//! One pool as a replica sees it: who waits, and whether anything is ready.

use std::{collections::VecDeque, time::Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Delivery, Slot};
use crate::queue::lease::RUNS;

/// Levels of priority.
pub(super) const PRIORITIES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Never looked.
    Unknown,
    /// Nothing was left.
    Empty,
    /// A claim is under way.
    Claiming,
    /// Something may be ready.
    Ready,
}

/// A poll that is under way.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) session_id: Uuid,
    /// Names the poll: a session has many, one after the other.
    pub(super) number: u64,
    /// Runs that still fit; none before the poll is open, and none once it was told to end.
    pub(super) free: usize,
    pub(super) deliveries: mpsc::UnboundedSender<Delivery>,
}

impl Waiter {
    /// Makes the poll end.
    pub(super) fn tell(&mut self, delivery: Delivery) {
        self.free = 0;
        // A poll that is ending by itself does not hear it.
        let _ = self.deliveries.send(delivery);
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) tenant_id: Uuid,
    pub(super) readiness: Readiness,
    /// At most one of each session.
    pub(super) waiters: VecDeque<Waiter>,
    /// Per priority the newest `ready_at` claimed, in microseconds.
    pub(super) marks: [Option<i64>; PRIORITIES],
    /// When a claim last looked from the beginning of time.
    pub(super) full_at: Option<Instant>,
    pub(super) queued: bool,
}

impl Pool {
    pub(super) fn new(tenant_id: Uuid) -> Self {
        Self {
            tenant_id,
            readiness: Readiness::Unknown,
            waiters: VecDeque::new(),
            marks: [None; PRIORITIES],
            full_at: None,
            queued: false,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiters.iter().any(|waiter| waiter.free > 0)
    }

    /// Worth a claim: something may be ready, and somebody waits for it.
    pub(super) fn is_due(&self) -> bool {
        matches!(self.readiness, Readiness::Unknown | Readiness::Ready) && self.has_room()
    }

    /// Whatever poll of a session waits here.
    pub(super) fn waiter(&mut self, session_id: Uuid) -> Option<&mut Waiter> {
        self.waiters
            .iter_mut()
            .find(|waiter| waiter.session_id == session_id)
    }

    /// The poll that a slot is of.
    pub(super) fn poll(&mut self, number: u64) -> Option<&mut Waiter> {
        self.waiters.iter_mut().find(|waiter| waiter.number == number)
    }

    /// Gives a slot back to its poll, if that still waits.
    pub(super) fn give_back(&mut self, slot: Slot) {
        if let Some(waiter) = self.poll(slot.poll) {
            waiter.free += 1;
        }
    }

    /// Takes free slots, one of each waiter in turn, as many as one answer may carry.
    pub(super) fn take_slots(&mut self, pool_id: i32) -> Vec<Slot> {
        let mut slots = Vec::new();
        let mut found = true;
        while found {
            found = false;
            for waiter in self.waiters.iter_mut().filter(|waiter| waiter.free > 0) {
                if slots.len() == RUNS {
                    return slots;
                }
                waiter.free -= 1;
                slots.push(Slot {
                    pool_id,
                    session_id: waiter.session_id,
                    poll: waiter.number,
                });
                found = true;
            }
        }
        slots
    }
}
