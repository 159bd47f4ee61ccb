//! News between replicas, over NOTIFY.
//!
//! NOTIFY takes a lock that all commits with notifications share, so it never stands inside a commit: events are
//! collected and sent afterwards, at most fifty times a second. Payloads carry ids only, because any login may listen.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{sync::mpsc, time};
use uuid::Uuid;

use super::{Event, Shared};

const CHANNEL: &str = "flowpilot";
/// Between two sends: fifty a second cost next to nothing.
const INTERVAL: Duration = Duration::from_millis(20);
/// Postgres takes payloads below 8,000 bytes; base64 makes four characters of three bytes.
const PAYLOAD_BYTES: usize = 5_900;
/// Payloads in one send. What does not fit is replaced by "look for yourselves".
const PAYLOADS: usize = 8;
/// Events taken from the bus in one go.
const TAKE: usize = 4_096;
/// Between two attempts to listen while the database is away.
const RECONNECT: Duration = Duration::from_secs(1);

/// Carries events to the other replicas until the queue stops.
pub(crate) async fn notify(shared: Arc<Shared>, mut outbox: mpsc::Receiver<Event>) {
    let mut events = Vec::with_capacity(TAKE);
    loop {
        let taken = tokio::select! {
            taken = outbox.recv_many(&mut events, TAKE) => taken,
            () = shared.stop.cancelled() => return,
        };
        if taken == 0 {
            return;
        }
        let overflow = outbox.capacity() == 0;
        let payloads = if overflow {
            encode(shared.replica, &[Event::Missed])
        } else {
            encode(shared.replica, &coalesce(&events))
        };
        events.clear();
        let sent = sqlx::query(include_str!("sql/notify.sql"))
            .bind(CHANNEL)
            .bind(payloads)
            .execute(&shared.pools.engine)
            .await;
        if let Err(error) = sent {
            // The others have their fallbacks, and after an outage they look for themselves anyway.
            tracing::debug!(%error, "failed to notify other replicas");
        }
        time::sleep(INTERVAL).await;
    }
}

