//! The graph of needs: cycles, order, ancestors.

use flowpilot_crds::WorkflowSpec;

use super::Problems;
use crate::plan::Need;

/// Who comes before whom.
pub(super) struct Graph {
    /// Steps so that each stands after those it needs; without those that lie on or behind a cycle.
    pub(super) order: Vec<usize>,
    /// Per step one bit for each ancestor.
    ancestors: Vec<Vec<u64>>,
    /// Steps on or behind a cycle: nothing is known of them.
    unordered: Vec<bool>,
}

impl Graph {
    pub(super) fn build(spec: &WorkflowSpec, needs: &[Vec<Need>], problems: &mut Problems) -> Self {
        let count = spec.steps.len();
        let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
        let mut dependents = vec![Vec::new(); count];
        for (step, needs) in needs.iter().enumerate() {
            for need in needs {
                dependents[need.step].push(step);
            }
        }
        let mut order: Vec<usize> = (0..count).filter(|step| waiting[*step] == 0).collect();
        let mut next = 0;
        while let Some(step) = order.get(next).copied() {
            next += 1;
            for dependent in &dependents[step] {
                waiting[*dependent] -= 1;
                if waiting[*dependent] == 0 {
                    order.push(*dependent);
                }
            }
        }
        let mut unordered = vec![true; count];
        for step in &order {
            unordered[*step] = false;
        }
        report_cycles(spec, needs, &unordered, problems);
        let words = count.div_ceil(64);
        let mut ancestors = vec![vec![0_u64; words]; count];
        for step in &order {
            let mut own = vec![0_u64; words];
            for need in &needs[*step] {
                own[need.step / 64] |= 1 << (need.step % 64);
                own.iter_mut()
                    .zip(&ancestors[need.step])
                    .for_each(|(own, theirs)| *own |= theirs);
            }
            ancestors[*step] = own;
        }
        Self {
            order,
            ancestors,
            unordered,
        }
    }

    /// Whether `ancestor` comes before `step` on some way; true if the step's place is unknown.
    pub(super) fn is_ancestor(&self, ancestor: usize, step: usize) -> bool {
        self.unordered[step] || self.ancestors[step][ancestor / 64] >> (ancestor % 64) & 1 == 1
    }

    pub(super) fn is_ordered(&self, step: usize) -> bool {
        !self.unordered[step]
    }
}

/// Follows needs among the steps that no order has, until one comes back: one report per cycle.
fn report_cycles(spec: &WorkflowSpec, needs: &[Vec<Need>], unordered: &[bool], problems: &mut Problems) {
    let mut visited = vec![false; needs.len()];
    for start in 0..needs.len() {
        let mut way: Vec<usize> = Vec::new();
        let mut current = start;
        while unordered[current] && !visited[current] {
            visited[current] = true;
            way.push(current);
            // Each of these steps needs another one of them: otherwise it would have a place in the order.
            let Some(next) = needs[current]
                .iter()
                .map(|need| need.step)
                .find(|step| unordered[*step])
            else {
                break;
            };
            current = next;
            if let Some(begin) = way.iter().position(|step| *step == current) {
                report(spec, &way[begin..], problems);
                break;
            }
        }
    }
}

fn report(spec: &WorkflowSpec, cycle: &[usize], problems: &mut Problems) {
    let first = cycle.iter().copied().min().unwrap_or_default();
    let begin = cycle.iter().position(|step| *step == first).unwrap_or_default();
    let around = cycle[begin..].iter().chain(&cycle[..=begin]);
    let names: Vec<&str> = around.map(|step| spec.steps[*step].id.as_str()).collect();
    let needed = names.get(1).copied().unwrap_or_default();
    let is_edge = |text: &&String| text.split('.').next() == Some(needed);
    let index = spec.steps[first]
        .needs
        .iter()
        .position(|text| is_edge(&text))
        .unwrap_or_default();
    let message = format!("these steps wait for each other: {}", names.join(" needs "));
    problems.error("Cycle", format!("spec.steps[{first}].needs[{index}]"), message);
}
