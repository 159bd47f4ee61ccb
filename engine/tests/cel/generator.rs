//! Expressions by the million, mostly of fitting types: a grammar of templates and a seeded choice among them.
//!
//! A template holds places such as `{int}` for other expressions, and `$int` for a new variable of a macro, in sight
//! from there to the template's end. What is different on purpose (see `docs/expressions.md`) is not made.

mod data;
mod grammar;

use grammar::{LEAVES, Sort, TEMPLATES};

pub(crate) use data::DATA;

/// The chance, in percent, that a place gets an expression of another sort.
const MISFITS: u64 = 3;

/// A small generator of numbers (SplitMix64), so that a seed means the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    fn one<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

pub(crate) struct Generator {
    chance: Chance,
    /// The macros' variables in sight.
    variables: Vec<(String, Sort)>,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            chance: Chance(seed),
            variables: Vec::new(),
        }
    }

    /// The next expression.
    pub(crate) fn expression(&mut self) -> String {
        self.variables.clear();
        let sort = *self.chance.one(Sort::ALL);
        let depth = 1 + self.chance.below(4);
        self.make(sort, depth)
    }

    fn make(&mut self, sort: Sort, depth: usize) -> String {
        if self.chance.percent(MISFITS) {
            let sort = *self.chance.one(Sort::MISFITS);
            return format!("({})", self.make(sort, depth.saturating_sub(1)));
        }
        let variables: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, found)| *found == sort)
            .map(|(name, _)| name.clone())
            .collect();
        if !variables.is_empty() && self.chance.percent(40) {
            return self.chance.one(&variables).clone();
        }
        if depth == 0 || self.chance.percent(10) {
            let leaves = LEAVES.iter().find(|(found, _)| *found == sort);
            return (*self.chance.one(leaves.unwrap().1)).to_owned();
        }
        let templates = TEMPLATES.iter().find(|(found, _)| *found == sort);
        let template = *self.chance.one(templates.unwrap().1);
        self.fill(template, depth - 1)
    }

    fn fill(&mut self, template: &str, depth: usize) -> String {
        let before = self.variables.len();
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '$']) {
            out.push_str(&rest[..at]);
            let tail = &rest[at + 1..];
            let end = tail
                .find(|next: char| !next.is_ascii_lowercase())
                .unwrap_or(tail.len());
            let sort = Sort::named(&tail[..end]);
            match (sort, rest.as_bytes()[at]) {
                (Some(sort), b'$') => {
                    let name = format!("v{}", self.variables.len());
                    out.push_str(&name);
                    self.variables.push((name, sort));
                    rest = &tail[end..];
                }
                (Some(sort), _) if tail[end..].starts_with('}') => {
                    let made = self.make(sort, depth);
                    out.push_str(&made);
                    rest = &tail[end + 1..];
                }
                // A bracket of the language itself.
                _ => {
                    out.push_str(&rest[at..=at]);
                    rest = tail;
                }
            }
        }
        out.push_str(rest);
        self.variables.truncate(before);
        out
    }
}