/// Hears the other replicas until the queue stops.
pub(crate) async fn listen(shared: Arc<Shared>) {
    while !shared.stop.is_cancelled() {
        let heard = tokio::select! {
            heard = hear(&shared) => heard,
            () = shared.stop.cancelled() => return,
        };
        if let Err(error) = heard {
            tracing::warn!(%error, "failed to listen for other replicas; trying again");
        }
        shared.heard(Event::Missed);
        tokio::select! {
            () = time::sleep(RECONNECT) => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

async fn hear(shared: &Shared) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(shared.pools.options())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    // While nobody listened, everything may have happened.
    shared.heard(Event::Missed);
    while let Some(notification) = listener.try_recv().await? {
        for event in decode(shared.replica, notification.payload()) {
            shared.heard(event);
        }
    }
    Ok(())
}

/// Only the last news of each run, and nothing twice.
fn coalesce(events: &[Event]) -> Vec<Event> {
    let mut runs: HashMap<Uuid, usize> = HashMap::new();
    let mut kept: Vec<Event> = Vec::with_capacity(events.len());
    for event in events {
        if let Event::RunChanged { run_id, .. } = event {
            if let Some(index) = runs.get(run_id) {
                kept[*index] = *event;
                continue;
            }
            runs.insert(*run_id, kept.len());
        } else if kept.contains(event) {
            continue;
        }
        kept.push(*event);
    }
    kept
}

fn encode(replica: u64, events: &[Event]) -> Vec<String> {
    let start = || {
        let mut bytes = Vec::with_capacity(PAYLOAD_BYTES);
        bytes.extend_from_slice(&replica.to_be_bytes());
        bytes
    };
    let mut payloads = Vec::new();
    let mut bytes = start();
    for event in events {
        let mut record = [0_u8; 38];
        let length = write(*event, &mut record);
        if bytes.len() + length > PAYLOAD_BYTES {
            payloads.push(STANDARD_NO_PAD.encode(std::mem::replace(&mut bytes, start())));
            if payloads.len() == PAYLOADS {
                return encode(replica, &[Event::Missed]);
            }
        }
        bytes.extend_from_slice(&record[..length]);
    }
    payloads.push(STANDARD_NO_PAD.encode(bytes));
    payloads
}

fn write(event: Event, record: &mut [u8; 38]) -> usize {
    match event {
        Event::Missed => 1,
        Event::RunChanged {
            tenant_id,
            run_id,
            seq,
            finished,
        } => {
            record[0] = 1;
            record[1..17].copy_from_slice(tenant_id.as_bytes());
            record[17..33].copy_from_slice(run_id.as_bytes());
            record[33..37].copy_from_slice(&seq.to_be_bytes());
            record[37] = u8::from(finished);
            38
        }
        Event::PoolReady { pool_id } => {
            record[0] = 2;
            record[1..5].copy_from_slice(&pool_id.to_be_bytes());
            5
        }
        Event::RegistryChanged { tenant_id } => {
            record[0] = 3;
            record[1..17].copy_from_slice(tenant_id.as_bytes());
            17
        }
        Event::MirrorChanged => {
            record[0] = 4;
            1
        }
        Event::SessionWake { session_id } => {
            record[0] = 5;
            record[1..17].copy_from_slice(session_id.as_bytes());
            17
        }
        Event::SessionMessage { session_id } => {
            record[0] = 6;
            record[1..17].copy_from_slice(session_id.as_bytes());
            17
        }
    }
}

/// What another replica said. What cannot be read, such as the words of a newer version, counts as missed.
fn decode(replica: u64, payload: &str) -> Vec<Event> {
    let Ok(bytes) = STANDARD_NO_PAD.decode(payload) else {
        return vec![Event::Missed];
    };
    let Some((sender, mut rest)) = bytes.split_first_chunk::<8>() else {
        return vec![Event::Missed];
    };
    if *sender == replica.to_be_bytes() {
        return Vec::new();
    }
    let mut events = Vec::new();
    while !rest.is_empty() {
        let Some(event) = read(&mut rest) else {
            events.push(Event::Missed);
            break;
        };
        events.push(event);
    }
    events
}

fn read(rest: &mut &[u8]) -> Option<Event> {
    let [kind] = take::<1>(rest)?;
    Some(match kind {
        0 => Event::Missed,
        1 => Event::RunChanged {
            tenant_id: Uuid::from_bytes(take(rest)?),
            run_id: Uuid::from_bytes(take(rest)?),
            seq: i32::from_be_bytes(take(rest)?),
            finished: take::<1>(rest)? == [1],
        },
        2 => Event::PoolReady {
            pool_id: i32::from_be_bytes(take(rest)?),
        },
        3 => Event::RegistryChanged {
            tenant_id: Uuid::from_bytes(take(rest)?),
        },
        4 => Event::MirrorChanged,
        5 => Event::SessionWake {
            session_id: Uuid::from_bytes(take(rest)?),
        },
        6 => Event::SessionMessage {
            session_id: Uuid::from_bytes(take(rest)?),
        },
        _ => return None,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As another replica would have sent it.
    fn foreign(events: &[Event]) -> Vec<Event> {
        encode(1, events)
            .into_iter()
            .flat_map(|payload| decode(2, &payload))
            .collect()
    }

    #[test]
    fn events_come_back_as_they_were_sent() {
        let id = Uuid::now_v7();
        let events = [
            Event::RunChanged {
                tenant_id: id,
                run_id: Uuid::now_v7(),
                seq: 7,
                finished: true,
            },
            Event::PoolReady { pool_id: 12 },
            Event::RegistryChanged { tenant_id: id },
            Event::MirrorChanged,
            Event::SessionWake { session_id: id },
            Event::SessionMessage { session_id: id },
            Event::Missed,
        ];
        assert_eq!(foreign(&events), events);
        assert_eq!(
            decode(1, &encode(1, &events)[0]),
            [],
            "a replica does not hear itself"
        );
    }

    #[test]
    fn payloads_stay_below_the_limit_of_postgres_and_too_many_become_missed() {
        let run = |_| Event::RunChanged {
            tenant_id: Uuid::nil(),
            run_id: Uuid::now_v7(),
            seq: 1,
            finished: false,
        };
        let many: Vec<Event> = (0..1000).map(run).collect();
        assert!(encode(1, &many).iter().all(|payload| payload.len() < 8_000));
        assert_eq!(foreign(&many), many);
        let flood: Vec<Event> = (0..5000).map(run).collect();
        assert_eq!(foreign(&flood), [Event::Missed]);
    }

    #[test]
    fn only_the_last_news_of_a_run_travels() {
        let (tenant_id, run_id) = (Uuid::nil(), Uuid::now_v7());
        let news = |seq, finished| Event::RunChanged {
            tenant_id,
            run_id,
            seq,
            finished,
        };
        let ready = Event::PoolReady { pool_id: 1 };
        assert_eq!(
            coalesce(&[news(1, false), ready, news(2, true), ready]),
            [news(2, true), ready]
        );
    }
}
