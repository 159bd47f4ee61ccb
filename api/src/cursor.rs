//! Places in lists, handed to callers and taken back: opaque, signed, and good for one list with one filter only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::{Code, Problem};

/// Bytes of the signature: half of SHA-256, far beyond guessing.
const SIGNATURE: usize = 16;
/// Longest cursor that is looked at.
const LONGEST: usize = 1_024;

/// A cursor for `position` in the list that `list` describes: tenant, kind, filter.
#[must_use]
pub fn seal(secret: &[u8; 32], list: &str, position: &str) -> String {
    let mut bytes = sign(secret, list, position).to_vec();
    bytes.extend_from_slice(position.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position in a cursor of this list.
pub fn open(secret: &[u8; 32], list: &str, cursor: &str) -> Result<String, Problem> {
    let wrong = || {
        Problem::new(
            Code::InvalidCursor,
            "take the cursor from the last answer, with the same filter",
        )
    };
    if cursor.len() > LONGEST {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    let (signature, position) = bytes.split_at_checked(SIGNATURE).ok_or_else(wrong)?;
    let position = std::str::from_utf8(position).map_err(|_| wrong())?;
    if bool::from(sign(secret, list, position).ct_eq(signature)) {
        Ok(position.to_owned())
    } else {
        Err(wrong())
    }
}

/// HMAC-SHA256 (RFC 2104) over both texts, each with its length before it.
fn sign(secret: &[u8; 32], list: &str, position: &str) -> [u8; SIGNATURE] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block
            .iter_mut()
            .zip(secret)
            .for_each(|(block, secret)| *block ^= secret);
        block
    };
    let mut inner = Sha256::new().chain_update(pad(0x36));
    for text in [list, position] {
        inner.update((text.len() as u64).to_be_bytes());
        inner.update(text.as_bytes());
    }
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize())
        .finalize();
    let mut signature = [0; SIGNATURE];
    signature.copy_from_slice(&outer[..SIGNATURE]);
    signature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_its_own_list_and_no_other() {
        let cursor = seal(&[7; 32], "runs?state=failed", "0192");
        assert_eq!(open(&[7; 32], "runs?state=failed", &cursor).unwrap(), "0192");
        assert!(open(&[7; 32], "runs?state=", &cursor).is_err());
        assert!(open(&[8; 32], "runs?state=failed", &cursor).is_err());
        for broken in ["", "AAAA", "!", &format!("{cursor}AA")] {
            assert_eq!(
                open(&[7; 32], "runs?state=failed", broken).unwrap_err().code,
                Code::InvalidCursor
            );
        }
    }

    #[test]
    fn the_signature_is_the_one_of_rfc_2104() {
        // Computed with Python: hmac.new(bytes([1])*32, msg, 'sha256'), msg = len(list) ‖ list ‖ len(position) ‖ position.
        assert_eq!(
            hex::encode(sign(&[1; 32], "a", "b")),
            "f71706a801f2288f65f7d850d1ab7429"
        );
    }
}
