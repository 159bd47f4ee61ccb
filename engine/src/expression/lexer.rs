//! From characters to tokens. One pass, no recursion; keeps byte offsets.

use super::{ast::Span, error::ParseError, literal};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or keyword; its text is in the source.
    Name,
    /// A field between backticks.
    Quoted(String),
    /// A whole number without sign, so that the smallest int can be written.
    Int(u64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    /// An operator or bracket.
    Symbol(&'static str),
    End,
}

/// The operator or bracket that a text begins with, the longest there is.
fn symbol(text: &str) -> Option<&'static str> {
    let two = match text.as_bytes() {
        [b'&', b'&', ..] => "&&",
        [b'|', b'|', ..] => "||",
        [b'=', b'=', ..] => "==",
        [b'!', b'=', ..] => "!=",
        [b'<', b'=', ..] => "<=",
        [b'>', b'=', ..] => ">=",
        _ => "",
    };
    if !two.is_empty() {
        return Some(two);
    }
    Some(match text.as_bytes().first()? {
        b'(' => "(",
        b')' => ")",
        b'[' => "[",
        b']' => "]",
        b'{' => "{",
        b'}' => "}",
        b'.' => ".",
        b',' => ",",
        b'?' => "?",
        b':' => ":",
        b'<' => "<",
        b'>' => ">",
        b'+' => "+",
        b'-' => "-",
        b'*' => "*",
        b'/' => "/",
        b'%' => "%",
        b'!' => "!",
        _ => return None,
    })
}

/// All tokens of a source, with an `End` behind them.
pub(super) fn tokens(source: &str) -> Result<Vec<(Token, Span)>, ParseError> {
    let mut lexer = Lexer { source, position: 0 };
    let mut tokens = Vec::new();
    loop {
        let (token, span) = lexer.next()?;
        let last = token == Token::End;
        tokens.push((token, span));
        if last {
            return Ok(tokens);
        }
    }
}

