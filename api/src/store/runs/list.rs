//! The run list: two ordered reads, living and finished, merged newest first.
//!
//! One view over both tables would be one read, whose plan is at the mercy of estimates. Filters without an index are
//! applied while walking, up to a bound; then the page ends early and its cursor says how far it looked.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Row, Run, State};
use crate::store::{
    TenantTx,
    error::{Result, classify},
};

/// Rows that one page may look at before it answers with what it found.
const EXAMINED: usize = 5_000;
/// Rows per read while filtering.
const CHUNK: usize = 500;

/// Which runs to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this workflow.
    pub workflow_id: Option<Uuid>,
    /// Only in these states; empty for all.
    pub states: Vec<State>,
    /// Accepted at or after.
    pub since: Option<Timestamp>,
    /// Accepted before.
    pub until: Option<Timestamp>,
}

/// A page of the run list.
#[derive(Clone, Debug)]
pub struct Page {
    /// Newest first.
    pub runs: Vec<Run>,
    /// Where the next page begins; none at the end. A page may be shorter than asked and still have a next one.
    pub next: Option<Uuid>,
}

impl Filter {
    fn wants_live(&self) -> bool {
        self.states.is_empty() || self.states.iter().any(|state| !state.is_finished())
    }

    fn wants_done(&self) -> bool {
        self.states.is_empty() || self.states.iter().any(|state| state.is_finished())
    }

    /// The read of finished runs that an index serves best.
    fn done_statement(&self) -> &'static str {
        match (self.workflow_id, self.states.as_slice()) {
            (Some(_), _) => include_str!("../sql/list_done_workflow.sql"),
            (None, [State::Failed]) => include_str!("../sql/list_done_failed.sql"),
            (None, _) => include_str!("../sql/list_done.sql"),
        }
    }
}

/// What a source gave: runs that match, and down to which id it has looked (none: to the end).
struct Found {
    runs: Vec<Run>,
    searched_to: Option<Uuid>,
}

/// Runs of the tenant older than `before` (none for the newest).
pub async fn list(tx: &mut TenantTx, filter: &Filter, before: Option<Uuid>, limit: usize) -> Result<Page> {
    let upper = before.unwrap_or(Uuid::max());
    let upper = filter.until.map_or(upper, |until| upper.min(floor(until)));
    let range = (filter.since.map_or(Uuid::nil(), floor), upper);
    let mut found = Vec::with_capacity(2);
    // Living first: a run that ends between the two reads shows in both, never in none.
    if filter.wants_live() {
        found.push(walk(tx, include_str!("../sql/list_live.sql"), filter, range, limit).await?);
    }
    if filter.wants_done() {
        found.push(walk(tx, filter.done_statement(), filter, range, limit).await?);
    }
    Ok(merge(found, limit))
}

fn merge(found: Vec<Found>, limit: usize) -> Page {
    // Below the highest point where a source stopped, runs of that source may be missing.
    let reliable = found.iter().filter_map(|part| part.searched_to).max();
    let mut runs: Vec<Run> = found.into_iter().flat_map(|part| part.runs).collect();
    runs.retain(|run| reliable.is_none_or(|floor| run.run_id >= floor));
    // The finished copy of a run that shows twice is the newer one.
    runs.sort_by_key(|run| (std::cmp::Reverse(run.run_id), !run.state.is_finished()));
    runs.dedup_by_key(|run| run.run_id);
    let cut = runs.len() > limit;
    runs.truncate(limit);
    let next = if cut {
        runs.last().map(|run| run.run_id)
    } else {
        reliable
    };
    Page { runs, next }
}

async fn walk(
    tx: &mut TenantTx,
    statement: &'static str,
    filter: &Filter,
    (lower, mut upper): (Uuid, Uuid),
    limit: usize,
) -> Result<Found> {
    let tenant_id = tx.tenant_id();
    let chunk = if filter.states.is_empty() {
        limit + 1
    } else {
        CHUNK.max(limit + 1)
    };
    let mut runs = Vec::new();
    let mut examined = 0;
    while examined < EXAMINED && runs.len() <= limit {
        let rows: Vec<Row> = sqlx::query_as(statement)
            .bind(tenant_id)
            .bind(lower)
            .bind(upper)
            .bind(i64::try_from(chunk).unwrap_or(i64::MAX))
            .bind(filter.workflow_id)
            .fetch_all(tx.connection())
            .await
            .map_err(classify)?;
        let (count, last) = (rows.len(), rows.last().map(|row| row.run_id));
        examined += count;
        let matching = rows.into_iter().map(Run::from);
        runs.extend(matching.filter(|run| filter.states.is_empty() || filter.states.contains(&run.state)));
        match last {
            Some(last) if count == chunk => upper = last,
            _ => {
                return Ok(Found {
                    runs,
                    searched_to: None,
                });
            }
        }
    }
    Ok(Found {
        runs,
        searched_to: Some(upper),
    })
}

/// The smallest id of an instant.
fn floor(instant: Timestamp) -> Uuid {
    let millis = u128::try_from(instant.as_millisecond()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}
