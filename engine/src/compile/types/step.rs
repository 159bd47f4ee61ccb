//! The expressions of each step, in the order in which a run computes them.

use serde_json::Value;

use super::super::graph::Moment;
use super::super::place::View;
use super::super::work::Field;
use super::{Checker, expected};
use crate::expression::Tree;
use crate::expression::types::Type;
use crate::plan::{ApprovalWork, PlanStep, WaitFor, Work};

impl Checker<'_, '_> {
    pub(super) fn steps(&mut self, steps: &[Option<PlanStep>]) {
        let graph = self.names.graph;
        for moment in &graph.order {
            match *moment {
                Moment::Start(number) => {
                    if let Some(step) = &steps[number] {
                        self.start(number, step);
                    }
                }
                Moment::End(number) => {
                    if let Some(step) = &steps[number] {
                        self.end(number, step);
                    }
                }
            }
        }
    }

    fn start(&mut self, number: usize, step: &PlanStep) {
        let field = Field::of(number);
        let view = View::Step(number);
        if let Some(when) = &step.when {
            self.condition(when, view, &field.path("when"));
        }
        if let Some(cache) = &step.cache {
            self.tree(&cache.key, view, &field.path("cache.key"));
        }
        let names = self.names;
        match &step.work {
            Work::Set { values } => {
                self.known.outputs[number] = self.tree(values, view, &field.path("set"));
            }
            Work::Uses { with, .. } => {
                let path = field.path("with");
                self.tree(with, view, &path);
                if let Some(action) = names.actions[number] {
                    self.fits(with, view, &path, &action.input);
                    self.known.outputs[number] = self.output_of(step.action().unwrap_or_default(), action);
                }
            }
            Work::Script { input, .. } => {
                self.tree(input, view, &field.path("script.input"));
            }
            Work::Container(container) => {
                self.tree(&container.env, view, &field.path("container.env"));
                self.known.outputs[number] = super::outputs::container();
            }
            Work::Workflow { name, inputs, waits } => self.call(number, name, inputs, *waits),
            Work::Switch { cases, .. } => {
                for (index, case) in cases.iter().enumerate() {
                    let path = field.path(&format!("switch.cases[{index}].when"));
                    self.condition(&case.when, view, &path);
                }
            }
            Work::ForEach(each) => self.start_for_each(number, each),
            Work::Loop(repeats) => self.start_loop(number, repeats),
            Work::Group { .. } => {}
            Work::Wait(wait) => self.wait(number, wait),
            Work::Approval(approval) => self.approval(number, approval),
            Work::Emit { data, .. } => {
                self.tree(data, view, &field.path("emit.data"));
            }
            Work::Fail { message, .. } => self.text(message.as_ref(), view, &field.path("fail.message")),
            Work::Stop { message, .. } => self.text(message.as_ref(), view, &field.path("stop.message")),
        }
        if let Some(undo) = &step.undo {
            let path = field.path("undo.with");
            self.tree(&undo.with, View::Undo(number), &path);
            if let Some(action) = names.undo_actions[number] {
                self.fits(&undo.with, View::Undo(number), &path, &action.input);
            }
        }
    }

    fn end(&mut self, number: usize, step: &PlanStep) {
        match &step.work {
            Work::ForEach(each) => self.end_for_each(number, each),
            Work::Loop(repeats) => self.end_loop(number, repeats),
            Work::Group {
                result: Some(result), ..
            } => {
                let path = Field::of(number).path("group.result");
                let type_ = self.tree(result, View::After(number), &path);
                self.known.outputs[number] = super::outputs::unwrapped(&type_);
            }
            _ => {}
        }
    }

    fn text(&mut self, text: Option<&Tree>, view: View, path: &str) {
        if let Some(text) = text {
            self.tree(text, view, path);
        }
    }

    /// A duration is a text, or a CEL duration.
    pub(super) fn duration(&mut self, tree: &Tree, view: View, path: &str) {
        let type_ = self.tree(tree, view, path);
        if !expected::may_be(&type_, &|one| matches!(one, Type::String | Type::Duration)) {
            let message = format!("a duration such as 30s is asked for, and this gives {type_}");
            self.problems.error("WrongType", path, message);
        }
    }

    fn wait(&mut self, number: usize, wait: &WaitFor) {
        let field = Field::of(number);
        let view = View::Step(number);
        match wait {
            WaitFor::Duration(duration) => self.duration(duration, view, &field.path("wait.duration")),
            WaitFor::Until(until) => {
                let path = field.path("wait.until");
                let type_ = self.tree(until, view, &path);
                if !expected::may_be(&type_, &|one| matches!(one, Type::String | Type::Timestamp)) {
                    let message = format!("a time is asked for, and this gives {type_}");
                    self.problems.error("WrongType", path, message);
                }
            }
            WaitFor::Event(event) => {
                if let Some(matches) = &event.matches {
                    self.condition(matches, View::Match(number), &field.path("wait.event.match"));
                }
                if let Some(timeout) = &event.timeout {
                    self.duration(timeout, view, &field.path("wait.event.timeout"));
                }
                self.known.outputs[number] = super::environment::event();
            }
        }
    }

    fn approval(&mut self, number: usize, approval: &ApprovalWork) {
        let field = Field::of(number);
        let view = View::Step(number);
        self.text(approval.title.as_ref(), view, &field.path("approval.title"));
        self.text(
            approval.description.as_ref(),
            view,
            &field.path("approval.description"),
        );
        self.tree(&approval.groups, view, &field.path("approval.groups"));
        self.tree(&approval.users, view, &field.path("approval.users"));
        if let Some(timeout) = &approval.timeout {
            self.duration(timeout, view, &field.path("approval.timeout"));
        }
        self.known.outputs[number] = super::outputs::approval(&approval.form);
    }

    fn call(&mut self, number: usize, name: &str, inputs: &Tree, waits: bool) {
        let field = Field::of(number);
        let path = field.path("workflow.inputs");
        let view = View::Step(number);
        self.tree(inputs, view, &path);
        let workflows = self.names.context.workflows.as_ref();
        let interface = workflows.and_then(|workflows| workflows.get(name));
        if let Some(interface) = interface {
            let schemas: Vec<(&str, Value)> = interface
                .inputs
                .iter()
                .map(|input| (input.name.as_str(), input.full_schema()))
                .collect();
            let before = self.problems.count();
            self.given(inputs, view, &path, &|name| {
                let known = schemas.iter().find(|(known, _)| *known == name);
                known.map(|(_, schema)| schema)
            });
            self.problems.soften_since(before);
        }
        // What another workflow gives is its own to say: nothing is known of it here.
        self.known.outputs[number] = if waits {
            Type::Dyn
        } else {
            Type::object([("run", Type::String)])
        };
    }
}
