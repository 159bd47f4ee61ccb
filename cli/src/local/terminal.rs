//! A person at the terminal: what they type, line by line.

use std::io::{BufRead, IsTerminal};

use tokio::sync::mpsc;

/// Lines that were typed and not read yet.
const AHEAD: usize = 16;

/// What a person types.
#[derive(Debug)]
pub(crate) struct Terminal {
    lines: mpsc::Receiver<String>,
}

impl Terminal {
    /// The person at the terminal that standard input is, if it is one.
    pub(crate) fn of_person() -> Option<Self> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        let (sender, lines) = mpsc::channel(AHEAD);
        // Reading blocks and cannot be ended: the thread goes with the process.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Some(Self { lines })
    }

    #[cfg(test)]
    pub(crate) fn of(lines: mpsc::Receiver<String>) -> Self {
        Self { lines }
    }

    /// The next line; nothing when there will be no more.
    pub(crate) async fn line(&mut self) -> Option<String> {
        self.lines.recv().await
    }
}
