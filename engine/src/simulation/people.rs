//! What people and the world do: signals.

use serde_json::{Value, json};

use super::calls::{Call, Called};
use super::steps::last_id;
use super::world::News;
use super::{SignalKind, Simulation};
use crate::journal::Vote;
use crate::plan::FormField;
use crate::run::{IncomingEvent, Question};

impl Simulation<'_> {
    /// A run asks people. In a dry run the answer given in advance comes at once.
    pub(super) fn ask(&mut self, number: usize, question: &Question) {
        let shown = self.runs[number].shown(&question.step);
        self.calls.push(Call {
            at: self.since(self.now),
            step: shown.clone(),
            attempt: 1,
            undo: false,
            cancelled: false,
            hidden: self.scene.dry_run,
            what: Called::Approval {
                title: question.title.clone(),
                description: question.description.clone(),
            },
        });
        let asked = (number, question.step.clone());
        if !self.questions.contains(&asked) {
            self.questions.push(asked);
        }
        self.world.told(&News::Asked {
            path: &shown,
            question,
        });
        if self.scene.dry_run {
            self.asked.push_back((number, question.clone()));
        }
    }

    /// Somebody does something.
    pub(super) fn signal(&mut self, what: SignalKind) {
        match what {
            SignalKind::Cancel { by } => {
                let commands = self.runs[0].run.cancel(&by, self.now);
                self.take(0, commands);
            }
            SignalKind::Event { event, source, data } => {
                let id = self
                    .scene
                    .seed
                    .id(&format!("event {}", self.events.len()))
                    .to_string();
                self.deliver(IncomingEvent {
                    id,
                    event,
                    source: Some(source),
                    time: self.now,
                    data: Value::Object(data),
                });
            }
            SignalKind::Vote { step, vote } => self.vote(&step, &vote),
        }
    }

    /// A vote, for the approval of that path or, where only a name is given, for the first of that name that takes it.
    fn vote(&mut self, step: &str, vote: &Vote) {
        let mut refusal = None;
        let by_path = |(run, path): &&(usize, String)| self.runs[*run].shown(path) == step;
        let by_name = |(_, path): &&(usize, String)| last_id(path) == step;
        let mut open: Vec<_> = self.questions.iter().filter(by_path).cloned().collect();
        if open.is_empty() {
            open = self.questions.iter().filter(by_name).cloned().collect();
        }
        for (run, path) in open {
            match self.runs[run].run.vote(&path, vote.clone(), self.now) {
                Ok(commands) => return self.take(run, commands),
                Err(refused) => refusal = Some(refused.to_string()),
            }
        }
        let why = refusal.unwrap_or_else(|| "nobody was asked that".to_owned());
        self.refuse(format!("{} about {step}: {why}", vote.by));
    }

    /// Somebody wanted what cannot be.
    pub(super) fn refuse(&mut self, why: String) {
        self.world.told(&News::Refused(&why));
        self.refused.push(why);
    }

    /// A dry run does not wait for people: the votes given in advance count at once, and without any the answer is yes.
    pub(super) fn answer_in_advance(&mut self, number: usize, question: &Question) {
        let shown = self.runs[number].shown(&question.step);
        let given: Vec<Vote> = self
            .signals
            .iter()
            .filter_map(|signal| match &signal.what {
                SignalKind::Vote { step, vote } if *step == shown => Some(vote.clone()),
                _ => None,
            })
            .collect();
        if !given.is_empty() {
            for vote in &given {
                self.vote(&shown, vote);
            }
            return;
        }
        for voter in 1..=question.required {
            let form = question
                .form
                .iter()
                .map(|field| (field.name.clone(), filled(field)))
                .collect();
            let vote = Vote {
                by: question
                    .users
                    .get(voter as usize - 1)
                    .cloned()
                    .unwrap_or_else(|| format!("dry-run-{voter}")),
                groups: question.groups.clone(),
                approve: true,
                form,
                comment: None,
            };
            self.vote(&shown, &vote);
        }
    }
}

/// A value that a form field takes.
fn filled(field: &FormField) -> Value {
    match field.type_.as_str() {
        "boolean" => json!(false),
        "integer" => json!(0),
        "number" => json!(0.0),
        _ => json!(field.options.first().map_or("", String::as_str)),
    }
}
