//! What an expression may read, and what of it is certain to be there.

use std::cell::RefCell;

use super::certainty::Certainty;
use super::graph::Graph;
use super::kinds::Kind;
use super::layout::Layout;
use super::names::{listed, nearest_of};
use super::place::{Place, Spot, View};
use super::{Context, Problems, blocks, outcomes, presence};
use crate::expression::{Program, Read};
use crate::plan::{PlanAction, PlanInput};

/// Names that every expression of a run can read.
const RUN: [&str; 6] = ["inputs", "vars", "steps", "run", "workflow", "tenant"];
/// Fields of `steps.<id>`.
pub(super) const STEP: [&str; 6] = ["output", "outcome", "error", "failures", "startedAt", "endedAt"];
pub(super) const RUN_FIELDS: [&str; 4] = ["id", "url", "startedAt", "attempt"];
pub(super) const WORKFLOW_FIELDS: [&str; 2] = ["name", "revision"];
pub(super) const TENANT_FIELDS: [&str; 1] = ["name"];
pub(super) const TRIGGER_FIELDS: [&str; 6] = ["type", "id", "body", "headers", "query", "scheduledAt"];
pub(super) const EVENT_FIELDS: [&str; 5] = ["id", "type", "source", "time", "data"];

/// Everything that names can mean.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) layout: &'a Layout<'a>,
    pub(super) context: &'a Context,
    pub(super) inputs: &'a [PlanInput],
    pub(super) graph: &'a Graph,
    pub(super) certainty: &'a Certainty,
    /// What the actions of `uses` steps declare, by step.
    pub(super) actions: &'a [Option<&'a PlanAction>],
    /// What the actions that take steps back declare, by step.
    pub(super) undo_actions: &'a [Option<&'a PlanAction>],
    /// Steps whose output something reads.
    pub(super) read: &'a RefCell<Vec<bool>>,
}

