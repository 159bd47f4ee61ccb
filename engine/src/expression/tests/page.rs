//! The examples of `docs/expressions.md`: each gives what stands beside it, and each function has one.

use super::super::functions;
use super::*;
use crate::expression::{Scope, types};

const PAGE: &str = include_str!("../../../../docs/expressions.md");

/// The page's data, and recorded answers.
struct Data(Variables);

impl Scope for Data {
    fn get(&self, root: &str) -> Option<Value> {
        self.0.get(root)
    }

    fn now(&self) -> Option<jiff::Timestamp> {
        Some(jiff::Timestamp::constant(1_800_000_000, 0))
    }

    fn uuid(&self) -> Option<uuid::Uuid> {
        Some(uuid::Uuid::nil())
    }

    fn random(&self) -> Option<f64> {
        Some(0.25)
    }
}

fn data() -> Data {
    let json = PAGE
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let json: Json = serde_json::from_str(json.expect("the page has data")).unwrap();
    let mut scope = Variables::default();
    scope.set_json("inputs", &json["inputs"]);
    Data(scope)
}

/// The code in a cell of a table.
fn code(cell: &str) -> Option<String> {
    let cell = cell.trim();
    let inside = match cell.strip_prefix("``") {
        Some(rest) => rest.strip_suffix("``")?.trim(),
        None => cell.strip_prefix('`')?.strip_suffix('`')?,
    };
    Some(inside.replace("\\|", "|"))
}

/// Rows under a heading that ends in `gives`: example and result.
fn examples() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut gives = false;
    for line in PAGE.lines() {
        if !line.starts_with('|') {
            gives = false;
        } else if line.ends_with("| gives |") {
            gives = true;
        } else if gives && !line.starts_with("|---") {
            let line = line.replace("\\|", "\u{1}");
            let cells: Vec<_> = line.trim_matches('|').split('|').collect();
            let cell = |at: usize| code(&cells[at].replace('\u{1}', "|")).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(cells.len(), 3, "{line}");
            found.push((cell(1), cell(2)));
        }
    }
    found
}

#[test]
fn each_example_gives_what_stands_beside_it() {
    let examples = examples();
    assert!(examples.len() > 120, "{}", examples.len());
    for (example, expected) in examples {
        let evaluate = |source: &str| {
            let program = Program::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
            let value = program.evaluate(&data(), &mut Budget::default());
            value.unwrap_or_else(|error| panic!("{source}: {error}"))
        };
        let (value, expected) = (evaluate(&example), evaluate(&expected));
        assert_eq!(value, expected, "{example}");
        assert_eq!(value.kind(), expected.kind(), "{example}");
    }
}

/// The names and types that the page writes like `{note?: string}`.
struct Declared(types::Type);

impl types::Environment for Declared {
    fn lookup(&self, name: &str) -> Option<types::Type> {
        (name == "inputs").then(|| self.0.clone())
    }
}

#[test]
fn each_problem_is_found_as_it_is_told() {
    let rows = PAGE
        .split("| problem |")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next());
    let rows: Vec<_> = rows.unwrap().lines().skip(2).collect();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let declared = code(cells[0]).unwrap();
        let (name, type_) = declared.trim_matches(['{', '}']).split_once(": ").unwrap();
        let properties = json!({"properties": {name.trim_end_matches('?'): {"type": type_}}});
        let program = Program::parse(&code(cells[1]).unwrap()).unwrap();
        let (_, problems) = program.check(&Declared(types::Type::from_schema(&properties)));
        let [problem] = problems.as_slice() else {
            panic!("{row}: {problems:?}")
        };
        let (message, _) = problem.message.rsplit_once(" in `").unwrap();
        let told = match &problem.suggestion {
            Some(name) => format!("{message}; did you mean `{name}`?"),
            None => message.to_owned(),
        };
        assert_eq!(told, cells[2].trim(), "{row}");
    }
}

#[test]
fn each_function_has_an_example() {
    let examples: Vec<_> = examples().into_iter().map(|(example, _)| example).collect();
    for function in functions::all() {
        let call = match function.style {
            functions::Style::Global => format!("{}(", function.name),
            functions::Style::Method => format!(".{}(", function.name),
        };
        assert!(examples.iter().any(|example| example.contains(&call)), "{call}");
    }
    for name in super::super::macros::names() {
        assert!(
            examples
                .iter()
                .any(|example| example.contains(&format!("{name}("))),
            "{name}"
        );
    }
}
