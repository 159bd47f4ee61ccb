//! Messages between the runner and a worker: a length in four bytes, then JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Job, Limits, Output, ScriptError};

/// The longest message: a source and an input, or an output and its log lines, with room for escapes.
pub(super) const LIMIT: usize = 32 * 1024 * 1024;

/// What the runner sends.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) job: Job,
    pub(super) limits: Limits,
}

/// What the worker answers.
pub(super) type Answer = Result<Output, ScriptError>;

/// A message with its length before it.
pub(super) fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    if length > LIMIT {
        let message = format!("{length} bytes are too much for a script, {LIMIT} are allowed");
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    let length = u32::try_from(length).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// The length of a message.
pub(super) fn length(header: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(header) as usize;
    if length > LIMIT {
        return Err(io::Error::new(ErrorKind::InvalidData, "the message is too long"));
    }
    Ok(length)
}

/// The next message; nothing at the end.
pub(super) fn read<Message: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<Message>> {
    let mut header = [0; 4];
    match from.read_exact(&mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut bytes = vec![0; length(header)?];
    from.read_exact(&mut bytes)?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

pub(super) fn write(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    to.write_all(&encode(message)?)?;
    to.flush()
}
