//! The state of a run as one value, so that it can be taken up without its journal.
//!
//! A snapshot is of one version of the engine and one plan, and is thrown away when either changes: the journal
//! remains the truth. Nothing in it is for other readers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::frame::{FrameId, Frames, Instance};
use super::order::Order;
use super::{Facts, Finished, ReplayError, Run, Timer, error};
use crate::digest::digest_of;
use crate::expression::Value;
use crate::journal::RunMode;
use crate::plan::{PLAN_VERSION, Plan};

/// Version of the format. A snapshot of another one is not taken up.
const SNAPSHOT_VERSION: u32 = 2;

/// The state of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    version: u32,
    plan_version: u32,
    /// Digest of the workflow's revision.
    revision: String,
    mode: RunMode,
    started_at: Timestamp,
    deadline: Timestamp,
    #[serde(with = "super::stored::value")]
    inputs: Value,
    #[serde(with = "super::stored::value")]
    vars: Value,
    frames: Frames,
    dirty: BTreeSet<(Order, Instance)>,
    sweeps: BTreeSet<FrameId>,
    settling: BTreeSet<FrameId>,
    ready: BTreeSet<(Order, Instance)>,
    timers: BTreeSet<(Timestamp, Order, Timer)>,
    listening: BTreeMap<String, BTreeSet<(Order, Instance)>>,
    taken: BTreeMap<usize, BTreeSet<String>>,
    running: usize,
    events: usize,
    own_events: usize,
    sequence: u64,
    cut_short: bool,
    undone: bool,
    undo_is_incomplete: bool,
    finished: Option<Finished>,
    /// Of all the rest. What was changed on the way is not taken up: the machine relies on what it wrote itself.
    digest: String,
}

impl Snapshot {
    fn own_digest(&self) -> String {
        let mut content = serde_json::to_value(self).unwrap_or_default();
        if let serde_json::Value::Object(fields) = &mut content {
            fields.remove("digest");
        }
        digest_of(&content)
    }
}

impl Run {
    /// The state as it is now. Take it when [`Run::decide`] has nothing more to say: what is under way is not part of
    /// it, but that it began.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let run = self;
        let mut snapshot = Snapshot {
            version: SNAPSHOT_VERSION,
            plan_version: run.plan.version,
            revision: run.facts.revision.clone(),
            mode: run.mode,
            started_at: run.started_at,
            deadline: run.deadline,
            inputs: run.inputs.clone(),
            vars: run.vars.clone(),
            frames: run.frames.clone(),
            dirty: run.dirty.clone(),
            sweeps: run.sweeps.clone(),
            settling: run.settling.clone(),
            ready: run.ready.clone(),
            timers: run.timers.clone(),
            listening: run.listening.clone(),
            taken: run.taken.clone(),
            running: run.running,
            events: run.events,
            own_events: run.own_events,
            sequence: run.sequence,
            cut_short: run.cut_short,
            undone: run.undone,
            undo_is_incomplete: run.undo_is_incomplete,
            finished: run.finished.clone(),
            digest: String::new(),
        };
        snapshot.digest = snapshot.own_digest();
        snapshot
    }

    // Here and above every field is spelled out: one that is forgotten does not compile.
    /// Takes a run up from its snapshot. [`Run::recover`] comes next, as after [`Run::resume`].
    pub fn restore(plan: Arc<Plan>, facts: Facts, snapshot: Snapshot) -> Result<Self, ReplayError> {
        snafu::ensure!(
            snapshot.digest == snapshot.own_digest(),
            error::DamagedSnapshotSnafu
        );
        let Snapshot {
            version,
            plan_version,
            revision,
            mode,
            started_at,
            deadline,
            inputs,
            vars,
            frames,
            dirty,
            sweeps,
            settling,
            ready,
            timers,
            listening,
            taken,
            running,
            events,
            own_events,
            sequence,
            cut_short,
            undone,
            undo_is_incomplete,
            finished,
            digest: _,
        } = snapshot;
        let belongs = version == SNAPSHOT_VERSION
            && plan_version == plan.version
            && plan_version == PLAN_VERSION
            && revision == facts.revision;
        snafu::ensure!(belongs, error::ForeignSnapshotSnafu);
        Ok(Self {
            plan,
            facts,
            mode,
            started_at,
            deadline,
            inputs,
            vars,
            frames,
            dirty,
            sweeps,
            settling,
            ready,
            timers,
            listening,
            taken,
            running,
            events,
            own_events,
            sequence,
            cut_short,
            undone,
            undo_is_incomplete,
            finished,
            decisions: 0,
        })
    }
}
