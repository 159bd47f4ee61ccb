//! Answers and events that the command line gives in advance.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use flowpilot_engine::journal::Vote;
use flowpilot_engine::run::Question;
use flowpilot_engine::simulation::SignalKind;
use serde_json::{Map, Value};

use crate::testing::fields::{Fields, Read, wrong};
use crate::values;

/// Whoever the command line speaks for.
const SOURCE: &str = "flowpilot-run";

/// An event to send.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) event: String,
    pub(crate) data: Map<String, Value>,
}

impl Told {
    pub(crate) fn signal(self) -> SignalKind {
        SignalKind::Event {
            event: self.event,
            source: SOURCE.to_owned(),
            data: self.data,
        }
    }
}

/// Reads `--event TYPE=DATA`.
pub(crate) fn events(given: &[String]) -> anyhow::Result<Vec<Told>> {
    given
        .iter()
        .map(|text| {
            let (event, data) = text.split_once('=').with_context(|| {
                format!("--event {text}: write TYPE={{…}}, such as order.paid={{\"id\": 1}}")
            })?;
            Ok(Told {
                event: event.to_owned(),
                data: data_of(data).with_context(|| format!("--event {text}"))?,
            })
        })
        .collect()
}

/// The data of an event: a JSON object; nothing is an empty one.
pub(crate) fn data_of(text: &str) -> anyhow::Result<Map<String, Value>> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).context("the data of an event is a JSON object, such as {\"id\": 1}")
}

/// Answers by step id or path.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    by_step: BTreeMap<String, Vec<Answer>>,
    /// How many answers of a list were given.
    used: BTreeMap<String, usize>,
}

/// What is said about an approval.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) approve: bool,
    /// Who says it; those who are asked, if empty.
    by: Vec<String>,
    /// Their groups; those that are asked, if none are given.
    groups: Option<Vec<String>>,
    pub(crate) form: Map<String, Value>,
    pub(crate) comment: Option<String>,
}

impl Answer {
    pub(crate) fn new(approve: bool) -> Self {
        Self {
            approve,
            by: Vec::new(),
            groups: None,
            form: Map::new(),
            comment: None,
        }
    }

    /// The votes that this answer is: of as many people as must approve, or of one who rejects.
    pub(crate) fn votes(&self, path: &str, question: &Question) -> Vec<SignalKind> {
        let count = if self.approve {
            question.required.max(1) as usize
        } else {
            1
        };
        let voter = |number: usize| {
            let named = self.by.get(number).or_else(|| question.users.get(number));
            named.cloned().unwrap_or_else(|| match number {
                0 => "approver".to_owned(),
                number => format!("approver-{}", number + 1),
            })
        };
        let vote = |number| SignalKind::Vote {
            step: path.to_owned(),
            vote: Vote {
                by: voter(number),
                groups: self.groups.clone().unwrap_or_else(|| question.groups.clone()),
                approve: self.approve,
                form: self.form.clone(),
                comment: self.comment.clone(),
            },
        };
        (0..count).map(vote).collect()
    }
}

impl Answers {
    /// Reads `--answer STEP=ANSWER`. Several for one step are for one question after the other, the last one for all
    /// that follow.
    pub(crate) fn read(given: &[String]) -> anyhow::Result<Self> {
        let mut answers = Self::default();
        for text in given {
            let (step, value) = values::pair(text, "--answer")?;
            let answer = match &value {
                Value::String(word) if word == "approve" => Answer::new(true),
                Value::String(word) if word == "reject" => Answer::new(false),
                Value::Object(_) => match answer(&value) {
                    Ok(answer) => answer,
                    Err(wrong) => bail!("--answer {step}: {}: {}", wrong.path, wrong.message),
                },
                _ => bail!(
                    "--answer {text}: write {step}=approve, {step}=reject or {step}={{\"approve\": true, …}}"
                ),
            };
            answers.by_step.entry(step).or_default().push(answer);
        }
        Ok(answers)
    }

    /// The next answer to a question of this step.
    pub(crate) fn next(&mut self, path: &str) -> Option<Answer> {
        let id = path.rsplit(['.', '/']).next().unwrap_or(path);
        let key = [path, id]
            .into_iter()
            .find(|key| self.by_step.contains_key(*key))?;
        let list = &self.by_step[key];
        let used = self.used.entry(key.to_owned()).or_default();
        let answer = list.get(*used).or_else(|| list.last()).cloned();
        *used += 1;
        answer
    }

