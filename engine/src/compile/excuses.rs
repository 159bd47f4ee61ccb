//! Which needs could be excused: two needs of a step go back to one step over different edges.
//!
//! An over-estimate, in sets of bits: whoever writes a graph of 500 steps with 100 needs each must not be able to
//! hold up admission.

use super::graph::Graph;
use super::outcomes::are_apart;
use crate::plan::{Edge, Need};

type Bits = Vec<u64>;

/// The edges behind each step.
pub(super) struct Excuses<'a> {
    /// Distinct edges that leave each step (never `done`), and the number of the first of them.
    edges: Vec<(usize, Vec<&'a Edge>)>,
    words: usize,
    /// Edges behind each step, over every need; and only over needs that are not just `done`.
    behind: Vec<(Bits, Bits)>,
}

impl<'a> Excuses<'a> {
    pub(super) fn build(needs: &'a [Vec<Need>], graph: &Graph) -> Self {
        let mut edges: Vec<(usize, Vec<&Edge>)> = vec![(0, Vec::new()); needs.len()];
        for need in needs.iter().flatten() {
            for edge in need.edges.iter().filter(|edge| **edge != Edge::Done) {
                if !edges[need.step].1.contains(&edge) {
                    edges[need.step].1.push(edge);
                }
            }
        }
        let mut total = 0;
        for (first, edges) in &mut edges {
            *first = total;
            total += edges.len();
        }
        let words = total.div_ceil(64);
        let empty = || (vec![0; words], vec![0; words]);
        let mut excuses = Self {
            edges,
            words,
            behind: (0..needs.len()).map(|_| empty()).collect(),
        };
        for step in graph.starts() {
            let mut own = empty();
            for need in &needs[step] {
                let (all, taken) = excuses.behind_need(need);
                add(&mut own.0, &all);
                add(&mut own.1, &taken);
            }
            excuses.behind[step] = own;
        }
        excuses
    }

    /// For each need of the step whether another one could excuse it.
    pub(super) fn of(&self, needs: &[Vec<Need>], step: usize) -> Vec<bool> {
        let behind: Vec<(Bits, Bits)> = needs[step].iter().map(|need| self.behind_need(need)).collect();
        let count = behind.len();
        // What lies behind the needs before and after each one, so that all others are two unions.
        let mut after = vec![vec![0; self.words]; count + 1];
        for index in (0..count).rev() {
            let mut union = behind[index].1.clone();
            add(&mut union, &after[index + 1]);
            after[index] = union;
        }
        let mut before = vec![0; self.words];
        let mut may_be = Vec::with_capacity(count);
        for index in 0..count {
            let mut others = before.clone();
            add(&mut others, &after[index + 1]);
            may_be.push(self.is_forked(&behind[index].0, &others));
            add(&mut before, &behind[index].1);
        }
        may_be
    }

    fn behind_need(&self, need: &Need) -> (Bits, Bits) {
        let (mut all, mut taken) = self.behind[need.step].clone();
        let is_only_done = need.edges.iter().all(|edge| *edge == Edge::Done);
        if is_only_done {
            taken.fill(0);
        }
        let (first, edges) = &self.edges[need.step];
        for (number, edge) in edges.iter().enumerate() {
            if need.edges.contains(edge) {
                let bit = first + number;
                all[bit / 64] |= 1 << (bit % 64);
                taken[bit / 64] |= 1 << (bit % 64);
            }
        }
        (all, taken)
    }

    /// Some step is left over one edge in `missed`, and on the other side in `taken`.
    fn is_forked(&self, missed: &Bits, taken: &Bits) -> bool {
        let has = |bits: &Bits, bit: usize| bits[bit / 64] >> (bit % 64) & 1 == 1;
        self.edges
            .iter()
            .filter(|(_, edges)| edges.len() > 1)
            .any(|(first, edges)| {
                let numbers = *first..first + edges.len();
                numbers.clone().any(|one| {
                    has(missed, one)
                        && numbers.clone().any(|other| {
                            has(taken, other) && are_apart(edges[one - first], edges[other - first])
                        })
                })
            })
    }
}

fn add(bits: &mut Bits, more: &Bits) {
    bits.iter_mut().zip(more).for_each(|(bits, more)| *bits |= more);
}
