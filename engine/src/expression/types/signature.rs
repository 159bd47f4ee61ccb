//! What a function takes and gives, read from one line of text.
//!
//! ```text
//! math.abs(double) double             a function
//! string .substring(int, int?) string a method: the receiver, a dot, optional arguments
//! list(A<comparable>) .max() A        a type variable, and what it may stand for
//! math.greatest(A<number>...) A       as many as there are
//! ```

use super::{Type, union};

/// A type to be met by an argument, or made for a result.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pattern {
    Any,
    Only(Type),
    List(Box<Pattern>),
    /// A map or object.
    Map,
    Optional(Box<Pattern>),
    OneOf(Vec<Pattern>),
    /// A type variable by its place, and what it may stand for.
    Variable(usize, Box<Pattern>),
}

/// One form of a function.
#[derive(Debug)]
pub(super) struct Signature {
    /// The receiver of a method first.
    pub(super) parameters: Vec<Pattern>,
    /// How many of them must be there.
    pub(super) least: usize,
    /// Whether the last may be repeated.
    pub(super) repeated: bool,
    pub(super) result: Pattern,
    pub(super) name: &'static str,
    pub(super) is_method: bool,
}

/// What the type variables stand for.
pub(super) type Bound = [Option<Type>; 2];

impl Signature {
    /// Reads a line of the table. Nothing if it is badly written, which a test finds out.
    pub(super) fn read(line: &'static str) -> Option<Self> {
        let (receiver, call) = match line.split_once(" .") {
            Some((receiver, call)) => (Some(pattern(receiver)?), call),
            None => (None, line),
        };
        let open = call.find('(')?;
        let close = call.rfind(") ")?;
        let is_method = receiver.is_some();
        let mut parameters: Vec<_> = receiver.into_iter().collect();
        let mut least = parameters.len();
        let mut repeated = false;
        for part in split(&call[open + 1..close], ',') {
            let part = part.trim();
            if let Some(part) = part.strip_suffix('?') {
                parameters.push(pattern(part)?);
            } else {
                repeated = part.ends_with("...");
                parameters.push(pattern(part.trim_end_matches('.'))?);
                least += 1;
            }
        }
        Some(Self {
            parameters,
            least,
            repeated,
            result: pattern(&call[close + 2..])?,
            name: &call[..open],
            is_method,
        })
    }

    /// The parameter that an argument is for.
    pub(super) fn parameter(&self, place: usize) -> Option<&Pattern> {
        let last = self.parameters.len().checked_sub(1)?;
        self.parameters
            .get(if self.repeated { place.min(last) } else { place })
    }

    pub(super) fn takes(&self, count: usize) -> bool {
        count >= self.least && (self.repeated || count <= self.parameters.len())
    }
}

/// Splits at a separator outside brackets.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '<' => depth += 1,
            ')' | '>' => depth = depth.saturating_sub(1),
            letter if letter == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

fn pattern(text: &str) -> Option<Pattern> {
    let parts = split(text.trim(), '|');
    if parts.len() > 1 {
        return Some(Pattern::OneOf(
            parts.into_iter().map(pattern).collect::<Option<_>>()?,
        ));
    }
    let text = text.trim();
    let inside = |name: &str, open: char, close: char| {
        let rest = text.strip_prefix(name)?.strip_prefix(open)?;
        rest.strip_suffix(close)
    };
    if let Some(inner) = inside("list", '(', ')') {
        return Some(Pattern::List(Box::new(pattern(inner)?)));
    }
    if let Some(inner) = inside("optional", '(', ')') {
        return Some(Pattern::Optional(Box::new(pattern(inner)?)));
    }
    for (place, name) in ["A", "B"].into_iter().enumerate() {
        if text == name {
            return Some(Pattern::Variable(place, Box::new(Pattern::Any)));
        }
        if let Some(inner) = inside(name, '<', '>') {
            return Some(Pattern::Variable(place, Box::new(pattern(inner)?)));
        }
    }
    Some(match text {
        "any" => Pattern::Any,
        "list" => Pattern::List(Box::new(Pattern::Any)),
        "map" => Pattern::Map,
        "number" => pattern("int|uint|double")?,
        "comparable" => pattern("int|uint|double|string|bool|bytes|timestamp|duration")?,
        "null" => Pattern::Only(Type::Null),
        "bool" => Pattern::Only(Type::Bool),
        "int" => Pattern::Only(Type::Int),
        "uint" => Pattern::Only(Type::Uint),
        "double" => Pattern::Only(Type::Double),
        "string" => Pattern::Only(Type::String),
        "bytes" => Pattern::Only(Type::Bytes),
        "timestamp" => Pattern::Only(Type::Timestamp),
        "duration" => Pattern::Only(Type::Duration),
        "type" => Pattern::Only(Type::Kind),
        _ => return None,
    })
}

impl Pattern {
    /// Whether a value of the type may be meant; binds what variables stand for.
    pub(super) fn fits(&self, type_: &Type, bound: &mut Bound) -> bool {
        if let Type::AnyOf(types) = type_ {
            let mut any = false;
            for one in types.iter() {
                any |= self.fits(one, bound);
            }
            return any;
        }
        match (self, type_) {
            (Self::Variable(place, limit), _) => {
                if !limit.fits(type_, &mut Bound::default()) {
                    return false;
                }
                let known = bound[*place].take();
                bound[*place] = Some(union::of(known.into_iter().chain([type_.clone()])));
                true
            }
            (Self::Any, _)
            | (_, Type::Dyn)
            | (Self::Only(Type::Int | Type::Double), Type::Number)
            | (Self::Map, Type::Map(..) | Type::Object(_)) => true,
            (Self::Only(wanted), found) => wanted == found,
            (Self::List(wanted), Type::List(found)) | (Self::Optional(wanted), Type::Optional(found)) => {
                wanted.fits(found, bound)
            }
            (Self::OneOf(patterns), found) => {
                let mut any = false;
                for pattern in patterns {
                    any |= pattern.fits(found, bound);
                }
                any
            }
            (Self::List(_) | Self::Map | Self::Optional(_), _) => false,
        }
    }

    /// The type of a result.
    pub(super) fn made(&self, bound: &Bound) -> Type {
        match self {
            Self::Any => Type::Dyn,
            Self::Only(type_) => type_.clone(),
            Self::List(element) => Type::list(element.made(bound)),
            Self::Map => Type::map(Type::Dyn),
            Self::Optional(inner) => Type::optional(inner.made(bound)),
            Self::OneOf(patterns) => Type::any_of(patterns.iter().map(|pattern| pattern.made(bound))),
            Self::Variable(place, _) => bound[*place].clone().unwrap_or(Type::Dyn),
        }
    }

    /// The pattern in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Any => "any value".to_owned(),
            Self::Only(type_) => type_.to_string(),
            Self::List(element) => match element.as_ref() {
                Self::Only(type_) => format!("list of {type_}"),
                Self::Variable(_, limit) if **limit != Self::Any => format!("list of {}", limit.describe()),
                Self::OneOf(_) => format!("list of {}", element.describe()),
                _ => "list".to_owned(),
            },
            Self::Map => "map".to_owned(),
            Self::Optional(_) => "optional".to_owned(),
            Self::OneOf(patterns) => {
                let mut words: Vec<_> = patterns.iter().map(Self::describe).collect();
                words.dedup();
                words.join(" or ")
            }
            Self::Variable(_, limit) => limit.describe(),
        }
    }
}
