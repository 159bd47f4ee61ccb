//! The inside of string, bytes and number literals.

use super::error::ParseError;

/// Reads an escape sequence of a string; `offset` is where it stands, `rest` what follows the backslash.
/// Gives the character and how many bytes of `rest` it took.
fn escape(rest: &str, offset: usize) -> Result<(Escape, usize), ParseError> {
    let letter = rest
        .chars()
        .next()
        .ok_or_else(|| ParseError::new("the text ends in a backslash", offset))?;
    let plain = |character| Ok((Escape::Character(character), 1));
    match letter {
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\u{b}'),
        '\\' | '?' | '"' | '\'' | '`' => plain(letter),
        'x' | 'X' => coded(rest, 1, 2, 16, offset).map(|code| (Escape::Byte(code), 3)),
        'u' => coded(rest, 1, 4, 16, offset).map(|code| (Escape::Point(code), 5)),
        'U' => coded(rest, 1, 8, 16, offset).map(|code| (Escape::Point(code), 9)),
        '0'..='3' => coded(rest, 0, 3, 8, offset).map(|code| (Escape::Byte(code), 3)),
        other => Err(ParseError::new(
            format!("unknown escape \\{other}: write \\\\{other} for a backslash, or a raw text r\"…\""),
            offset,
        )),
    }
}

enum Escape {
    Character(char),
    /// `\x41` or `\101`: a character in a string, a byte in bytes.
    Byte(u32),
    /// `\u0041`: not allowed in bytes.
    Point(u32),
}

fn coded(rest: &str, start: usize, digits: usize, radix: u32, offset: usize) -> Result<u32, ParseError> {
    rest.get(start..start + digits)
        .filter(|code| code.chars().all(|digit| digit.is_digit(radix)))
        .and_then(|code| u32::from_str_radix(code, radix).ok())
        .ok_or_else(|| ParseError::new(format!("the escape needs {digits} digits"), offset))
}

/// The text that the inside of a string literal means.
pub(super) fn string(inside: &str, raw: bool, offset: usize) -> Result<String, ParseError> {
    if raw || !inside.contains('\\') {
        return Ok(inside.to_owned());
    }
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(position) = rest.find('\\') {
        out.push_str(&rest[..position]);
        rest = &rest[position + 1..];
        let place = offset + inside.len() - rest.len() - 1;
        let (escape, length) = escape(rest, place)?;
        out.push(match escape {
            Escape::Character(character) => character,
            Escape::Byte(code) | Escape::Point(code) => {
                char::from_u32(code).ok_or_else(|| ParseError::new("the escape is no character", place))?
            }
        });
        rest = &rest[length..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The bytes that the inside of a bytes literal means.
pub(super) fn bytes(inside: &str, raw: bool, offset: usize) -> Result<Vec<u8>, ParseError> {
    if raw || !inside.contains('\\') {
        return Ok(inside.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(position) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..position]);
        rest = &rest[position + 1..];
        let place = offset + inside.len() - rest.len() - 1;
        let (escape, length) = escape(rest, place)?;
        match escape {
            Escape::Character(character) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Escape::Byte(code) => out.push(u8::try_from(code).unwrap_or(u8::MAX)),
            Escape::Point(_) => return Err(ParseError::new("\\u is for strings, write \\x in bytes", place)),
        }
        rest = &rest[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}
