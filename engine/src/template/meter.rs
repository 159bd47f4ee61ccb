//! What an operation pays for the values it is given: one unit for each value inside, and for each 64 bytes of text.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

/// Bytes of text for one unit, as in minijinja.
const BYTES: usize = 64;
/// How deep a value may nest. Data nests at most a hundred levels; what walks over values recurses once per level.
const DEPTH: usize = 128;

/// Pays for a value with all that is in it.
pub(super) fn pay(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    walk(state, value, 0)
}

fn walk(state: &State<'_, '_>, value: &Value, depth: usize) -> Result<(), Error> {
    if depth > DEPTH {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a value nests deeper than {DEPTH} levels"),
        ));
    }
    let bytes = value.as_str().map_or(0, str::len);
    state.consume_fuel(1 + (bytes / BYTES) as u64)?;
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()? {
                walk(state, &item, depth + 1)?;
            }
            Ok(())
        }
        ValueKind::Map => {
            for key in value.try_iter()? {
                walk(state, &key, depth + 1)?;
                walk(state, &value.get_item(&key)?, depth + 1)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
