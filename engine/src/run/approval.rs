//! Approvals: a question, votes that count and votes that do not, and the decision.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use snafu::Snafu;

use super::frame::Instance;
use super::path::Target;
use super::work::{Outcome, texts};
use super::{Command, Question, Run};
use crate::journal::{Event, StepError, Vote};
use crate::plan::{ApprovalWork, FormField, Work};
use crate::size::{is_too_deep, json_size};

/// The largest form with its comment, in bytes of JSON: every vote is an event of the journal.
const VOTE_BYTES: usize = 64 * 1024;

/// A vote that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{reason}"))]
pub struct VoteRefused {
    /// Why, for whoever voted.
    pub reason: String,
}

fn refused<T>(reason: impl Into<String>) -> Result<T, VoteRefused> {
    Err(VoteRefused {
        reason: reason.into(),
    })
}

impl Run {
    pub(super) fn ask(
        &mut self,
        instance: Instance,
        approval: &ApprovalWork,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) -> Outcome<()> {
        let until = self.expiry(instance, "approval.timeout", approval.timeout.as_ref(), now)?;
        let question = self.question(instance, approval, until)?;
        self.waiting(instance, until, now, commands);
        commands.push(Command::Ask(question));
        Ok(())
    }

    /// The question as people see it. The same whenever it is asked.
    pub(super) fn question(
        &self,
        instance: Instance,
        approval: &ApprovalWork,
        until: Option<Timestamp>,
    ) -> Outcome<Question> {
        Ok(Question {
            step: self.path(instance),
            title: self.message(instance, approval.title.as_ref())?,
            description: self.message(instance, approval.description.as_ref())?,
            groups: texts("groups", &self.evaluate(instance, &approval.groups)?)?,
            users: texts("users", &self.evaluate(instance, &approval.users)?)?,
            required: approval.required,
            form: approval.form.clone(),
            until,
            self_approval: approval.self_approval,
        })
    }

    /// Somebody votes. A vote that does not count changes nothing, and says why.
    pub fn vote(&mut self, step: &str, vote: Vote, now: Timestamp) -> Result<Vec<Command>, VoteRefused> {
        let plan = self.plan.clone();
        let waiting = if self.finished.is_some() {
            None
        } else {
            self.waiting_step(step)
        };
        let found = waiting.map(|instance| (instance, &plan.steps[instance.step].work));
        let Some((instance, Work::Approval(approval))) = found else {
            return refused(format!("nobody is asked about {step} now"));
        };
        self.may_vote(instance, approval, &vote)?;
        let vote = Vote {
            form: checked_form(&approval.form, vote.form, vote.approve)?,
            ..vote
        };
        if json_size(&vote) > VOTE_BYTES {
            return refused(format!(
                "the form and the comment have more than {VOTE_BYTES} bytes"
            ));
        }
        let mut commands = Vec::new();
        let event = Event::Voted {
            step: step.to_owned(),
            at: now,
            vote,
        };
        self.record_at(Target::Step(instance), event, &mut commands);
        self.decide_approval(instance, approval, now, &mut commands);
        Ok(commands)
    }

    /// Whether the votes so far decide.
    pub(super) fn decide_approval(
        &mut self,
        instance: Instance,
        approval: &ApprovalWork,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let votes = &self.record_of(instance).votes;
        let agreed = votes.iter().filter(|vote| vote.approve).count();
        if let Some(rejected) = votes.iter().find(|vote| !vote.approve) {
            let error = StepError {
                code: "Rejected".to_owned(),
                message: format!("{} rejected it", rejected.by),
                ..StepError::default()
            };
            let output = decision(votes, false, now);
            self.fail_as(instance, error, "rejected", Some(output), now, commands);
        } else if agreed >= approval.required as usize {
            let output = decision(votes, true, now);
            let named = Some("approved".to_owned());
            self.succeed_as(instance, Some(output), named, now, commands);
        }
    }

    fn may_vote(&self, instance: Instance, approval: &ApprovalWork, vote: &Vote) -> Result<(), VoteRefused> {
        if !approval.self_approval && vote.by == self.facts.started_by {
            return refused("whoever started the run may not decide about it");
        }
        let asked = self
            .question(instance, approval, None)
            .or_else(|error| refused(error.message))?;
        let is_asked = (asked.groups.is_empty() && asked.users.is_empty())
            || asked.users.contains(&vote.by)
            || vote.groups.iter().any(|group| asked.groups.contains(group));
        if is_asked {
            Ok(())
        } else {
            refused(format!("{} is not among those who are asked", vote.by))
        }
    }
}

/// The fields of a form, checked. Whoever rejects need not fill it in.
fn checked_form(
    fields: &[FormField],
    mut form: Map<String, Json>,
    approves: bool,
) -> Result<Map<String, Json>, VoteRefused> {
    form.retain(|_, value| !value.is_null());
    if let Some(name) = form
        .keys()
        .find(|name| !fields.iter().any(|field| field.name == **name))
    {
        return refused(format!("the form has no field {name}"));
    }
    for field in fields {
        let name = &field.name;
        let Some(value) = form.get_mut(name) else {
            if field.required && approves {
                return refused(format!("the field {name} is required"));
            }
            continue;
        };
        let fits = match field.type_.as_str() {
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
            "boolean" => value.is_boolean(),
            _ => !is_too_deep(value),
        };
        if !fits {
            return refused(format!("the field {name} is no {}", field.type_));
        }
        let is_option = |text: &str| field.options.iter().any(|option| option == text);
        if !field.options.is_empty() && !value.as_str().is_some_and(is_option) {
            return refused(format!(
                "the field {name} is none of {}",
                field.options.join(", ")
            ));
        }
        crate::schema::type_numbers(&json!({"type": field.type_}), value);
    }
    Ok(form)
}

/// What an approval gives.
fn decision(votes: &[Vote], approved: bool, at: Timestamp) -> Json {
    let by: Vec<&str> = votes.iter().map(|vote| vote.by.as_str()).collect();
    let mut output = Map::new();
    output.insert(
        "decision".to_owned(),
        json!(if approved { "approved" } else { "rejected" }),
    );
    output.insert("by".to_owned(), json!(by));
    output.insert("at".to_owned(), json!(at.to_string()));
    if let Some(last) = votes.last() {
        if let Some(comment) = &last.comment {
            output.insert("comment".to_owned(), json!(comment));
        }
        output.insert("form".to_owned(), Json::Object(last.form.clone()));
    }
    Json::Object(output)
}

/// Nobody answered in time.
pub(super) fn expired(work: &Work) -> StepError {
    let message = if matches!(work, Work::Approval(_)) {
        "nobody decided in time"
    } else {
        "the event did not come in time"
    };
    StepError {
        code: "Expired".to_owned(),
        message: message.to_owned(),
        ..StepError::default()
    }
}
