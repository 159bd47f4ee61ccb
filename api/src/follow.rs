//! Waiting for news of one run: the bus says when to look, the journal says what happened.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use crate::queue::{Event, Queue};

/// Without news a run is looked at this often, in case the way of the news is broken.
const FALLBACK: Duration = Duration::from_secs(15);

/// News of one run from the moment it was made.
#[derive(Debug)]
pub struct Follow {
    run: Uuid,
    news: Receiver<Event>,
}

impl Follow {
    /// Listens from now on. Begin before the first look, so that nothing falls between.
    #[must_use]
    pub fn new(queue: &Queue, run: Uuid) -> Self {
        Self {
            run,
            news: queue.subscribe(),
        }
    }

    /// Returns when the run may have more than `seen` events, or may have ended.
    pub async fn changed(&mut self, seen: i32) {
        let heard = async {
            loop {
                match self.news.recv().await {
                    Ok(Event::RunChanged {
                        run_id,
                        seq,
                        finished,
                        ..
                    }) if run_id == self.run && (seq > seen || finished) => {
                        return;
                    }
                    Ok(Event::Missed) | Err(RecvError::Lagged(_)) => return,
                    Ok(_) => {}
                    // The queue has stopped: whoever waits has a deadline of their own.
                    Err(RecvError::Closed) => std::future::pending::<()>().await,
                }
            }
        };
        let _ = tokio::time::timeout(FALLBACK, heard).await;
    }
}
