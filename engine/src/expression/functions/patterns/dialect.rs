//! RE2's reading of a pattern, where the regex crate has another: `\d`, `\w`, `\s` and `\b` are of ASCII, inside `[…]`
//! there are no nested sets and no set operations, and a `{` that begins no repetition stands for itself. Everywhere
//! else both mean the same.

use std::{iter::Peekable, str::Chars};

/// The pattern as the regex crate must see it.
pub(super) fn translated(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut letters = source.chars().peekable();
    let mut class = false;
    // Just behind `[` or `[^`, where a `]` stands for itself.
    let mut fresh = false;
    while let Some(letter) = letters.next() {
        let first = std::mem::take(&mut fresh);
        match (letter, class) {
            ('\\', _) => match letters.next() {
                Some(kind) => {
                    escape(kind, class, &mut out);
                    // `\p{Greek}`, `\x{41}`
                    if matches!(kind, 'p' | 'P' | 'x') && letters.peek() == Some(&'{') {
                        copy_to('}', &mut letters, &mut out);
                    }
                }
                None => out.push('\\'),
            },
            ('[', false) => {
                class = true;
                fresh = true;
                out.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            (']', true) if !first => {
                class = false;
                out.push(']');
            }
            ('[', true) if letters.peek() == Some(&':') => {
                // `[:alpha:]`, up to its own bracket.
                out.push('[');
                copy_to(']', &mut letters, &mut out);
            }
            ('{', false) if !repeats(letters.clone()) => out.push_str(r"\{"),
            ('[' | '&' | '~' | ']', true) => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}

fn copy_to(end: char, letters: &mut Peekable<Chars<'_>>, out: &mut String) {
    for letter in letters {
        out.push(letter);
        if letter == end {
            return;
        }
    }
}

/// Whether `1}`, `1,}` or `1,2}` follows.
fn repeats(letters: Peekable<Chars<'_>>) -> bool {
    let text: String = letters.take_while(|letter| *letter != '}').collect();
    let (least, most) = text.split_once(',').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

fn escape(kind: char, class: bool, out: &mut String) {
    let set = match kind {
        'd' | 'D' => "0-9",
        'w' | 'W' => "0-9A-Za-z_",
        's' | 'S' => r"\t\n\x0C\r\x20",
        'b' if !class => return out.push_str(r"(?-u:\b)"),
        'B' if !class => return out.push_str(r"(?-u:\B)"),
        other => {
            out.push('\\');
            return out.push(other);
        }
    };
    if kind.is_ascii_uppercase() {
        out.push_str("[^");
        out.push_str(set);
        out.push(']');
    } else if class {
        out.push_str(set);
    } else {
        out.push('[');
        out.push_str(set);
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::translated;
    use regex::Regex;

    #[test]
    fn classes_are_of_ascii_and_sets_are_plain() {
        for (pattern, text, expected) in [
            (r"^\w$", "ä", false),
            (r"^\w$", "a", true),
            (r"^\W$", "ä", true),
            (r"^[\W_]+$", "ä_", true),
            (r"^\d+$", "٣", false),
            (r"^[^\d]$", "٣", true),
            (r"^\s$", "\u{b}", false),
            (r"^[\s]+$", " \t\n\r\u{c}", true),
            (r"\bä", "ä", false),
            (r"\Bä", "ä", true),
            (r"^[[]$", "[", true),
            (r"^[]a]+$", "]a", true),
            (r"^[^]a]$", "b", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[[:alpha:]\d]+$", "aZ9", true),
            (r"^[\]\\]+$", r"]\", true),
            (r"^\\d$", r"\d", true),
            (r"^{x: 7}{,2}a{2}$", "{x: 7}{,2}aa", true),
            (r"^\x{41}\}$", "A}", true),
        ] {
            let compiled = Regex::new(&translated(pattern)).expect(pattern);
            assert_eq!(compiled.is_match(text), expected, "{pattern} on {text}");
        }
        assert!(Regex::new(&translated(r"a\")).is_err());
    }
}
