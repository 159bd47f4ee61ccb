//! One question to the person at the terminal, asked line by line.

use flowpilot_engine::run::Question;
use flowpilot_engine::simulation::SignalKind;
use serde_json::Value;

use super::answers::{Answer, Told, data_of, field};

/// A question, and how far it is answered.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) path: String,
    subject: Subject,
}

#[derive(Debug)]
enum Subject {
    Approval {
        question: Box<Question>,
        /// The answer so far, once it is yes or no.
        answer: Option<Answer>,
        /// Fields of the form that were asked for.
        fields: usize,
    },
    Event {
        event: String,
    },
}

/// What a line led to.
#[derive(Debug)]
pub(crate) enum Reply {
    /// There is more to ask.
    More,
    /// It cannot be taken: why. The same is asked again.
    Again(String),
    /// This is said.
    Said(Vec<SignalKind>),
}

impl Dialog {
    pub(crate) fn approval(path: String, question: Box<Question>) -> Self {
        Self {
            path,
            subject: Subject::Approval {
                question,
                answer: None,
                fields: 0,
            },
        }
    }

    pub(crate) fn event(path: String, event: String) -> Self {
        Self {
            path,
            subject: Subject::Event { event },
        }
    }

    /// What it is about, in lines.
    pub(crate) fn introduction(&self) -> Vec<String> {
        match &self.subject {
            Subject::Event { event } => vec![format!("{} waits for an event {event}", self.path)],
            Subject::Approval { question, .. } => {
                let title = question.title.as_deref().unwrap_or("an approval");
                let mut lines = vec![format!("{} asks: {title}", self.path)];
                lines.extend(question.description.clone());
                let asked = [&question.groups, &question.users].into_iter().flatten();
                let asked: Vec<&str> = asked.map(String::as_str).collect();
                if !asked.is_empty() {
                    lines.push(format!("asked are {}: you answer for them", asked.join(", ")));
                }
                lines
            }
        }
    }

    /// What the next line is.
    pub(crate) fn prompt(&self) -> String {
        match &self.subject {
            Subject::Event { .. } => "its data as a JSON object, or nothing for {}: ".to_owned(),
            Subject::Approval { answer: None, .. } => "approve or reject? ".to_owned(),
            Subject::Approval { question, fields, .. } => match question.form.get(*fields) {
                None => "comment, or nothing: ".to_owned(),
                Some(field) => {
                    let name = field.title.as_ref().unwrap_or(&field.name);
                    let options = if field.options.is_empty() {
                        String::new()
                    } else {
                        format!(", one of {}", field.options.join(", "))
                    };
                    let required = if field.required { "" } else { ", or nothing" };
                    format!("{name} ({}{options}{required}): ", field.type_)
                }
            },
        }
    }

    /// Takes a line.
    pub(crate) fn take(&mut self, line: &str) -> Reply {
        let line = line.trim();
        match &mut self.subject {
            Subject::Event { event } => match data_of(line) {
                Ok(data) => {
                    let event = event.clone();
                    Reply::Said(vec![Told { event, data }.signal()])
                }
                Err(error) => Reply::Again(format!("{error:#}")),
            },
            Subject::Approval {
                question,
                answer,
                fields,
            } => {
                let Some(given) = answer else {
                    let approve = match line.to_lowercase().as_str() {
                        "a" | "approve" | "y" | "yes" => true,
                        "r" | "reject" | "n" | "no" => false,
                        _ => return Reply::Again("write approve or reject".to_owned()),
                    };
                    // Whoever rejects need not fill in the form.
                    *fields = if approve { 0 } else { question.form.len() };
                    *answer = Some(Answer::new(approve));
                    return Reply::More;
                };
                let Some(asked) = question.form.get(*fields) else {
                    given.comment = Some(line.to_owned()).filter(|comment| !comment.is_empty());
                    return Reply::Said(given.votes(&self.path, question));
                };
                if line.is_empty() && asked.required {
                    return Reply::Again(format!("{} is required", asked.name));
                }
                if !line.is_empty() {
                    match field(&asked.type_, line) {
                        Ok(value) if is_option(&value, &asked.options) => {
                            given.form.insert(asked.name.clone(), value);
                        }
                        Ok(_) => {
                            return Reply::Again(format!("it is one of {}", asked.options.join(", ")));
                        }
                        Err(error) => return Reply::Again(error.to_string()),
                    }
                }
                *fields += 1;
                Reply::More
            }
        }
    }
}

fn is_option(value: &Value, options: &[String]) -> bool {
    let is_listed = |text: &str| options.iter().any(|option| option == text);
    options.is_empty() || value.as_str().is_some_and(is_listed)
}