impl Names<'_> {
    /// Checks what one expression or text reads.
    pub(super) fn check(&self, reads: &[Read], place: Place<'_>, problems: &mut Problems) {
        for read in reads {
            let Some(root) = read.path.first() else { continue };
            match root.as_str() {
                root if !self.is_there(root, place.view) => self.unknown(root, read, place, problems),
                "inputs" => self.input(read, reads, place, problems),
                "vars" => self.variable(read, place, problems),
                "steps" => self.step(read, reads, place, problems),
                "run" => fields(read, &RUN_FIELDS, place, problems),
                "workflow" => fields(read, &WORKFLOW_FIELDS, place, problems),
                "tenant" => fields(read, &TENANT_FIELDS, place, problems),
                "trigger" => fields(read, &TRIGGER_FIELDS, place, problems),
                "event" => fields(read, &EVENT_FIELDS, place, problems),
                "turn" => blocks::turn(self, read, reads, place, problems),
                "blocks" => blocks::outer(self, read, reads, place, problems),
                _ => {}
            }
        }
    }

    /// Checks the outcomes that an expression compares with.
    pub(super) fn check_outcomes(
        &self,
        program: &Program,
        base: usize,
        place: Place<'_>,
        problems: &mut Problems,
    ) {
        for compared in program.compared() {
            let [steps, id, field] = compared.path.as_slice() else {
                continue;
            };
            if steps != "steps" || field != "outcome" {
                continue;
            }
            let Some(step) = self.layout.number(id) else {
                continue;
            };
            let named = outcomes::named(&self.layout.spec.steps[step]);
            let known = || {
                let own = named.iter().map(|named| named.name);
                own.chain(["succeeded", "failed", "skipped", "cancelled"])
            };
            let literal = compared.literal.as_str();
            if known().any(|name| name == literal) {
                continue;
            }
            let there = listed(literal, known(), "there are", "");
            let message = format!("step {id} never has the outcome {literal}: {there}");
            problems.suggesting(
                "UnknownOutcome",
                Spot::new(place.path, compared.offset + base),
                message,
                nearest_of(literal, known()),
            );
        }
    }

    /// Whether the root can be read here at all.
    pub(super) fn is_there(&self, root: &str, view: View) -> bool {
        let kinds = |kind| {
            view.blocks(self.layout)
                .any(move |block| self.layout.kind(block) == Some(kind))
        };
        match root {
            "vars" | "workflow" | "tenant" => true,
            "inputs" => view.is_in_run() || view == View::Concurrency,
            "steps" | "run" => view.is_in_run(),
            "trigger" => matches!(view, View::Trigger | View::Concurrency),
            "event" => matches!(view, View::Match(_) | View::TriggerMatch),
            "item" | "index" => kinds(Kind::ForEach),
            "turn" => kinds(Kind::Loop),
            "blocks" => kinds(Kind::ForEach) || kinds(Kind::Loop),
            _ => false,
        }
    }

    /// Every root that can be read here.
    pub(super) fn roots(&self, view: View) -> impl Iterator<Item = &'static str> + '_ {
        let all = RUN
            .into_iter()
            .chain(["trigger", "event", "item", "index", "turn", "blocks"]);
        all.filter(move |root| self.is_there(root, view))
    }

    fn unknown(&self, root: &str, read: &Read, place: Place<'_>, problems: &mut Problems) {
        let why = match root {
            "trigger" => {
                "it is there in `inputs` and `dedupeKey` of a trigger and in `concurrency`; a step reads inputs, so \
                 that it runs the same however the run was started"
            }
            "item" | "index" => "it is there inside a forEach",
            "turn" => "it is there inside a loop",
            "blocks" => "it is there inside a forEach or a loop",
            "event" => "it is there in `match`",
            "inputs" | "steps" | "run" => "there is no run yet",
            "secrets" | "secret" => "secrets are not values: an action resolves its connection itself",
            "loop" => "the carried values of a loop are read as `turn`",
            _ => "",
        };
        let message = if why.is_empty() {
            let there = listed(
                root,
                self.roots(place.view),
                "there are",
                "nothing can be read here",
            );
            format!("{root} is no name that can be read here: {there}")
        } else {
            format!("{root} cannot be read here: {why}")
        };
        let step = || {
            let number = self.layout.number(root)?;
            self.can_read(number, place.view)
                .then(|| format!("steps.{}", read.path.join(".")))
        };
        let like = if why.is_empty() {
            step().or_else(|| nearest_of(root, self.roots(place.view)))
        } else {
            None
        };
        problems.suggesting("UnknownName", place.at(read), message, like);
    }

    fn input(&self, read: &Read, all: &[Read], place: Place<'_>, problems: &mut Problems) {
        let Some(name) = read.path.get(1) else { return };
        let names = || self.inputs.iter().map(|input| input.name.as_str());
        let Some(input) = self.inputs.iter().find(|input| input.name == *name) else {
            let there = listed(name, names(), "there are", "it declares none");
            let message = format!("the workflow has no input {name}: {there}");
            let like = nearest_of(name, names()).map(|name| format!("inputs.{name}"));
            return problems.suggesting("UnknownInput", place.at(read), message, like);
        };
        if !input.required && input.default.is_none() && is_plain(read, 2, all) {
            let message = format!("inputs.{name} may be absent: it is not required and has no default");
            let like = format!("inputs.?{name}.orValue(…)");
            problems.suggesting("MayBeAbsent", place.at(read), message, Some(like));
        }
    }

    fn variable(&self, read: &Read, place: Place<'_>, problems: &mut Problems) {
        let Some(name) = read.path.get(1) else { return };
        let own = &self.layout.spec.variables;
        let tenant = self.context.tenant_variables.as_ref();
        if own.contains_key(name) || tenant.is_some_and(|tenant| tenant.contains(name)) {
            return;
        }
        let known = || {
            let tenant = tenant.into_iter().flatten();
            own.keys().chain(tenant).map(String::as_str)
        };
        let there = listed(name, known(), "there are", "there are none");
        let like = nearest_of(name, known()).map(|name| format!("vars.{name}"));
        if tenant.is_some() {
            let message = format!("neither the workflow nor the tenant has a variable {name}: {there}");
            problems.unresolved("UnknownVariable", place.at(read), message, like);
        } else {
            let message =
                format!("the workflow has no variable {name}, so the tenant must define it: {there}");
            problems.warning_suggesting("UnknownVariable", place.at(read), message, like);
        }
    }

    fn step(&self, read: &Read, all: &[Read], place: Place<'_>, problems: &mut Problems) {
        let Some(id) = read.path.get(1) else {
            let message = "steps is read by a literal id: steps.<id>.output";
            return problems.error("UnknownName", place.at(read), message);
        };
        let layout = self.layout;
        let Some(number) = layout.number(id) else {
            let readable = || {
                (0..layout.block.len())
                    .filter(|step| self.can_read(*step, place.view))
                    .map(|step| layout.id(step))
            };
            let there = listed(
                id,
                readable(),
                "what can be read here is",
                "nothing comes before this one",
            );
            let message = format!("there is no step {id}: {there}");
            let like = nearest_of(id, readable()).or_else(|| nearest_of(id, layout.ids()));
            let like = like.map(|id| format!("steps.{id}"));
            return problems.suggesting("UnknownStep", place.at(read), message, like);
        };
        if !self.can_read(number, place.view) {
            return self.not_an_ancestor(number, read, place, problems);
        }
        let field = read.path.get(2);
        if field.is_none_or(|field| field == "output") {
            self.read.borrow_mut()[number] = true;
        }
        let Some(field) = field else { return };
        if !STEP.contains(&field.as_str()) {
            let message = format!("steps.{id} has no field {field}: there are {}", STEP.join(", "));
            let like = nearest_of(field, STEP.into_iter()).unwrap_or_else(|| format!("output.{field}"));
            let like = Some(format!("steps.{id}.{like}"));
            return problems.suggesting("UnknownName", place.at(read), message, like);
        }
        presence::check(self, read, number, all, place, problems);
        self.called_output(read, number, place, problems);
    }

    /// Warns of an output that the called workflow does not have now.
    fn called_output(&self, read: &Read, step: usize, place: Place<'_>, problems: &mut Problems) {
        let Some(call) = &self.layout.spec.steps[step].workflow else {
            return;
        };
        let workflows = self.context.workflows.as_ref();
        let interface = workflows.and_then(|workflows| workflows.get(&call.name));
        let outputs = interface.and_then(|interface| interface.outputs.get("properties")?.as_object());
        let (Some(outputs), Some(name)) = (outputs, read.path.get(3)) else {
            return;
        };
        if call.await_ == Some(false) || read.path[2] != "output" || outputs.contains_key(name) {
            return;
        }
        let known = || outputs.keys().map(String::as_str);
        let there = listed(name, known(), "there are", "it has none");
        let message = format!("the workflow {} has no output {name}: {there}", call.name);
        let like = nearest_of(name, known()).map(|name| format!("{}.{name}", read.path[..3].join(".")));
        problems.warning_suggesting("UnknownField", place.at(read), message, like);
    }

    /// Whether an expression here may read this step.
    pub(super) fn can_read(&self, step: usize, view: View) -> bool {
        match view {
            View::Step(reader) | View::Match(reader) | View::Turn(reader) => {
                self.layout.is_lost[reader] || self.graph.is_ancestor(step, reader)
            }
            View::Undo(reader) => {
                step == reader || self.layout.is_lost[reader] || self.graph.is_ancestor(step, reader)
            }
            View::After(block) | View::Until(block) => {
                self.graph.is_inside(step, block) || self.graph.is_ancestor(step, block)
            }
            View::Outputs => {
                let layout = self.layout;
                layout
                    .around(step)
                    .all(|block| layout.kind(block) == Some(Kind::Group))
            }
            View::Trigger | View::TriggerMatch | View::Concurrency => false,
        }
    }

    fn not_an_ancestor(&self, step: usize, read: &Read, place: Place<'_>, problems: &mut Problems) {
        let layout = self.layout;
        let id = layout.id(step);
        // The forEach or loop that the step is hidden in, seen from here.
        let reader = place.view.reader();
        let around: Vec<usize> = match place.view {
            View::After(block) | View::Until(block) => {
                std::iter::once(block).chain(layout.around(block)).collect()
            }
            _ => reader
                .map(|reader| layout.around(reader).collect())
                .unwrap_or_default(),
        };
        let hidden = layout
            .around(step)
            .find(|block| layout.kind(*block) != Some(Kind::Group) && !around.contains(block));
        let own_turn = matches!(place.view, View::Turn(block) if self.graph.is_inside(step, block));
        let (message, like) = if own_turn {
            let message = format!(
                "steps.{id} is a step of the turn, and cannot be read here: only `until`, `next` and other steps of \
                 the turn read it; carry its value on with `next`"
            );
            (message, None)
        } else if let Some(block) = hidden {
            let kind = layout.kind(block).map_or("", Kind::word);
            let block = layout.id(block);
            let message = format!(
                "steps.{id} is inside the {kind} {block}, whose steps run many times: only {block} itself can be \
                 read after it"
            );
            (message, Some(format!("steps.{block}.output")))
        } else if reader == Some(step) {
            (format!("step {id} cannot read itself"), None)
        } else if reader.is_some_and(|reader| layout.around(reader).any(|block| block == step)) {
            (
                format!("steps.{id} is the block that this is in: it is not over yet"),
                None,
            )
        } else {
            let own = reader.map_or("this", |reader| layout.id(reader));
            let message =
                format!("steps.{id} is not an ancestor of {own}: nothing that {own} needs leads to {id}");
            let starts = matches!(
                place.view,
                View::Step(_) | View::Match(_) | View::Undo(_) | View::Turn(_)
            );
            let beside = reader.is_some_and(|reader| layout.block[reader] == layout.block[step]);
            (message, (starts && beside).then(|| format!("needs: [{id}]")))
        };
        problems.suggesting("NotAnAncestor", place.at(read), message, like);
    }
}

/// The first `names` names of the path must be there, and nothing asked before whether they are.
pub(super) fn is_plain(read: &Read, names: usize, all: &[Read]) -> bool {
    let covered = read.guarded && read.plain == read.path.len();
    let asked =
        |other: &Read| other.plain < names && other.path.len() >= names && read.path.starts_with(&other.path);
    let covered =
        covered || (read.guarded && all.iter().any(|other| asked(other) && other.path.len() == names));
    read.plain >= names && !covered
}

/// Checks the first field below a root with fixed fields.
pub(super) fn fields(read: &Read, known: &[&str], place: Place<'_>, problems: &mut Problems) {
    if let [root, field, ..] = read.path.as_slice()
        && !known.contains(&field.as_str())
    {
        let message = format!("{root} has no field {field}: there are {}", known.join(", "));
        let like = nearest_of(field, known.iter().copied()).map(|field| format!("{root}.{field}"));
        problems.suggesting("UnknownName", place.at(read), message, like);
    }
}
