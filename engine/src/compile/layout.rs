//! Which steps there are, and which block each of them is in.

use std::collections::HashMap;

use flowpilot_crds::WorkflowSpec;

use super::Problems;
use super::kinds::Kind;
use super::names::{listed, nearest_of};

/// Blocks inside each other.
pub(super) const DEPTH: usize = 5;

/// Steps by id, and blocks.
pub(super) struct Layout<'a> {
    pub(super) spec: &'a WorkflowSpec,
    pub(super) kinds: Vec<Option<Kind>>,
    numbers: HashMap<&'a str, usize>,
    /// The block of each step; nothing for steps of the run, and for those whose block is wrong.
    pub(super) block: Vec<Option<usize>>,
    /// The steps of each block, in the order of the manifest.
    pub(super) children: Vec<Vec<usize>>,
    /// The block that a step names does not exist: who may read what is unknown.
    pub(super) is_lost: Vec<bool>,
}

impl<'a> Layout<'a> {
    pub(super) fn build(spec: &'a WorkflowSpec, problems: &mut Problems) -> Self {
        let count = spec.steps.len();
        let mut numbers = HashMap::with_capacity(count);
        for (number, step) in spec.steps.iter().enumerate() {
            numbers.entry(step.id.as_str()).or_insert(number);
        }
        let mut layout = Self {
            spec,
            kinds: spec.steps.iter().map(Kind::of).collect(),
            numbers,
            block: vec![None; count],
            children: vec![Vec::new(); count],
            is_lost: vec![false; count],
        };
        for number in 0..count {
            if let Some(name) = spec.steps[number].block.as_deref() {
                let block = layout.resolve(number, name, problems);
                layout.is_lost[number] = block.is_none();
                layout.block[number] = block;
            }
        }
        layout.cut_cycles(problems);
        for number in 0..count {
            if let Some(block) = layout.block[number] {
                layout.children[block].push(number);
            }
        }
        layout.check_sizes(problems);
        layout
    }

    pub(super) fn number(&self, id: &str) -> Option<usize> {
        self.numbers.get(id).copied()
    }

    pub(super) fn id(&self, number: usize) -> &'a str {
        &self.spec.steps[number].id
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> {
        self.spec.steps.iter().map(|step| step.id.as_str())
    }

    pub(super) fn kind(&self, number: usize) -> Option<Kind> {
        self.kinds[number]
    }

    /// The blocks around a step, the innermost first.
    pub(super) fn around(&self, number: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.block[number], |block| self.block[*block])
    }

    fn resolve(&self, number: usize, name: &str, problems: &mut Problems) -> Option<usize> {
        let path = || format!("spec.steps[{number}].in");
        let blocks = || {
            let steps = self.spec.steps.iter().zip(&self.kinds);
            steps.filter_map(|(step, kind)| kind.is_some_and(Kind::is_block).then_some(step.id.as_str()))
        };
        let Some(block) = self.number(name) else {
            let there = listed(name, blocks(), "blocks are", "the workflow has no block");
            let message = format!("there is no block {name}: {there}");
            problems.suggesting("UnknownBlock", path(), message, nearest_of(name, blocks()));
            return None;
        };
        match self.kinds[block] {
            Some(kind) if kind.is_block() => Some(block),
            None => None,
            Some(kind) => {
                let message = format!(
                    "{name} is no block but a {} step: only group, forEach and loop have steps inside",
                    kind.word()
                );
                problems.error("NotABlock", path(), message);
                None
            }
        }
    }

    /// Blocks that are inside themselves are reported once, and stand in the run from here on.
    fn cut_cycles(&mut self, problems: &mut Problems) {
        // 0: not visited, 1: on the way, 2: done.
        let mut state = vec![0_u8; self.block.len()];
        for start in 0..self.block.len() {
            let mut way = Vec::new();
            let mut current = Some(start);
            while let Some(step) = current.filter(|step| state[*step] == 0) {
                state[step] = 1;
                way.push(step);
                current = self.block[step];
            }
            if let Some(closed) = current.filter(|step| state[*step] == 1) {
                let begin = way.iter().position(|step| *step == closed).unwrap_or_default();
                let around = way[begin..].iter().chain(std::iter::once(&closed));
                let names: Vec<&str> = around.map(|step| self.id(*step)).collect();
                let message = format!("a block cannot be inside itself: {}", names.join(" in "));
                problems.error("BlockCycle", format!("spec.steps[{closed}].in"), message);
                for step in &way[begin..] {
                    self.block[*step] = None;
                    self.is_lost[*step] = true;
                }
            }
            for step in way {
                state[step] = 2;
            }
        }
    }

    fn check_sizes(&self, problems: &mut Problems) {
        for number in 0..self.block.len() {
            let Some(kind) = self.kinds[number].filter(|kind| kind.is_block()) else {
                continue;
            };
            let id = self.id(number);
            let is_named = self
                .spec
                .steps
                .iter()
                .any(|step| step.block.as_deref() == Some(id));
            if self.children[number].is_empty() && !is_named {
                let message = format!(
                    "the {} {id} has no step: put one into it with `in: {id}`",
                    kind.word()
                );
                problems.error("EmptyBlock", format!("spec.steps[{number}]"), message);
            }
            if self.around(number).count() == DEPTH {
                let message = format!("blocks nest at most {DEPTH} deep: {id} is one deeper");
                problems.error("LimitExceeded", format!("spec.steps[{number}].in"), message);
            }
        }
    }
}
