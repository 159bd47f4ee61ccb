//! Who answers a run: the command line in advance, or the person at the terminal.

use std::collections::VecDeque;

use flowpilot_engine::run::Question;
use flowpilot_engine::simulation::SignalKind;

use super::answers::Answers;
use super::dialog::{Dialog, Reply};
use super::terminal::Terminal;
use crate::output;

/// Whoever answers.
pub(crate) struct People {
    answers: Answers,
    terminal: Option<Terminal>,
    /// What is asked at the terminal, one after the other.
    dialogs: VecDeque<Dialog>,
    /// The first dialog was begun.
    is_begun: bool,
    /// What a run waits for.
    waits: Vec<Waits>,
}

/// Something that a run waits for.
#[derive(Debug)]
struct Waits {
    path: String,
    /// What it is and how to answer.
    help: String,
    /// That was said.
    is_told: bool,
}

impl People {
    pub(crate) fn new(answers: Answers, terminal: Option<Terminal>) -> Self {
        Self {
            answers,
            terminal,
            dialogs: VecDeque::new(),
            is_begun: false,
            waits: Vec::new(),
        }
    }

    /// People are asked. What was answered in advance comes back at once.
    pub(crate) fn asked(&mut self, path: String, question: Box<Question>) -> Vec<SignalKind> {
        let title = question.title.clone().unwrap_or_default();
        let help = format!(
            "{path} asks for an approval ({title}): --answer {path}=approve, or --answer {path}=reject"
        );
        self.waits.push(Waits {
            path: path.clone(),
            help: help.replace(" ()", ""),
            is_told: false,
        });
        if let Some(answer) = self.answers.next(&path) {
            return answer.votes(&path, &question);
        }
        self.dialogs.push_back(Dialog::approval(path, question));
        Vec::new()
    }

    /// A step waits for an event.
    pub(crate) fn listens(&mut self, path: String, event: String) {
        self.waits.push(Waits {
            path: path.clone(),
            help: format!("{path} waits for an event {event}: --event {event}='{{…}}'"),
            is_told: false,
        });
        self.dialogs.push_back(Dialog::event(path, event));
    }

    /// A step waits no more.
    pub(crate) fn closed(&mut self, path: &str) {
        self.waits.retain(|waits| waits.path != path);
        if self.is_begun && self.dialogs.front().is_some_and(|dialog| dialog.path == path) {
            self.is_begun = false;
            output::note(&format!("{path} asks no more"));
        }
        self.dialogs.retain(|dialog| dialog.path != path);
    }

    /// Says what the run waits for, and how to answer it the next time, where nobody can be asked.
    pub(crate) fn tell(&mut self) {
        for waits in self.waits.iter_mut().filter(|waits| !waits.is_told) {
            waits.is_told = true;
            if self.terminal.is_none() {
                output::note(&waits.help);
            }
        }
    }

    /// Whether somebody may still answer what is open.
    pub(crate) fn may_answer(&self) -> bool {
        self.terminal.is_some() && !self.dialogs.is_empty()
    }

    /// What the run waits for, and how to answer it.
    pub(crate) fn help(&self) -> String {
        let help: Vec<&str> = self.waits.iter().map(|waits| waits.help.as_str()).collect();
        help.join("; ")
    }

    /// Answers of the command line that nobody asked for.
    pub(crate) fn unused(&self) -> Vec<&str> {
        self.answers.unused()
    }

    /// What the person at the terminal says next; never, if there is nobody or nothing is asked. Nothing is lost when it
    /// is not waited for to its end.
    pub(crate) async fn next(&mut self) -> Vec<SignalKind> {
        let (Some(terminal), Some(dialog)) = (&mut self.terminal, self.dialogs.front_mut()) else {
            return std::future::pending().await;
        };
        if !self.is_begun {
            self.is_begun = true;
            for line in dialog.introduction() {
                output::note(&line);
            }
            output::prompt(&dialog.prompt());
        }
        let Some(line) = terminal.line().await else {
            self.terminal = None;
            return Vec::new();
        };
        match dialog.take(&line) {
            Reply::More => output::prompt(&dialog.prompt()),
            Reply::Again(why) => {
                output::note(&why);
                output::prompt(&dialog.prompt());
            }
            Reply::Said(signals) => {
                self.dialogs.pop_front();
                self.is_begun = false;
                return signals;
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;

    fn question() -> Box<Question> {
        let field = |name: &str, type_: &str, required: bool, options: &[&str]| json!({"name": name, "type": type_, "required": required, "options": options});
        let form = json!([
            field("limit", "integer", true, &[]),
            field("way", "string", false, &["post", "courier"]),
            field("note", "string", false, &[]),
        ]);
        Box::new(Question {
            step: "ask".to_owned(),
            title: Some("Refund?".to_owned()),
            description: None,
            groups: vec!["managers".to_owned()],
            users: Vec::new(),
            required: 1,
            form: serde_json::from_value(form).unwrap(),
            until: None,
            self_approval: true,
        })
    }

    async fn said(people: &mut People) -> Vec<SignalKind> {
        loop {
            let signals = people.next().await;
            if !signals.is_empty() || !people.may_answer() {
                return signals;
            }
        }
    }

    #[tokio::test]
    async fn a_person_answers_line_by_line_until_each_line_fits() {
        let (sender, lines) = mpsc::channel(16);
        let mut people = People::new(Answers::default(), Some(Terminal::of(lines)));
        assert!(people.asked("ask".to_owned(), question()).is_empty());
        people.listens("hold".to_owned(), "order.paid".to_owned());
        for line in [
            "perhaps",
            "approve",
            "",
            "many",
            "5",
            "pigeon",
            "courier",
            "",
            "fine",
            "[1]",
            r#"{"id": 1}"#,
        ] {
            sender.send(line.to_owned()).await.unwrap();
        }
        let signals = said(&mut people).await;
        let [SignalKind::Vote { step, vote }] = signals.as_slice() else {
            panic!("{signals:?}");
        };
        assert_eq!(
            (step.as_str(), vote.approve, &vote.groups, vote.comment.as_deref()),
            ("ask", true, &vec!["managers".to_owned()], Some("fine"))
        );
        assert_eq!(json!(vote.form), json!({"limit": 5, "way": "courier"}));
        let signals = said(&mut people).await;
        let [SignalKind::Event { event, data, .. }] = signals.as_slice() else {
            panic!("{signals:?}");
        };
        assert_eq!((event.as_str(), json!(data)), ("order.paid", json!({"id": 1})));
        drop(sender);
    }

    #[tokio::test]
    async fn whoever_rejects_fills_in_nothing_and_one_who_leaves_answers_nothing() {
        let (sender, lines) = mpsc::channel(16);
        let mut people = People::new(Answers::default(), Some(Terminal::of(lines)));
        people.asked("ask".to_owned(), question());
        people.asked("call/ask".to_owned(), question());
        for line in ["r", ""] {
            sender.send(line.to_owned()).await.unwrap();
        }
        let signals = said(&mut people).await;
        assert!(matches!(signals.as_slice(), [SignalKind::Vote { vote, .. }] if !vote.approve));
        people.closed("ask");
        assert!(people.may_answer());
        drop(sender);
        assert!(said(&mut people).await.is_empty());
        assert!(!people.may_answer());
        assert_eq!(
            people.help(),
            "call/ask asks for an approval (Refund?): --answer call/ask=approve, or --answer call/ask=reject"
        );
        people.closed("call/ask");
        assert_eq!(people.help(), "");
    }
}
