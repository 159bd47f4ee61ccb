//! Who comes before whom: cycles, order, ancestors.

use super::Problems;
use super::layout::Layout;
use crate::plan::Need;

/// A moment of a step: blocks end when their steps have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Start(usize),
    End(usize),
}

/// Who comes before whom.
pub(super) struct Graph {
    /// Starts and ends so that each stands after what it waits for; without those of steps on or behind a cycle.
    pub(super) order: Vec<Moment>,
    /// Per step one bit for each step that it may read.
    ancestors: Vec<Vec<u64>>,
    /// Per block one bit for each of its steps, and for those of groups in it.
    inside: Vec<Vec<u64>>,
    /// Steps on or behind a cycle: nothing is known of them.
    unordered: Vec<bool>,
}

impl Graph {
    pub(super) fn build(layout: &Layout<'_>, needs: &[Vec<Need>], problems: &mut Problems) -> Self {
        let count = layout.block.len();
        let order = order(layout, needs);
        let mut unordered = vec![true; count];
        for moment in &order {
            if let Moment::End(step) = moment {
                unordered[*step] = false;
            }
        }
        report_cycles(layout, needs, &unordered, problems);
        let words = count.div_ceil(64);
        let mut inside = vec![Vec::new(); count];
        let mut ancestors = vec![Vec::new(); count];
        for moment in &order {
            match *moment {
                Moment::Start(step) => {
                    let mut own = match layout.block[step] {
                        Some(block) => ancestors[block].clone(),
                        None => vec![0_u64; words],
                    };
                    for need in &needs[step] {
                        set(&mut own, need.step);
                        add(&mut own, &ancestors[need.step]);
                        if layout.spec.steps[need.step].group.is_some() {
                            add(&mut own, &inside[need.step]);
                        }
                    }
                    ancestors[step] = own;
                }
                Moment::End(step) if !layout.children[step].is_empty() => {
                    let mut own = vec![0_u64; words];
                    for child in &layout.children[step] {
                        set(&mut own, *child);
                        if layout.spec.steps[*child].group.is_some() {
                            add(&mut own, &inside[*child]);
                        }
                    }
                    inside[step] = own;
                }
                Moment::End(_) => {}
            }
        }
        Self {
            order,
            ancestors,
            inside,
            unordered,
        }
    }

    /// Whether `ancestor` comes before `step` on some way, or is inside a group that does; true if the place of
    /// `step` is unknown.
    pub(super) fn is_ancestor(&self, ancestor: usize, step: usize) -> bool {
        self.unordered[step] || has(&self.ancestors[step], ancestor)
    }

    /// Whether `step` is one of a block, or of a group in it.
    pub(super) fn is_inside(&self, step: usize, block: usize) -> bool {
        self.unordered[block] || has(&self.inside[block], step)
    }

    pub(super) fn is_ordered(&self, step: usize) -> bool {
        !self.unordered[step]
    }

    /// Steps in the order in which they can start.
    pub(super) fn starts(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().filter_map(|moment| match moment {
            Moment::Start(step) => Some(*step),
            Moment::End(_) => None,
        })
    }
}

fn order(layout: &Layout<'_>, needs: &[Vec<Need>]) -> Vec<Moment> {
    let count = layout.block.len();
    let mut dependents = vec![Vec::new(); count];
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    for (step, needs) in needs.iter().enumerate() {
        for need in needs {
            dependents[need.step].push(step);
        }
    }
    let mut open: Vec<usize> = layout.children.iter().map(Vec::len).collect();
    for (waiting, block) in waiting.iter_mut().zip(&layout.block) {
        *waiting += usize::from(block.is_some());
    }
    let mut order: Vec<Moment> = Vec::with_capacity(2 * count);
    order.extend((0..count).filter(|step| waiting[*step] == 0).map(Moment::Start));
    let mut next = 0;
    while let Some(moment) = order.get(next).copied() {
        next += 1;
        let mut ready = |step: usize, order: &mut Vec<Moment>| {
            waiting[step] -= 1;
            if waiting[step] == 0 {
                order.push(Moment::Start(step));
            }
        };
        match moment {
            Moment::Start(step) if layout.children[step].is_empty() => order.push(Moment::End(step)),
            Moment::Start(step) => {
                for child in &layout.children[step] {
                    ready(*child, &mut order);
                }
            }
            Moment::End(step) => {
                for dependent in &dependents[step] {
                    ready(*dependent, &mut order);
                }
                if let Some(block) = layout.block[step] {
                    open[block] -= 1;
                    if open[block] == 0 {
                        order.push(Moment::End(block));
                    }
                }
            }
        }
    }
    order
}

/// Follows needs among the steps that no order has, until one comes back: one report per cycle.
fn report_cycles(layout: &Layout<'_>, needs: &[Vec<Need>], unordered: &[bool], problems: &mut Problems) {
    let mut visited = vec![false; needs.len()];
    for start in 0..needs.len() {
        let mut way: Vec<usize> = Vec::new();
        let mut current = start;
        while unordered[current] && !visited[current] {
            visited[current] = true;
            way.push(current);
            // Each of these steps needs another one of them, is in a block that does, or is a block around one.
            let Some(next) = needs[current]
                .iter()
                .map(|need| need.step)
                .find(|step| unordered[*step])
            else {
                break;
            };
            current = next;
            if let Some(begin) = way.iter().position(|step| *step == current) {
                report(layout, &way[begin..], problems);
                break;
            }
        }
    }
}

fn report(layout: &Layout<'_>, cycle: &[usize], problems: &mut Problems) {
    let first = cycle.iter().copied().min().unwrap_or_default();
    let begin = cycle.iter().position(|step| *step == first).unwrap_or_default();
    let around = cycle[begin..].iter().chain(&cycle[..=begin]);
    let names: Vec<&str> = around.map(|step| layout.id(*step)).collect();
    let needed = names.get(1).copied().unwrap_or_default();
    let is_edge = |text: &&String| text.split('.').next() == Some(needed);
    let index = layout.spec.steps[first]
        .needs
        .iter()
        .position(|text| is_edge(&text))
        .unwrap_or_default();
    let message = format!("these steps wait for each other: {}", names.join(" needs "));
    problems.error("Cycle", format!("spec.steps[{first}].needs[{index}]"), message);
}

fn set(bits: &mut [u64], bit: usize) {
    bits[bit / 64] |= 1 << (bit % 64);
}

fn has(bits: &[u64], bit: usize) -> bool {
    bits.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
}

fn add(bits: &mut [u64], more: &[u64]) {
    bits.iter_mut().zip(more).for_each(|(bits, more)| *bits |= more);
}
