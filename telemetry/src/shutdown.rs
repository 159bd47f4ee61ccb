//! The wish to end, from the signals that Kubernetes and terminals send.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGTERM or SIGINT. The second one ends the process at once: somebody
/// is impatient. Must be called inside a tokio runtime; a signal that cannot be listened to is logged.
#[must_use]
pub fn token() -> CancellationToken {
    let token = CancellationToken::new();
    if let (Some(terminate), Some(interrupt)) = (
        listen(SignalKind::terminate(), "SIGTERM"),
        listen(SignalKind::interrupt(), "SIGINT"),
    ) {
        tokio::spawn(watch(terminate, interrupt, token.clone()));
    }
    token
}

fn listen(kind: SignalKind, name: &str) -> Option<Signal> {
    signal(kind)
        .inspect_err(|error| tracing::error!(%error, "failed to listen to {name}"))
        .ok()
}

async fn watch(mut terminate: Signal, mut interrupt: Signal, token: CancellationToken) {
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: shutting down"),
        _ = interrupt.recv() => tracing::info!("SIGINT: shutting down"),
    }
    token.cancel();
    let code = tokio::select! {
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
    };
    tracing::warn!("second signal: ending at once");
    // What a shell shows for a process that a signal ended.
    std::process::exit(128 + code);
}