    /// Steps that were never asked about.
    pub(crate) fn unused(&self) -> Vec<&str> {
        let steps = self.by_step.keys().filter(|step| !self.used.contains_key(*step));
        steps.map(String::as_str).collect()
    }
}

fn answer(value: &Value) -> Read<Answer> {
    let mut fields = Fields::of(value, "answer")?;
    let Some(approve) = fields.required("approve")?.as_bool() else {
        return wrong(fields.path("approve"), "this is true or false");
    };
    let by = fields.texts("by")?;
    let has_groups = value.get("groups").is_some();
    let groups = fields.texts("groups")?;
    let form = fields.map("form")?.cloned().unwrap_or_default();
    let comment = fields.text("comment")?.map(str::to_owned);
    fields.end()?;
    Ok(Answer {
        approve,
        by,
        groups: has_groups.then_some(groups),
        form,
        comment,
    })
}

/// A word or JSON that a person types for a field of a form.
pub(crate) fn field(type_: &str, text: &str) -> anyhow::Result<Value> {
    if type_ == "string" {
        return Ok(Value::String(text.to_owned()));
    }
    let value = values::json_or_text(text);
    let fits = match type_ {
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        _ => true,
    };
    ensure!(fits, "`{text}` is no {type_}");
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(required: u32, users: &[&str]) -> Question {
        Question {
            step: "ask".to_owned(),
            title: None,
            description: None,
            groups: vec!["managers".to_owned()],
            users: users.iter().map(ToString::to_string).collect(),
            required,
            form: Vec::new(),
            until: None,
            self_approval: true,
        }
    }

    fn read(given: &[&str]) -> anyhow::Result<Answers> {
        Answers::read(&given.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn voters(answer: &Answer, question: &Question) -> Vec<(String, Vec<String>, bool)> {
        let votes = answer.votes("ask", question).into_iter();
        votes
            .filter_map(|signal| match signal {
                SignalKind::Vote { vote, .. } => Some((vote.by, vote.groups, vote.approve)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn an_answer_speaks_for_as_many_as_are_asked() {
        let managers = vec!["managers".to_owned()];
        let vote = |by: &str, approve| (by.to_owned(), managers.clone(), approve);
        let yes = Answer::new(true);
        assert_eq!(voters(&yes, &question(1, &[])), [vote("approver", true)]);
        assert_eq!(
            voters(&yes, &question(2, &["ann"])),
            [vote("ann", true), vote("approver-2", true)]
        );
        assert_eq!(
            voters(&Answer::new(false), &question(2, &[])),
            [vote("approver", false)]
        );
        let mut answers = read(&[r#"ask={"approve": true, "by": ["bob", "eve"], "groups": ["x"]}"#]).unwrap();
        let named = voters(&answers.next("ask").unwrap(), &question(2, &["ann"]));
        let groups = vec!["x".to_owned()];
        assert_eq!(
            named,
            [
                ("bob".to_owned(), groups.clone(), true),
                ("eve".to_owned(), groups, true)
            ]
        );
    }

    #[test]
    fn answers_are_used_in_order_by_path_before_id_and_the_last_one_again() {
        let mut answers = read(&[
            "ask=approve",
            "ask=reject",
            "each[1].ask=approve",
            "call/ask=reject",
            "never=approve",
        ])
        .unwrap();
        let mut next = |path| answers.next(path).map(|answer| answer.approve);
        assert_eq!(
            [
                next("each[0].ask"),
                next("each[1].ask"),
                next("each[2].ask"),
                next("ask"),
                next("call/ask")
            ],
            [Some(true), Some(true), Some(false), Some(false), Some(false)]
        );
        assert_eq!(next("other"), None);
        assert_eq!(answers.unused(), ["never"]);
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let why = |text| format!("{:#}", read(&[text]).unwrap_err());
        assert!(why("ask=yes").contains("write ask=approve, ask=reject"));
        assert!(why(r#"ask={"aprove": true}"#).contains("aprove"));
        let why = |text: &str| format!("{:#}", events(&[text.to_owned()]).unwrap_err());
        assert!(why("paid").contains("write TYPE="));
        assert!(why("paid=[1]").contains("JSON object"));
        assert_eq!(
            events(&["paid=".to_owned(), r#"x.y={"a": 1}"#.to_owned()]).unwrap()[1]
                .data
                .get("a"),
            Some(&json!(1))
        );
    }
}