/// Where the bracket closes that was opened just before `start`; nothing if it does not.
pub(super) fn closing(text: &str, start: usize) -> Result<Option<usize>, ParseError> {
    let mut lexer = Lexer {
        source: text,
        position: start,
    };
    let mut open = 0_usize;
    loop {
        let (token, span) = lexer.next()?;
        match token {
            Token::Symbol("(") => open += 1,
            Token::Symbol(")") if open == 0 => return Ok(Some(span.start as usize)),
            Token::Symbol(")") => open -= 1,
            Token::End => return Ok(None),
            _ => {}
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    position: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<(Token, Span), ParseError> {
        self.skip_space();
        let start = self.position;
        let rest = &self.source[start..];
        let Some(first) = rest.chars().next() else {
            return Ok((Token::End, Span::new(start, start)));
        };
        let token = if let Some(token) = self.quoted_literal(rest)? {
            token
        } else if first.is_ascii_digit()
            || (first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit()))
        {
            self.number(rest)?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = rest
                .find(|next: char| !next.is_ascii_alphanumeric() && next != '_')
                .unwrap_or(rest.len());
            self.position += length;
            Token::Name
        } else if first == '`' {
            self.quoted_field(rest)?
        } else if let Some(symbol) = symbol(rest) {
            self.position += symbol.len();
            Token::Symbol(symbol)
        } else {
            let hint = match first {
                '=' => ": equality is written ==",
                '&' => ": and is written &&",
                '|' => ": or is written ||, and there are no pipes",
                '$' => ": no $( … ) inside an expression",
                _ => "",
            };
            return Err(ParseError::new(
                format!("unexpected character `{first}`{hint}"),
                start,
            ));
        };
        Ok((token, Span::new(start, self.position)))
    }

    fn skip_space(&mut self) {
        loop {
            let rest = &self.source[self.position..];
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            self.position += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.position += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// A string or bytes literal with its prefixes, if one begins here.
    fn quoted_literal(&mut self, rest: &str) -> Result<Option<Token>, ParseError> {
        let (mut raw, mut bytes, mut prefix) = (false, false, 0);
        for letter in rest.bytes().take(2) {
            match letter {
                b'r' | b'R' if !raw => raw = true,
                b'b' | b'B' if !bytes => bytes = true,
                _ => break,
            }
            prefix += 1;
        }
        let body = &rest[prefix..];
        let Some(quote) = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| body.starts_with(quote))
        else {
            return Ok(None);
        };
        let inside = &body[quote.len()..];
        let place = self.position + prefix + quote.len();
        let Some(length) = end_of_literal(inside, quote, raw) else {
            return Err(ParseError::new(
                format!("the text is not closed by {quote}"),
                self.position,
            ));
        };
        let inside = &inside[..length];
        self.position = place + length + quote.len();
        Ok(Some(if bytes {
            Token::Bytes(literal::bytes(inside, raw, place)?)
        } else {
            Token::String(literal::string(inside, raw, place)?)
        }))
    }

    fn quoted_field(&mut self, rest: &str) -> Result<Token, ParseError> {
        let length = rest[1..]
            .find('`')
            .ok_or_else(|| ParseError::new("the field name is not closed by `", self.position))?;
        let field = &rest[1..=length];
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "_.-/ ".contains(letter);
        if field.is_empty() || !field.chars().all(plain) {
            return Err(ParseError::new(
                "between backticks only letters, digits and _.-/ stand",
                self.position,
            ));
        }
        self.position += length + 2;
        Ok(Token::Quoted(field.to_owned()))
    }

    fn number(&mut self, rest: &str) -> Result<Token, ParseError> {
        let start = self.position;
        if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            let length = digits
                .find(|next: char| !next.is_ascii_hexdigit())
                .unwrap_or(digits.len());
            let value = u64::from_str_radix(&digits[..length], 16)
                .map_err(|_| ParseError::new("not a hexadecimal number of 64 bits", start))?;
            self.position += 2 + length;
            return self.suffix(value);
        }
        let whole = digits(rest);
        let mut length = whole;
        let fraction = rest[length..].strip_prefix('.').map_or(0, digits);
        if fraction > 0 {
            length += 1 + fraction;
        }
        let mut exponent = 0;
        if let Some(tail) = rest[length..].strip_prefix(['e', 'E']) {
            let sign = usize::from(tail.starts_with(['+', '-']));
            let count = digits(&tail[sign..]);
            if count > 0 {
                exponent = 1 + sign + count;
            }
        }
        length += exponent;
        self.position += length;
        if fraction > 0 || exponent > 0 {
            let value: f64 = rest[..length]
                .parse()
                .map_err(|_| ParseError::new("not a number", start))?;
            return self.ended(Token::Double(value));
        }
        let value = rest[..length]
            .parse()
            .map_err(|_| ParseError::new("the number does not fit into 64 bits", start))?;
        self.suffix(value)
    }

    fn suffix(&mut self, value: u64) -> Result<Token, ParseError> {
        if self.source[self.position..].starts_with(['u', 'U']) {
            self.position += 1;
            return self.ended(Token::Uint(value));
        }
        self.ended(Token::Int(value))
    }

    /// A number must not run into a name: `1st` is a mistake, not `1` and `st`.
    fn ended(&self, token: Token) -> Result<Token, ParseError> {
        if self.source[self.position..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
        {
            return Err(ParseError::new("a letter follows the number", self.position));
        }
        Ok(token)
    }
}

fn digits(text: &str) -> usize {
    text.find(|next: char| !next.is_ascii_digit())
        .unwrap_or(text.len())
}

/// The length of a literal's inside; nothing if it does not end, or a short one runs over the line.
fn end_of_literal(inside: &str, quote: &str, raw: bool) -> Option<usize> {
    let mut position = 0;
    while position < inside.len() {
        let rest = &inside[position..];
        if rest.starts_with(quote) {
            return Some(position);
        }
        let letter = rest.chars().next()?;
        if quote.len() == 1 && (letter == '\n' || letter == '\r') {
            return None;
        }
        position += letter.len_utf8();
        if letter == '\\' && !raw {
            position += inside[position..].chars().next()?.len_utf8();
        }
    }
    None
}
