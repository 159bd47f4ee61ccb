//! A plan that was read is one that could have been compiled: the machine follows its numbers without looking.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Plan, Work};

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plan = Self::deserialize(deserializer)?;
        match plan.fault() {
            None => Ok(plan),
            Some(fault) => Err(D::Error::custom(format!("the plan is damaged: {fault}"))),
        }
    }
}

impl Plan {
    /// What no compiler makes.
    fn fault(&self) -> Option<String> {
        let mut ids = HashSet::new();
        for (number, step) in self.steps.iter().enumerate() {
            let id = &step.id;
            if id.is_empty() || id.contains(['.', '[', ']']) || !ids.insert(id) {
                return Some(format!("step {number} has the id `{id}`"));
            }
            let is_block = |block: usize| self.steps.get(block).is_some_and(|block| block.work.is_block());
            if step.block.is_some_and(|block| !is_block(block)) {
                return Some(format!("`{id}` is in no block"));
            }
            let mut needed = HashSet::new();
            for need in &step.needs {
                let sibling = self
                    .steps
                    .get(need.step)
                    .is_some_and(|other| other.block == step.block);
                if !sibling || need.edges.is_empty() || !needed.insert(need.step) {
                    return Some(format!("`{id}` needs what is not beside it"));
                }
            }
            if let Work::Loop(turns) = &step.work
                && turns.before.is_some() == turns.after.is_some()
            {
                return Some(format!("`{id}` has no condition"));
            }
        }
        let blocks = |step: usize| self.steps[step].block.into_iter().collect();
        let needs = |step: usize| self.steps[step].needs.iter().map(|need| need.step).collect();
        if self.has_circle(blocks) || self.has_circle(needs) {
            return Some("its steps stand in a circle".to_owned());
        }
        None
    }

    /// Whether somebody who goes on from step to step never arrives: each step goes once all it leads to are gone.
    fn has_circle(&self, leads_to: impl Fn(usize) -> Vec<usize>) -> bool {
        let count = self.steps.len();
        let mut from: Vec<Vec<usize>> = vec![Vec::new(); count];
        let lead = |step: usize| -> usize {
            let to = leads_to(step);
            for next in &to {
                from[*next].push(step);
            }
            to.len()
        };
        let mut open: Vec<usize> = (0..count).map(lead).collect();
        let mut gone: Vec<usize> = (0..count).filter(|step| open[*step] == 0).collect();
        let mut position = 0;
        while let Some(step) = gone.get(position).copied() {
            position += 1;
            for before in &from[step] {
                open[*before] -= 1;
                if open[*before] == 0 {
                    gone.push(*before);
                }
            }
        }
        gone.len() < count
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Plan;
    use crate::compile::{Context, compile};

    fn read(change: impl Fn(&mut Value)) -> Result<Plan, String> {
        let text = "steps: [{id: g, group: {}}, {id: a, in: g, set: {x: 1}}, {id: b, in: g, needs: [a], set: {x: 1}}]";
        let plan = compile(&serde_saphyr::from_str(text).unwrap(), &Context::default())
            .unwrap()
            .plan;
        let mut value = serde_json::to_value(plan).unwrap();
        change(&mut value);
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plan_that_no_compiler_makes_is_not_read() {
        assert!(read(|_| ()).is_ok());
        let changes: [(&str, Value); 9] = [
            ("/steps/1/block", json!(7)),
            ("/steps/1/block", json!(2)),
            ("/steps/0/block", json!(0)),
            ("/steps/2/needs/0/step", json!(9)),
            ("/steps/2/needs/0/step", json!(0)),
            ("/steps/2/needs/0/step", json!(2)),
            ("/steps/2/needs/0/edges", json!([])),
            ("/steps/2/id", json!("a")),
            ("/steps/2/id", json!("a.b")),
        ];
        for (path, value) in changes {
            let change = |plan: &mut Value| match plan.pointer_mut(path) {
                Some(place) => *place = value.clone(),
                None => plan["steps"][0]["block"] = value.clone(),
            };
            let error = read(change).unwrap_err();
            assert!(
                error.starts_with("the plan is damaged"),
                "{path} {value}: {error}"
            );
        }
    }
}
