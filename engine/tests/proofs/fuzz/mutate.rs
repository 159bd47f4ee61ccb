//! Changes to texts: of bytes, of lines, of words, and pieces of other texts.

use crate::random::Random;

/// What breaks readers.
const NASTY: [&str; 40] = [
    "$(",
    "$$(",
    ")",
    "\u{feff}",
    "\u{0}",
    "\t",
    "\r\n",
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!binary ",
    "!x ",
    "? ",
    ": ",
    "- ",
    "|2-\n",
    ">+\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "# ",
    "~",
    "null",
    "9007199254740993",
    "-9223372036854775809",
    "1e999",
    ".nan",
    "0x7f",
    "0o17",
    "yes",
    "2026-01-01T00:00:00Z",
    "ä",
    "😀",
    "\u{202e}",
    "\u{85}",
];

/// A text with some changes.
pub(crate) fn text(random: &mut Random, text: &str, others: &[String]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        once(random, &mut bytes, others);
    }
    bytes.truncate(64 * 1024);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The same without care for UTF-8.
pub(crate) fn bytes(random: &mut Random, text: &str, others: &[String]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        once(random, &mut bytes, others);
    }
    bytes.truncate(64 * 1024);
    bytes
}

fn once(random: &mut Random, bytes: &mut Vec<u8>, others: &[String]) {
    let place = random.below(bytes.len() + 1);
    let longest = if random.chance(70) { 8 } else { 400 };
    let length = 1 + random.below(longest);
    let end = (place + length).min(bytes.len());
    match random.below(9) {
        0 => drop(bytes.drain(place..end)),
        1 => {
            let piece = bytes[place..end].to_vec();
            let to = random.below(bytes.len() + 1);
            drop(bytes.splice(to..to, piece));
        }
        2 => {
            let nasty = *random.of::<&str>(&NASTY);
            drop(bytes.splice(place..place, nasty.bytes()));
        }
        3 if place < bytes.len() => bytes[place] = random.next().to_le_bytes()[0],
        4 if place < bytes.len() => bytes[place] ^= 1 << random.below(8),
        5 if !others.is_empty() => {
            let other = random.of(others).as_bytes();
            let from = random.below(other.len() + 1);
            let piece = &other[from..(from + length).min(other.len())];
            drop(bytes.splice(place..place, piece.iter().copied()));
        }
        6 => line(random, bytes),
        7 => {
            let nasty = random.of::<&str>(&NASTY).repeat(1 + random.below(200));
            drop(bytes.splice(place..end, nasty.bytes()));
        }
        _ => number(random, bytes, place),
    }
}

/// A line goes, or stands once more elsewhere.
fn line(random: &mut Random, bytes: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let which = random.below(lines.len());
    let line = if random.chance(50) {
        lines.remove(which)
    } else {
        lines[which].clone()
    };
    if random.chance(60) {
        let to = random.below(lines.len() + 1);
        lines.insert(to, line);
    }
    *bytes = lines.join(&b'\n');
}

/// The next number becomes another one.
fn number(random: &mut Random, bytes: &mut Vec<u8>, place: usize) {
    let Some(start) = bytes[place..]
        .iter()
        .position(u8::is_ascii_digit)
        .map(|found| place + found)
    else {
        return;
    };
    let end = bytes[start..]
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .map_or(bytes.len(), |found| start + found);
    let numbers = [
        "0",
        "1",
        "2",
        "7",
        "99",
        "255",
        "4294967295",
        "18446744073709551615",
        "-1",
        "1.5",
    ];
    let number = *random.of::<&str>(&numbers);
    drop(bytes.splice(start..end, number.bytes()));
}
